"""Whatever is shown of the books can be computed again from postings and trades."""

from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.utils import timezone

from execution import models
from execution.core.types import JournalEntry, LedgerKey, Posting
from execution.models import guards
from execution.selectors import checks
from execution.services import bookings, desk, opening, rebuilding
from markets import stages
from markets.services import collect, universe
from markets.sources.synthetic import SyntheticSource
from strategies.library import REGISTRY
from tests.flows import taker

pytestmark = pytest.mark.usefixtures("database")

START = 1_767_225_600_000
FIGURES = ("cash", "reserved", "deposits", "fees", "rebates", "realized", "equity")
COLUMNS = (
    "market", "outcome", "size", "cost", "fair_cost", "mark", "value", "state", "opened_at",
)  # fmt: skip


@pytest.fixture(autouse=True)
def traded(database, settings):
    """Open accounts that have bought, sold and hold something, with orders still open."""
    taker.register()
    settings.PQAP = replace(
        settings.PQAP,
        enabled_strategies=("taker",),
        strategies={**settings.PQAP.strategies, "taker": taker.Params()},
    )
    opening.open_accounts(START)
    source = SyntheticSource(seed=1)
    universe.sync_markets(source, START)
    collect.collect_many(source, [START + 300_000 * n for n in range(12)])
    while not busy() and desk.advance(now=timezone.now(), late_allowed=True, batch=1):
        pass
    yield
    REGISTRY.pop("taker", None)


def busy() -> bool:
    """Whether there are sales, holdings and open orders."""
    sold = models.Trade.objects.filter(side="sell").exists()
    return sold and models.Account.objects.filter(reserved__gt=0).exists()


def shown() -> list:
    """Every projection that must come back, as plain rows."""
    totals = models.LedgerAccount.objects.order_by("pk").values_list("pk", "debits", "credits")
    accounts = models.Account.objects.order_by("name").values_list("name", *FIGURES)
    holders = ("account", "strategy", "token")
    held = models.Position.objects.order_by(*holders).values_list(*holders, *COLUMNS)
    return [*totals, *accounts, *held]


def unguarded(change) -> None:
    with transaction.atomic():
        guards.drop(connection)
        change()
        guards.install(connection)


def test_the_books_of_a_desk_differ_in_nothing():
    assert busy()
    assert models.Position.objects.exists()

    assert rebuilding.rebuild() == []


def test_everything_dropped_comes_back():
    before = shown()
    unguarded(lambda: models.LedgerAccount.objects.update(debits=7, credits=7))
    models.Account.objects.update(**dict.fromkeys(FIGURES, 1))
    models.Position.objects.all().delete()

    found = rebuilding.rebuild()

    assert shown() == before
    assert checks.faults() == []
    assert any("postings make" in sentence for sentence in found)
    assert any("was not shown" in sentence for sentence in found)
    assert any("had cash of 1, right is" in sentence for sentence in found)
    assert rebuilding.rebuild() == []


def test_a_wrong_column_of_a_holding_is_put_right():
    before, row = shown(), models.Position.objects.first()
    for column in COLUMNS:
        wrong = "?" if column in ("market", "outcome", "state") else 1
        models.Position.objects.filter(pk=row.pk).update(**{column: wrong})

        [found] = rebuilding.rebuild()

        assert f"had {column} of {wrong}, right is {getattr(row, column)}" in found
        assert shown() == before


def test_a_cost_that_no_trade_tells_is_the_desks_own():
    row = models.Position.objects.filter(account="base").first()
    cash = LedgerKey("base", "", "CASH", "USD")
    trading, shares, taken = (
        LedgerKey("base", row.strategy, kind, asset)
        for kind, asset in (("TRADING", "USD"), ("POSITION", row.token), ("TRADING", row.token))
    )
    moves = (Posting(trading, cash, 2), Posting(shares, taken, 5))
    bookings.book(
        [(1, JournalEntry("import-1", "base", "import", "change 0", 1, moves))], timezone.now()
    )
    account = models.Account.objects.get(name="base")
    own = next(held for _, held in account.state["positions"] if held["token"] == row.token)
    own["size"], own["cost"] = own["size"] + 5, own["cost"] + 2
    account.save()

    rebuilding.rebuild()

    again = models.Position.objects.get(pk=row.pk)
    assert (again.size, again.cost) == (row.size + 5, row.cost + 2)
    assert models.Account.objects.get(name="base").cash == account.cash - 2
    assert rebuilding.rebuild() == []


def test_a_holding_that_nobody_holds_goes():
    before, row = shown(), models.Position.objects.first()
    models.Position.objects.create(
        account="base", strategy="nobody", market=row.market, token=row.token, outcome=row.outcome,
        size=5, cost=5, opened_at=1,
    )  # fmt: skip

    assert "is not held" in rebuilding.rebuild()[0]
    assert shown() == before


def test_the_guards_are_back_afterwards():
    row = models.LedgerAccount.objects.filter(kind="CASH").first()
    unguarded(lambda: models.LedgerAccount.objects.filter(pk=row.pk).update(debits=row.debits + 1))

    assert len(rebuilding.rebuild()) == 1
    assert guards.missing(connection) == []


def test_a_desk_that_commits_meanwhile_makes_it_give_up(monkeypatch):
    real = stages.position

    def late(name: str) -> int:
        found = real(name)
        with stages.advance(name, from_=found, to=found + 1):
            pass
        return found

    monkeypatch.setattr(stages, "position", late)

    with pytest.raises(stages.Overtaken):
        rebuilding.rebuild()
