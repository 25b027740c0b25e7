"""The desk stage on real databases: every tick once, whatever overtakes, breaks or comes late."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils import timezone

from execution import models
from execution.core import controls, risk, state
from execution.core.types import ChangeKind, Rule, Suspension
from execution.selectors import checks, facts, overrides
from execution.services import changes, desk, opening, projections, saving
from markets import stages
from markets.models import Pin
from markets.selectors import ticks
from markets.services import collect, universe
from markets.sources.synthetic import SyntheticSource
from strategies.library import REGISTRY
from strategies.models import Signal
from tests.flows import taker

pytestmark = pytest.mark.usefixtures("database")

START = 1_767_225_600_000
TICKS = 30


@pytest.fixture(autouse=True)
def world(database, settings):
    """Thirty collected ten-second ticks, open accounts, and a strategy that trades often."""
    taker.register()
    settings.PQAP = replace(
        settings.PQAP,
        enabled_strategies=("taker",),
        strategies={**settings.PQAP.strategies, "taker": taker.Params()},
    )
    opening.open_accounts(START)
    source = SyntheticSource(seed=1)
    universe.sync_markets(source, START)
    collect.collect_many(source, [START + 10_000 * n for n in range(TICKS)])
    yield
    REGISTRY.pop("taker", None)


def go(batch: int = 10, **options) -> int:
    return desk.advance(now=timezone.now(), late_allowed=True, batch=batch, **options)


def everything() -> dict[str, int]:
    tables = (models.Order, models.Trade, models.JournalEntry, models.Posting, models.Refusal)
    return {table.__name__: table.objects.count() for table in tables}


def test_takes_every_tick_once_and_keeps_the_books():
    assert [go(), go(), go(), go()] == [10, 10, 10, 0]

    assert stages.position("desk") == TICKS
    assert models.Trade.objects.filter(account="base").exists()
    assert checks.faults() == []


def test_a_restarted_desk_stands_where_the_warm_one_stood():
    go()
    warm = {n: state.dump(p) for n, p in desk._warm.desk.portfolios.items()}
    runs, bets = desk._warm.desk.journal.runs, desk._warm.desk.journal.bets

    desk.forget()
    cold = desk._at(stages.position("desk"))

    assert {n: state.dump(p) for n, p in cold.portfolios.items()} == warm
    assert (cold.journal.runs, cold.journal.bets) == (runs, bets)


def test_what_a_rival_has_done_is_not_done_again(monkeypatch):
    position = stages.position("desk")
    real = stages.advance

    def late(name, *, from_, to):
        monkeypatch.setattr(stages, "advance", real)
        desk.forget()
        assert go() == 10
        return real(name, from_=from_, to=to)

    monkeypatch.setattr(stages, "advance", late)

    assert go() == 0
    assert stages.position("desk") == position + 10
    assert checks.faults() == []


def test_a_batch_that_breaks_leaves_nothing_and_the_next_one_does_it(monkeypatch):
    before = everything()
    monkeypatch.setattr(
        saving.projections, "show", lambda *_: (_ for _ in ()).throw(RuntimeError("disk"))
    )

    with pytest.raises(RuntimeError):
        go()

    assert everything() == before
    assert stages.position("desk") == 0

    monkeypatch.undo()
    assert go() == 10
    assert checks.faults() == []


def test_late_ticks_lapse_and_open_nothing():
    last = ticks.ticks_after(0, TICKS)[-1].at

    desk.advance(now=datetime.fromtimestamp(last / 1000, UTC), batch=TICKS)

    lapse = models.Lapse.objects.get()
    assert lapse.from_tick == 1
    assert 20 <= lapse.to_tick < TICKS
    placed = models.Order.objects.filter(purpose="entry").order_by("tick_id").first()
    assert placed is None or placed.tick_id > lapse.to_tick


def test_a_decision_takes_effect_on_the_next_tick_and_is_stamped_with_it():
    go()
    changes.record(kind=ChangeKind.HALT, scope="all", who="ann", why="lunch")
    changes.record(
        kind=ChangeKind.LIMIT, scope="daily_loss_limit", value="5000000", who="ann", why="calm"
    )

    go()

    assert set(models.Change.objects.values_list("applied_tick", flat=True)) == {11}
    assert models.HaltState.objects.get().who == "ann"
    assert models.LimitState.objects.get(name="daily_loss_limit").override == 5_000_000
    assert not models.Order.objects.filter(tick_id__gt=10).exists()
    assert [n.kind for n in facts.news(10, 20)] == ["halt"]

    changes.record(kind=ChangeKind.RESUME, scope="all", who="ann", why="back")
    go()

    assert not models.HaltState.objects.exists()
    assert models.Order.objects.filter(tick_id__gt=20).exists()


def test_switching_a_strategy_off_and_back_to_the_configuration():
    changes.record(kind=ChangeKind.DISABLE, scope="taker", who="ann", why="test")
    go()

    row = models.StrategyState.objects.get(name="taker")
    assert (row.state, row.override) == ("disabled", False)
    assert not models.Order.objects.exists()

    changes.record(kind=ChangeKind.RESET_STRATEGY, scope="taker", who="ann", why="test")
    desk.forget()
    go()

    assert models.StrategyState.objects.get(name="taker").override is None
    assert models.Order.objects.exists()


@pytest.mark.parametrize(
    ("kind", "scope", "value", "names"),
    [
        ("enable", "nobody", "", "strategy"),
        ("enable", "someday_v1", "", "unavailable"),
        ("limit", "max_fun", "1", "limit"),
        ("limit", "daily_loss_limit", "-1", "value"),
        ("limit", "daily_loss_limit", "1.5", "value"),
        ("limit", "max_orders_per_minute", "2500000", "whole number"),
        ("halt", "planet:earth", "", "scope"),
    ],
)
def test_decisions_that_cannot_be_carried_out_are_refused(kind, scope, value, names):
    models.StrategyState.objects.create(name="someday_v1", state="unavailable")
    with pytest.raises(changes.BadChange, match=names):
        changes.record(kind=kind, scope=scope, value=value, who="ann", why="because")

    assert not models.Change.objects.exists()


def test_a_decision_needs_a_reason():
    with pytest.raises(changes.BadChange, match="why"):
        changes.record(kind=ChangeKind.HALT, who="ann", why=" ")


def test_what_is_held_stays_tracked():
    go(TICKS)

    held = set(models.Position.objects.values_list("market", flat=True))
    on_order = {
        order["market"]
        for account in models.Account.objects.all()
        for order in account.state["orders"]
    }
    followed = {
        shadow["market"]
        for account in models.Account.objects.all()
        for _, trial in account.state["trials"]
        for _, shadow in trial["shadows"]
        if not shadow["rests_until"]
    }
    pinned = set(Pin.objects.values_list("condition_id", flat=True))
    assert pinned == held | on_order | followed


def suspend(why: str = "5 closed events in a row lost") -> int:
    """The taker switched off by rule on the tick the desk stands at; its time."""
    go()
    warm = desk._warm.desk
    at = ticks.ticks_after(stages.position("desk") - 1, 1)[0].at
    suspension = Suspension("taker", Rule.STRAIGHT_LOSSES, why, at)
    warm.control = controls.suspend(warm.control, suspension)
    projections.show_suspensions(warm.control, [suspension])
    return at


def test_a_suspension_is_shown_told_and_survives_a_restart():
    at = suspend()

    row = models.StrategyState.objects.get(name="taker")
    assert (row.state, row.suspended_at) == ("auto_disabled", at)
    assert row.reason == row.suspended == "5 closed events in a row lost"
    [news] = [n for n in facts.news(10, 20) if n.kind == "auto_disabled"]
    assert news.fields["reason"] == row.suspended
    opening.open_accounts(START)
    assert models.StrategyState.objects.get(name="taker").state == "auto_disabled"

    desk.forget()
    assert desk._at(stages.position("desk")).control.suspended == {"taker": row.suspended}
    go()
    assert not models.Order.objects.filter(purpose="entry", tick_id__gt=10).exists()
    signals = Signal.objects.filter(disposition="shadow", reason="AUTO_DISABLED")
    assert signals.exists()
    base = models.Account.objects.get(name="base")
    assert dict(base.state["trials"])["taker"]["shadows"]


def test_a_person_lifts_a_suspension_and_nothing_else_does():
    suspend()
    changes.record(kind=ChangeKind.RESET_STRATEGY, scope="taker", who="ann", why="tidy up")
    go()
    assert models.StrategyState.objects.get(name="taker").state == "auto_disabled"

    changes.record(kind=ChangeKind.ENABLE, scope="taker", who="ann", why="looked into it")
    go(1)  # it goes on losing, so it would not stay on for long

    row = models.StrategyState.objects.get(name="taker")
    assert (row.state, row.suspended, row.suspended_at) == ("active", "", 0)
    assert models.Order.objects.filter(purpose="entry", tick_id__gt=20).exists()


def test_the_desk_suspends_by_itself_and_says_so(caplog):
    with caplog.at_level("WARNING", logger="pqap.desk"):
        while not models.StrategyState.objects.exclude(suspended="").exists():
            assert go(), "the taker was never switched off"

    assert "Strategy taker switched off by rule" in caplog.text
    assert desk._warm.desk.control.suspended


def test_opening_twice_changes_nothing():
    assert opening.open_accounts(START + 5) is False
    assert models.JournalEntry.objects.count() == 3
    assert sum(a.cash for a in models.Account.objects.all()) == 3 * settings.PQAP.initial_capital


def test_books_that_do_not_add_up_are_noticed():
    go()
    models.Account.objects.filter(name="base").update(cash=1)
    models.Position.objects.filter(account="optimistic").update(size=1)

    found = " / ".join(checks.faults())

    assert "account base shows cash of 1" in found
    assert "optimistic/taker shows 1 of token" in found


def test_an_override_is_told_and_so_is_a_configuration_that_changed_under_it(settings):
    changes.record(
        kind=ChangeKind.LIMIT, scope="daily_loss_limit", value="5000000", who="ann", why="calm"
    )
    changes.record(kind=ChangeKind.DISABLE, scope="taker", who="ann", why="calm")
    go()

    assert [str(each) for each in overrides.in_force()] == [
        "taker is overridden: disabled instead of enabled",
        "daily_loss_limit is overridden: $5 instead of $100",
    ]

    limits = replace(settings.PQAP.risk_limits, daily_loss_limit=80_000_000)
    settings.PQAP = replace(settings.PQAP, risk_limits=limits)
    opening.open_accounts(START)

    told = str(overrides.in_force()[1])
    assert "$5 instead of $80 (the configuration said $100 then" in told

    changes.record(kind=ChangeKind.RESET_LIMIT, scope="daily_loss_limit", who="ann", why="ok")
    go()

    assert [each.name for each in overrides.in_force()] == ["taker"]


def test_limits_are_told_in_their_own_units():
    for scope, value in (
        ("max_orders_per_minute", "30000000"),
        ("max_book_age", "7500000"),
        ("max_drawdown", "80000"),
    ):
        changes.record(kind=ChangeKind.LIMIT, scope=scope, value=value, who="ann", why="calm")
    go()

    assert [str(each) for each in overrides.in_force()] == [
        "max_book_age is overridden: 7.5 s instead of 15 s",
        "max_drawdown is overridden: 8 % instead of 10 %",
        "max_orders_per_minute is overridden: 30 instead of 120",
    ]
    assert desk._warm.desk.control.limits.max_orders_per_minute == 30_000_000


def test_the_use_of_every_limit_is_shown():
    go(TICKS)

    shown = {row.name: row.used for row in models.LimitState.objects.all()}
    base = desk._warm.desk.portfolios["base"]

    assert set(shown) == risk.LIMIT_NAMES
    at_stake = sum(p.cost for p in base.positions.values()) + base.reserved
    assert 0 < shown["max_event_loss"] <= shown["max_cluster_loss"]
    assert shown["max_cluster_loss"] <= shown["max_total_exposure"] <= at_stake
    recent = risk.recent(base.placed, ticks.ticks_after(TICKS - 1, 1)[0].at)
    assert shown["max_orders_per_minute"] == len(recent) * 1_000_000


def test_a_deposit_counts_once_whatever_the_batch(settings):
    changes.record(kind=ChangeKind.DEPOSIT, value="50000000", who="ann", why="more")

    go(10)

    capital = settings.PQAP.initial_capital + 50_000_000
    assert {row.deposits for row in models.Account.objects.all()} == {capital}
    assert checks.faults() == []


def test_a_halt_lifted_and_set_again_in_one_batch_restarts_with_its_new_reason():
    changes.record(kind=ChangeKind.HALT, scope="all", who="ann", why="first")
    go()
    changes.record(kind=ChangeKind.RESUME, scope="all", who="ann", why="back")
    changes.record(kind=ChangeKind.HALT, scope="all", who="bob", why="second")
    go()

    row = models.HaltState.objects.get()
    assert (row.reason, row.who) == ("second", "bob")
    warm = desk._warm.desk.control
    desk.forget()
    assert desk._at(stages.position("desk")).control == warm


def test_a_holding_opened_again_within_one_batch_shows_its_new_beginning():
    go(TICKS)
    portfolio = desk._warm.desk.portfolios["base"]
    key, held = next(iter(portfolio.positions.items()))
    again = {**portfolio.positions, key: replace(held, opened_at=held.opened_at + 1)}

    projections.show({"base": replace(portfolio, positions=again)}, START)

    row = models.Position.objects.get(account="base", strategy=key[0], token=key[1])
    assert row.opened_at == held.opened_at + 1
