"""Whose database this is: one environment and one source of prices, for good."""

from django.db import DatabaseError, connection

from pqap_site.models import Identity


class Foreign(Exception):
    """The database is not this environment's; the text says what to do."""


def check(env: str, source: str) -> None:
    """Raise Foreign unless the database is empty or was made for `env` and `source`."""
    try:
        tables = set(connection.introspection.table_names())
        found = _stored() if Identity._meta.db_table in tables else None
    except DatabaseError as problem:
        raise Foreign(_unreadable(problem)) from problem
    if found is not None and found != (env, source):
        raise Foreign(
            f"{_name()} belongs to {found[0]} with prices from {found[1]}, not to {env} with "
            f"prices from {source}: move it away, or start with the configuration it was made for."
        )
    if tables and Identity._meta.db_table not in tables:
        raise Foreign(
            f"{_name()} holds other tables and was not made by PQAP: move it away or name an "
            "empty database."
        )


def claim(env: str, source: str) -> None:
    """Write the row, once."""
    Identity.objects.get_or_create(id=1, defaults={"environment": env, "source": source})


def _stored() -> tuple[str, str] | None:
    return Identity.objects.values_list("environment", "source").first()


def _name() -> str:
    settings = connection.settings_dict
    where = f"{settings['HOST']}/" if settings.get("HOST") else ""
    return f"The database {where}{settings['NAME']}"


def _unreadable(problem: DatabaseError) -> str:
    reason = str(problem).strip().splitlines()[0] if str(problem).strip() else "no reason given"
    return (
        f"{_name()} cannot be used ({reason}): if it is a server, start it and check "
        "DATABASE_URL; if it is a file, move it away or restore a backup."
    )
