"""The database itself refuses a ledger entry that is unbalanced, negative, edited or deleted."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from execution.core import ledger
from execution.core.types import CASH_ASSET
from execution.models import JournalEntry, LedgerAccount, Posting, guards
from execution.services import bookings
from tests.builders import micro

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def cash() -> LedgerAccount:
    bookings.book([(1, ledger.deposit("base", micro(100), 0, "test"))], timezone.now())
    return LedgerAccount.objects.get(kind="CASH")


@pytest.fixture
def entry(cash) -> JournalEntry:
    return JournalEntry.objects.get()


def side(kind: str, asset: str = CASH_ASSET, account: str = "base") -> LedgerAccount:
    found, _ = LedgerAccount.objects.get_or_create(
        account=account, strategy="", kind=kind, asset=asset
    )
    return found


def post(entry, debit, credit, amount, asset=CASH_ASSET) -> None:
    Posting.objects.create(entry=entry, debit=debit, credit=credit, amount=amount, asset=asset)


def refused(action, *, match: str | None = None) -> None:
    before = list(LedgerAccount.objects.values_list("debits", "credits").order_by("pk"))
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        action()
    assert list(LedgerAccount.objects.values_list("debits", "credits").order_by("pk")) == before


def execute(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_trigger_keeps_the_totals(cash):
    assert (cash.debits, cash.credits) == (micro(100), 0)
    capital = LedgerAccount.objects.get(kind="CAPITAL")
    assert (capital.debits, capital.credits) == (0, micro(100))


def test_overdraft(cash, entry):
    spent = side("TRADING")
    refused(lambda: post(entry, spent, cash, micro(101)), match="overdrawn|CHECK")


@pytest.mark.parametrize("amount", [0, -1])
def test_amounts_that_are_not_positive(cash, entry, amount):
    refused(lambda: post(entry, side("TRADING"), cash, amount), match="positive")


def test_a_fraction_of_a_micro_unit(cash, entry):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's bigint column cannot hold a fraction at all")
    trading = side("TRADING")
    refused(
        lambda: execute(
            f"INSERT INTO {guards.POSTING} (entry_id, debit_id, credit_id, asset, amount) "
            "VALUES (%s, %s, %s, %s, 1.5)", entry.pk, trading.pk, cash.pk, CASH_ASSET,
        ),
        match="positive",
    )  # fmt: skip


def test_two_assets_in_one_posting(cash, entry):
    refused(lambda: post(entry, side("POSITION", "token-1"), cash, 1), match="asset")


def test_an_asset_that_is_not_the_accounts(cash, entry):
    refused(lambda: post(entry, side("TRADING"), cash, 1, "token-1"), match="asset")


def test_money_of_another_account(cash, entry):
    refused(lambda: post(entry, side("TRADING", account="optimistic"), cash, 1), match="asset")


def test_a_posting_to_itself(cash, entry):
    refused(lambda: post(entry, cash, cash, 1))


def test_a_cause_booked_twice(cash):
    twice = [(1, ledger.deposit("base", micro(100), 0, "test"))]
    refused(lambda: bookings.book(twice, timezone.now()))


@pytest.mark.parametrize("model", [Posting, JournalEntry])
def test_edits(cash, model):
    field = "amount" if model is Posting else "at"
    refused(lambda: model.objects.update(**{field: 5}), match="never edited")


@pytest.mark.parametrize("table", [guards.POSTING, guards.ENTRY, guards.ACCOUNT])
def test_deletes(cash, table):
    refused(lambda: execute(f"DELETE FROM {table}"), match="never deleted|violates|FOREIGN")


def test_totals_written_by_hand(cash):
    refused(lambda: LedgerAccount.objects.filter(pk=cash.pk).update(debits=1), match="only grow")
    refused(lambda: LedgerAccount.objects.filter(pk=cash.pk).update(asset="x"), match="only grow")


def test_nothing_is_missing_and_a_lost_guard_is_noticed(cash):
    assert guards.missing(connection) == []

    on = f" ON {guards.POSTING}" if connection.vendor == "postgresql" else ""
    execute(f"DROP TRIGGER ledger_posting_fixed{on}")

    assert guards.missing(connection) == ["posting_fixed"]
    guards.install(connection)
    assert guards.missing(connection) == []


def test_guards_survive_a_migration_of_tables_that_hold_rows(cash):
    """SQLite rebuilds a table to alter it, and its triggers vanish with the old one."""
    from django.db.models.signals import post_migrate, pre_migrate

    config = type(cash)._meta.app_config
    pre_migrate.send(config, app_config=config, using="default", verbosity=0)
    for model in (JournalEntry, Posting, LedgerAccount):
        _rebuild(model)
    post_migrate.send(config, app_config=config, using="default", verbosity=0)

    assert guards.missing(connection) == []
    assert LedgerAccount.objects.get(kind="CASH").debits == micro(100)
    refused(lambda: Posting.objects.update(amount=5), match="never edited")


def _rebuild(model) -> None:
    """Alter a column as a migration would: add one, then take it away again."""
    from django.db import models

    extra = models.TextField(default="x", db_default="x")
    extra.set_attributes_from_name("extra")
    extra.model = model
    with connection.schema_editor() as editor:
        editor.add_field(model, extra)
    with connection.schema_editor() as editor:
        editor.remove_field(model, extra)


def test_migrate_itself_keeps_the_guards(cash):
    call_command("migrate", verbosity=0)

    assert guards.missing(connection) == []
