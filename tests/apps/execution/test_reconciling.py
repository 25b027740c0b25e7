"""Accounts are compared with the ledger, every way there is, and a mismatch halts new orders."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from execution import models
from execution.core.types import ChangeKind
from execution.models import guards
from execution.selectors import checks, control, facts
from execution.selectors.snapshot import snapshot
from execution.services import reconciling
from notifications.core import messages
from pqap_site import startup
from tests.apps.execution.world import decide, go, trading

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def world(database, settings):
    with trading(settings, ticks=20):
        go(20)
        yield


def unguarded(change) -> None:
    with transaction.atomic():
        guards.drop(connection)
        change()
        guards.install(connection)


def first(model, **columns):
    return model.objects.filter(**columns).order_by("pk").first()


def update(row, **columns):
    type(row).objects.filter(pk=row.pk).update(**columns)


def spoil_totals():
    unguarded(lambda: update(first(models.LedgerAccount, kind="FEES"), debits=1))


def spoil_trade():
    update(first(models.Trade, account="base"), realized_pnl=10**9)


def spoil_entry():
    entry = models.JournalEntry(
        id="empty", account="base", kind="deposit", cause="x", at=1, tick_id=1,
        recorded_at=timezone.now(),
    )  # fmt: skip
    entry.save()


def unbook_trade():
    update(first(models.Trade), id="unheard of")


def book_nothing():
    models.JournalEntry.objects.create(
        id="ghost", account="base", kind="fill", cause="nobody", at=1, tick_id=1,
        recorded_at=timezone.now(),
    )  # fmt: skip


def settle_held():
    held = first(models.Position)
    models.Trade.objects.create(
        id="settled", tick_id=20, account=held.account, strategy="x", market=held.market,
        token="t", outcome="Yes", side="sell", price=0, size=0, notional=0, fee=0,
        liquidity="settlement", evidence="", book_at=held.opened_at, at=held.opened_at + 1,
    )  # fmt: skip


def settle_ordered():
    order = first(models.Order)
    update(order, state="resting")
    models.Trade.objects.create(
        id="settled", tick_id=20, account=order.account, strategy="x", market=order.market,
        token="t", outcome="Yes", side="sell", price=0, size=0, notional=0, fee=0,
        liquidity="settlement", evidence="", book_at=order.placed_at, at=order.placed_at,
    )  # fmt: skip


def base() -> models.Account:
    return models.Account.objects.get(name="base")


FAULTS = {
    "a guard": (lambda: _drop("posting_fixed"), "the guard posting_fixed is missing"),
    "a total": (spoil_totals, "its postings make"),
    "a balance": (spoil_totals, "account base is out of balance by"),
    "shown cash": (lambda: update(base(), cash=1), "account base shows cash of 1, the ledger"),
    "shown deposits": (lambda: update(base(), deposits=1), "shows deposits of 1, the ledger"),
    "shown fees": (lambda: update(base(), fees=1), "shows fees of 1, the ledger holds"),
    "shown profit": (lambda: update(base(), realized=1), "realized profit of 1, its trades make"),
    "shown equity": (lambda: update(base(), equity=1), "shows equity of 1, money and holdings"),
    "money and profit": (lambda: update(base(), realized=1), "deposits and profit less what"),
    "a profit": (spoil_trade, "shows a realized profit of"),
    "a size": (lambda: update(first(models.Position), size=1), "shows 1 of token"),
    "a cost": (lambda: update(first(models.Position), cost=1), " for 1, its trades make"),
    "the state": (lambda: update(base(), state={}), "the desk's state cannot be read"),
    "the state's cash": (
        lambda: update(base(), state={**base().state, "cash": 5}), "the desk goes on from 5",
    ),
    "the state's orders": (
        lambda: update(first(models.Order), state="resting"), "other open orders than the desk",
    ),
    "the state's holdings": (
        lambda: update(base(), state={**base().state, "positions": []}), "other holdings than",
    ),
    "an empty entry": (spoil_entry, "journal entry empty moves nothing"),
    "an unbooked trade": (unbook_trade, "trade unheard of is booked by no journal entry"),
    "a ghost": (book_nothing, "books trade nobody, which does not exist"),
    "a fill too much": (
        lambda: update(first(models.Order, filled__gt=0), filled=1), "says 1 are filled",
    ),
    "an order overfilled": (
        lambda: update(first(models.Order, filled__gt=0), size=1), "of size 1 says",
    ),
    "an impossible price": (lambda: update(first(models.Order), price=0), "has a price of 0 and"),
    "an impossible fill": (lambda: update(first(models.Trade), price=10**6), "price of 1000000"),
    "held after its end": (settle_held, " in settled 0x"),
    "on order after its end": (settle_ordered, "is open in settled 0x"),
}  # fmt: skip


def _drop(name: str) -> None:
    on = f" ON {guards.POSTING}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER ledger_{name}{on}")


def test_every_fault_is_seen_and_there_is_none_without_one(database):
    assert checks.faults() == []
    unseen = []
    for name, (spoil, said) in FAULTS.items():
        try:
            with transaction.atomic():
                spoil()
                found = checks.faults()
                raise Undone
        except Undone:
            pass
        if not any(said in fault for fault in found):
            unseen.append((name, found))

    assert unseen == []
    assert checks.faults() == []


class Undone(Exception):
    """Takes a spoilt row back."""


def test_a_new_fault_halts_once_and_says_so():
    assert reconciling.reconcile() == []
    update(base(), cash=1)

    for cash in (2, 3):
        update(base(), cash=cash)
        assert reconciling.reconcile()

    [row] = models.Change.objects.all()
    assert (row.kind, row.scope, row.who) == ("halt", "all", "reconciliation")
    assert row.why.startswith("the ledger does not add up: account base shows cash of 2")
    assert [bool(r.faults) for r in models.Reconciliation.objects.order_by("pk")] == [
        False, True, True,
    ]  # fmt: skip
    assert control.mismatch().startswith("account base shows cash of 3")


def test_a_person_may_resume_with_open_eyes_but_another_fault_halts_again():
    update(base(), cash=1)
    reconciling.reconcile()
    decide(ChangeKind.RESUME, "all")
    reconciling.reconcile()
    assert models.Change.objects.filter(kind="halt").count() == 1

    update(first(models.Position, account="optimistic"), size=1)
    reconciling.reconcile()
    assert models.Change.objects.filter(kind="halt").count() == 2


def test_every_start_insists_while_nothing_is_halted():
    update(base(), cash=1)
    startup.check_ledger()
    startup.check_ledger()
    assert models.Change.objects.count() == 1

    models.Change.objects.update(applied_tick=1)
    startup.check_ledger()
    assert models.Change.objects.filter(kind="halt").count() == 2


def test_it_is_told_once_for_each_set_of_faults():
    update(base(), cash=1)
    reconciling.reconcile()
    reconciling.reconcile()
    models.Change.objects.update(applied_tick=20)

    [news] = [n for n in facts.news(0, 20) if n.kind in ("ledger_mismatch", "halt")]
    assert (news.kind, news.level) == ("ledger_mismatch", "critical")
    assert messages.text(news.kind, news.fields).startswith(
        "Accounts and ledger do not agree, nothing new is ordered: account base shows cash of 1"
    )


def test_the_command_says_what_it_found(capsys):
    call_command("reconcile")
    assert "Accounts and ledger agree." in capsys.readouterr().out

    update(base(), cash=1)
    with pytest.raises(CommandError, match="faults"):
        call_command("reconcile")
    assert "shows cash of 1" in capsys.readouterr().out


def test_a_snapshot_does_not_see_what_is_written_meanwhile(database):
    def write():
        models.Account.objects.filter(name="base").update(cash=7)
        connection.close()

    with snapshot():
        before = base().cash
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=10)
        done = not writer.is_alive()
        assert base().cash == before

    writer.join()
    assert base().cash == 7
    assert done or _waits_for_readers()


def _waits_for_readers() -> bool:
    """Whether this SQLite runs without a write-ahead log, so that a writer waits."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return cursor.fetchone()[0] != "wal"


def test_nothing_can_be_written_inside_a_snapshot_on_a_server(database):
    if database != "postgresql":
        pytest.skip("SQLite takes back what was written there")
    with pytest.raises(DatabaseError, match="read-only"), snapshot():
        update(base(), cash=7)
