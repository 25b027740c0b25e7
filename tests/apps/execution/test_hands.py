"""Hands on real databases: decided, applied by the next tick, booked, shown, and archived."""

import pytest
from django.core.management import CommandError, call_command

from execution import models
from execution.core.types import ChangeKind
from execution.selectors import accounts, checks, orders
from execution.services import changes
from tests.apps.execution.world import START, decide, go, trading

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def world(database, settings):
    with trading(settings):
        yield


def sold(tick: int) -> int:
    return models.Order.objects.filter(tick_id__gte=tick, purpose="exit").count()


def test_closing_everything_leaves_nothing_of_what_was_held():
    go(3)
    held = set(models.Position.objects.values_list("account", "token"))
    decide(ChangeKind.CLOSE, "all")
    decide(ChangeKind.DISABLE, "taker")
    go(27)

    assert held
    assert not held & set(models.Position.objects.values_list("account", "token"))
    assert models.Order.objects.filter(reason="by hand").exists()
    assert checks.faults() == []


def test_cancelling_takes_every_open_order_back():
    go(3)
    waiting = set(
        models.Order.objects.filter(state__in=("placed", "resting")).values_list("pk", flat=True)
    )
    decide(ChangeKind.CANCEL, "all")
    go(1)

    ended = models.Order.objects.filter(pk__in=waiting)
    assert waiting
    assert set(ended.values_list("state", "reason")) == {("cancelled", "BY_HAND")}
    assert checks.faults() == []


def test_a_halt_that_flattens_sells_and_buys_nothing():
    go(3)
    decide(ChangeKind.HALT, "all", "flatten")
    go(27)

    assert not models.Position.objects.exists()
    assert set(models.Order.objects.filter(tick_id__gt=3).values_list("side", flat=True)) == {
        "sell"
    }
    assert models.HaltState.objects.filter(scope="all").exists()
    assert checks.faults() == []


def test_a_withdrawal_above_free_cash_is_refused_at_the_door_with_the_figure():
    go(3)
    free, name = changes.free_cash()
    least = models.Account.objects.order_by("cash").first()

    assert (free, name) == (least.cash, least.name)
    with pytest.raises(changes.BadChange, match=f"amount: .* are free in the {name} account"):
        decide(ChangeKind.WITHDRAW, "", str(free + 1))
    decide(ChangeKind.WITHDRAW, "", str(free - 10))
    with pytest.raises(changes.BadChange, match=r"more than the 0\.00001 that are free"):
        decide(ChangeKind.WITHDRAW, "", "11")


def test_what_the_door_could_not_know_becomes_refusals_and_never_stops_the_desk():
    rows = [
        models.Change(kind="withdraw", value=str(10**12), who="ann", why="x",
                      recorded_at="2026-01-01T00:00Z")
        for _ in range(2)
    ]  # fmt: skip
    models.Change.objects.bulk_create(rows)
    go(3)

    refused = models.Refusal.objects.filter(code="CASH", strategy="")
    assert refused.count() == 6
    assert {row.token for row in refused} == {
        f"change {row.pk}" for row in models.Change.objects.all()
    }
    assert checks.faults() == []


def test_a_new_account_archives_the_old_one_and_counts_from_there(settings):
    go(10)
    before = {row.account: row for row in accounts.capital()}
    traded = orders.trade_count()
    decide(ChangeKind.NEW_ACCOUNT)
    decide(ChangeKind.DISABLE, "taker")
    go(5)

    capital = settings.PQAP.initial_capital
    assert traded > 0
    assert orders.trade_count() == 0
    assert accounts.results() == {}
    for row in accounts.capital():
        assert (row.era, row.cash, row.deposits, row.pnl) == (2, capital, capital, 0)
        assert row.opened_at > before[row.account].opened_at == START
    eras = {era.account: era for era in accounts.eras()}
    assert set(eras) == {"base", "optimistic", "pessimistic"}
    assert eras["base"].trades == traded
    assert eras["base"].equity == before["base"].equity
    assert not models.Position.objects.exists()
    assert checks.faults() == []


def test_the_new_account_trades_on_and_may_be_renewed_again():
    for _ in range(3):
        go(6)
        decide(ChangeKind.NEW_ACCOUNT, "", "3000000000")
    go(12)

    assert orders.trade_count() > 0
    assert {row.era for row in models.Account.objects.all()} == {4}
    assert models.Archive.objects.count() == 9
    assert {point.at >= accounts.begun() for point in accounts.equity().rows} == {True}
    assert checks.faults() == []


def test_two_new_accounts_in_one_tick_are_two_eras():
    go(3)
    decide(ChangeKind.NEW_ACCOUNT)
    decide(ChangeKind.NEW_ACCOUNT)
    go(3)

    assert {row.era for row in models.Account.objects.all()} == {3}
    assert checks.faults() == []


def said(capsys, *command: str) -> str:
    call_command(*command)
    return capsys.readouterr().out


def test_commands_say_what_will_happen_and_when(capsys):
    go(3)
    told = {
        "close": said(capsys, "close", "all", "--why", "x"),
        "cancel": said(capsys, "cancel", "all", "--why", "x"),
        "deposit": said(capsys, "deposit", "250.50", "--why", "x"),
        "withdraw": said(capsys, "withdraw", "20", "--why", "x"),
        "halt": said(capsys, "halt", "--flatten", "--why", "x"),
        "account": said(capsys, "account", "new", "--capital", "500", "--why", "x"),
    }
    go(1)
    told["list"] = said(capsys, "account", "list")
    told["show"] = said(capsys, "account", "show")

    assert "(taker), worth" in told["close"]
    assert "the next tick (one every 10 s while PQAP runs)" in told["close"]
    assert "base: buy" in told["cancel"]
    assert "Paid in: 250.5 dollars in each account" in told["deposit"]
    assert "Taken out: 20 dollars" in told["withdraw"]
    assert "only these sales are made under the halt" in told["halt"]
    assert "new ones begin with 500 dollars each" in told["account"]
    assert "base 1: 2026-01-01T00:00:00.000Z to" in told["list"]
    assert "base 2, since" in told["show"]
    assert set(models.Change.objects.values_list("why", flat=True)) == {"x"}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("close", "nothing", "--why", "x"), "give all, strategy:NAME, market:ID or token:ID"),
        (("close", "strategy:nobody", "--why", "x"), "no strategy is named 'nobody'"),
        (("close", "token:1", "--why", "x"), "of something known and held"),
        (("cancel", "order:1", "--why", "x"), "of something known and open"),
        (("deposit", "-5", "--why", "x"), "'-5' is not an amount"),
        (("deposit", "5.0000001", "--why", "x"), "at most 6 places"),
        (("deposit", "5", "--why", " "), "why: a reason is needed"),
        (("deposit", "5"), "--why"),
        (("withdraw", "1e3", "--why", "x"), "dollars above 0"),
        (("withdraw", "100000", "--why", "x"), "amount: 100000 dollars are more than"),
        (("account", "new", "--capital", "0", "--why", "x"), "'0' is not an amount"),
    ],
)
def test_a_wrong_command_names_what_is_allowed_and_decides_nothing(command, names):
    with pytest.raises(CommandError) as refused:
        call_command(*command)

    assert names in str(refused.value)
    assert not models.Change.objects.exists()
