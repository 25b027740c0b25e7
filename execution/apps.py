"""The execution app; it keeps the ledger's guards in place around every migration."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


def _drop_guards(using: str, **_: Any) -> None:
    from execution.models import guards

    guards.drop(connections[using])


def _install_guards(using: str, **_: Any) -> None:
    from execution.models import guards

    connection = connections[using]
    if guards.POSTING in connection.introspection.table_names():
        guards.install(connection)


class ExecutionConfig(AppConfig):
    """Accounts, orders, fills and the ledger."""

    name = "execution"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pre_migrate.connect(_drop_guards, sender=self, dispatch_uid="ledger_guards_off")
        post_migrate.connect(_install_guards, sender=self, dispatch_uid="ledger_guards_on")
