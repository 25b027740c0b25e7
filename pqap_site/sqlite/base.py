"""Django's SQLite backend on the safest SQLite at hand, with the settings PQAP relies on."""

from typing import Any

from pqap_site.sqlite import driver

driver.install()

from django.db.backends.sqlite3 import base  # noqa: E402  (must follow install)

TIMEOUT_SECONDS = 20


class DatabaseWrapper(base.DatabaseWrapper):
    """Writes begin IMMEDIATE, so two writers wait for each other and never deadlock half-way."""

    def get_connection_params(self) -> dict[str, Any]:
        """What is in OPTIONS wins over PQAP's defaults."""
        defaults = {
            "transaction_mode": "IMMEDIATE",
            "timeout": TIMEOUT_SECONDS,
            "init_command": driver.pragmas(base.Database.sqlite_version_info),
        }
        given = self.settings_dict["OPTIONS"]
        self.settings_dict["OPTIONS"] = {**defaults, **given}
        try:
            return super().get_connection_params()
        finally:
            self.settings_dict["OPTIONS"] = given

    def checkpoint(self) -> bool:
        """Fold the log into the file, so that one file is the database; False if busy."""
        self.ensure_connection()
        with self.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = cursor.fetchone()
        return not busy
