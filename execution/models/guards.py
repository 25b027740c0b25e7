"""The ledger's triggers: totals kept by the database, overdrafts and edits refused by it.

They are dropped before every migration and installed again after it: SQLite rebuilds a table to
alter it, and a trigger on it would vanish without a word.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

ENTRY, POSTING, ACCOUNT = "execution_journalentry", "execution_posting", "execution_ledgeraccount"

_MISMATCH = f"""
    (SELECT COUNT(*) FROM {ACCOUNT} d, {ACCOUNT} c, {ENTRY} e
     WHERE d.id = NEW.debit_id AND c.id = NEW.credit_id AND e.id = NEW.entry_id
       AND d.asset = NEW.asset AND c.asset = NEW.asset
       AND d.account = e.account AND c.account = e.account) <> 1"""
_ADD = f"""
    UPDATE {ACCOUNT} SET debits = debits + NEW.amount WHERE id = NEW.debit_id;
    UPDATE {ACCOUNT} SET credits = credits + NEW.amount WHERE id = NEW.credit_id;"""
_REWRITTEN = """
    NEW.account <> OLD.account OR NEW.strategy <> OLD.strategy OR NEW.kind <> OLD.kind
    OR NEW.asset <> OLD.asset OR NEW.debits < OLD.debits OR NEW.credits < OLD.credits"""

# name, event, table, condition, message
REFUSALS = (
    ("posting_whole", "INSERT", POSTING, "NEW.amount <= 0", "a posting moves a positive amount"),
    ("posting_matched", "INSERT", POSTING, _MISMATCH, "both sides must hold the entry's asset"),
    ("posting_fixed", "UPDATE", POSTING, "1 = 1", "postings are never edited"),
    ("posting_kept", "DELETE", POSTING, "1 = 1", "postings are never deleted"),
    ("entry_fixed", "UPDATE", ENTRY, "1 = 1", "journal entries are never edited"),
    ("entry_kept", "DELETE", ENTRY, "1 = 1", "journal entries are never deleted"),
    ("account_kept", "DELETE", ACCOUNT, "1 = 1", "ledger accounts are never deleted"),
    ("account_fixed", "UPDATE", ACCOUNT, _REWRITTEN, "ledger totals only grow, by postings"),
)
BOOKING = "posting_booked"
NAMES = (*(refusal[0] for refusal in REFUSALS), BOOKING)


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place, replacing any that is there."""
    drop(connection)
    statements = _postgres() if connection.vendor == "postgresql" else _sqlite()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away, where its table exists."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for name, table in _placed():
            if table in tables:
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS ledger_{name}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that should be there and are not."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'ledger_%'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    return [name for name in NAMES if f"ledger_{name}" not in found]


def _placed() -> list[tuple[str, str]]:
    return [*((name, table) for name, _, table, _, _ in REFUSALS), (BOOKING, POSTING)]


def _sqlite() -> list[str]:
    made = [
        f"CREATE TRIGGER ledger_{name} BEFORE {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, 'ledger: {_quoted(message)}'); END"
        for name, event, table, condition, message in REFUSALS
    ]
    # BIGINT is only an affinity in SQLite: 1.5 would be stored as it is.
    made[0] = made[0].replace(
        "NEW.amount <= 0", "typeof(NEW.amount) <> 'integer' OR NEW.amount <= 0"
    )
    return [*made, f"CREATE TRIGGER ledger_{BOOKING} AFTER INSERT ON {POSTING} BEGIN {_ADD} END"]


def _postgres() -> list[str]:
    made = []
    for name, event, table, condition, message in REFUSALS:
        row = "OLD" if event == "DELETE" else "NEW"
        made += _trigger(
            name, f"BEFORE {event}", table,
            f"IF {condition} THEN RAISE EXCEPTION 'ledger: {_quoted(message)}'; END IF; "
            f"RETURN {row};",
        )  # fmt: skip
    return [*made, *_trigger(BOOKING, "AFTER INSERT", POSTING, f"{_ADD} RETURN NEW;")]


def _trigger(name: str, when: str, table: str, body: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION ledger_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$body$ BEGIN {body} END $body$",
        f"CREATE TRIGGER ledger_{name} {when} ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION ledger_{name}()",
    ]


def _quoted(message: str) -> str:
    return message.replace("'", "''")
