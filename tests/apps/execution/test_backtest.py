"""A backtest over recorded ticks: the session's own trades again, and not a row written."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from execution import models
from execution.core import state
from execution.core.types import ChangeKind
from execution.services import backtesting, desk
from execution.services.backtesting import Asked, Impossible
from markets import archive, stages
from markets.core.types import ONE, PricePoint
from markets.selectors import spans, ticks
from markets.services import past
from strategies.library import REGISTRY, Entry
from tests.apps.execution import world

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = (
    "id", "account", "strategy", "market", "token", "side", "price", "size", "notional", "fee",
    "liquidity", "evidence", "at", "realized_pnl",
)  # fmt: skip


@pytest.fixture(autouse=True)
def session(db, settings):
    """Forty minutes of ticks half a minute apart, not traded yet."""
    with world.trading(settings, ticks=80, spacing=30_000):
        yield


def trade_all() -> None:
    while world.go(batch=7):
        pass


def recorded() -> list[tuple]:
    return sorted(models.Trade.objects.values_list(*FIELDS))


def fills(asked: Asked, monkeypatch) -> tuple[backtesting.Done, list[tuple]]:
    found, add = [], backtesting.Tally.add

    def keep(tally, turn):
        kept = (fact for fact in turn.facts if type(fact).__name__ == "Fill")
        found.extend(tuple(getattr(fill, name) for name in FIELDS) for fill in kept)
        add(tally, turn)

    monkeypatch.setattr(backtesting.Tally, "add", keep)
    return backtesting.run(asked), sorted(found)


def test_gives_the_sessions_trades_to_the_micro_dollar(monkeypatch):
    trade_all()

    done, found = fills(Asked(), monkeypatch)

    assert len(found) > 50
    assert found == recorded()
    for row in models.Account.objects.all():
        assert done.portfolios[row.name] == state.load(row.state)


def test_a_tick_that_lapsed_lapses_again(monkeypatch):
    world.go(batch=20)
    late = [tick.id for tick in ticks.ticks_after(20, 15)]
    far = ticks.ticks_after(late[-1], 1)[0].at + 10 * 3_600_000
    desk.advance(now=datetime.fromtimestamp(far / 1000, UTC), batch=15)
    trade_all()
    assert models.Lapse.objects.get().to_tick == late[-1]

    done, found = fills(Asked(), monkeypatch)

    assert done.tally.data.lapsed == 15
    assert found == recorded()


def test_peoples_decisions_are_applied_when_asked_for(monkeypatch):
    world.go(batch=20)
    world.decide(ChangeKind.HALT, "all")
    world.go(batch=20)
    world.decide(ChangeKind.RESUME, "all")
    trade_all()

    _, found = fills(Asked(decisions=True), monkeypatch)
    assert found == recorded()

    _, without = fills(Asked(), monkeypatch)
    assert without != recorded()


def test_pnl_by_strategy_adds_up_to_the_accounts():
    done = backtesting.run(Asked(until=world.START + 10 * 60_000))

    assert all(account.positions for account in done.portfolios.values())
    for name, account in done.portfolios.items():
        sums = [result.pnl for (whose, _), result in done.tally.results.items() if whose == name]
        assert sum(sums) == account.equity - account.deposits - account.rebates
        assert sum(sums) != 0


def everything() -> dict[str, list]:
    return {m.__name__: list(m.objects.order_by("pk").values_list()) for m in apps.get_models()}


def test_writes_nothing():
    before = everything()

    backtesting.run(Asked())

    assert everything() == before
    assert stages.position("desk") == 0


def test_refuses_to_write(monkeypatch):
    monkeypatch.setattr(
        backtesting.lapses, "lapsed", lambda: models.Lapse.objects.all().delete() and frozenset()
    )

    with pytest.raises(Impossible, match="only reads"):
        backtesting.run(Asked())


def test_a_recording_gives_the_same_as_the_database(tmp_path, monkeypatch):
    _, found = fills(Asked(), monkeypatch)
    file = tmp_path / "session.parquet"
    archive.write_recording(file, spans.ticks_between(0, 1 << 62))

    _, again = fills(Asked(file=file), monkeypatch)

    assert found
    assert again == found


def test_what_lies_before_the_span_warms_the_panel_alike(tmp_path):
    """From tables, and by skipping through the ticks of a recording."""
    middle = world.START + 25 * 60_000
    file = tmp_path / "session.parquet"
    archive.write_recording(file, spans.ticks_between(0, 1 << 62))
    seen = []

    for asked in (Asked(since=middle), Asked(since=middle, file=file)):
        panel, later = backtesting._data(asked)
        panel.advance(next(iter(later)))
        shown = panel.features
        seen.append([shown.at, *(getattr(shown, name).tolist() for name in ("bars", "x", "mean"))])
        assert max(seen[-1][1]) >= 4
    assert seen[0] == seen[1]


class Remembering:
    """A source that knows nothing but the past: a price every five minutes."""

    def history(self, tokens, since, until):
        for token in tokens:
            for number, at in enumerate(range(since + 150_000, until, 300_000)):
                yield PricePoint(token, at, 400_000 + number % 7 * 10_000)


def test_past_prices_learnt_before_the_span_are_known(tmp_path):
    middle = world.START + 80 * 30_000
    past.import_past(Remembering(), middle)
    source = world.SyntheticSource(seed=1)
    for number in range(13):  # What was imported comes with the last tick of a batch.
        world.collect.collect_many(source, [middle + 30_000 * number])
    file = tmp_path / "session.parquet"
    archive.write_recording(file, spans.ticks_between(0, 1 << 62))
    seen = []

    later = middle + 345_000  # in a bar after the one that brought them
    for asked in (Asked(since=later), Asked(since=later, file=file)):
        panel, rest = backtesting._data(asked)
        panel.advance(next(iter(rest)))
        seen.append([panel.features.imported.tolist(), panel.features.bars.tolist()])
        assert max(seen[-1][0]) > 200
    assert seen[0] == seen[1]


def test_ticks_without_depth_fill_nothing_and_it_says_so(tmp_path):
    file = tmp_path / "touch.parquet"
    archive.write_recording(file, spans.ticks_between(0, 1 << 62, depth=False))

    told = told_of("--data", str(file))

    assert told["data"]["ticks_without_depth"] == 80
    assert all(
        account["trades"] == 0
        for strategy in told["strategies"].values()
        for account in strategy["accounts"].values()
    )
    assert "nothing can fill on them" in text_of("--data", str(file))


def told_of(*arguments: str) -> dict:
    return json.loads(text_of(*arguments, "--json"))


def text_of(*arguments: str) -> str:
    out = StringIO()
    call_command("backtest", *arguments, stdout=out)
    return out.getvalue()


SPAN = ("--from", "2026-01-01", "--to", "2026-01-02")


def test_tells_data_configuration_and_results(settings):
    told = told_of(*SPAN)

    assert told["data"]["ticks"] == 80
    assert told["data"]["from"].startswith("2026-01-01T00:00:0")
    assert told["data"]["longest_pause_seconds"] >= 29
    assert told["config_digest"] == settings.PQAP.digest
    assert told["seed"] == settings.PQAP.paper.seed
    taker = told["strategies"]["taker"]["accounts"]["base"]
    assert taker["trades"] > 10
    assert taker["events"] < 30
    assert taker["low"] is None
    assert "not enough data" in taker["note"]
    assert told["strategies"]["mean_reversion_v1"]["silent"]
    assert not told["strategies"]["mean_reversion_v1"]["traded"]


def test_tells_people_the_same():
    text = text_of(*SPAN)

    assert "Data: 2026-01-01T00:00:0" in text
    assert "80 ticks" in text
    assert "not enough data" in text
    assert "mean_reversion_v1 (not enabled: it speaks and does not trade)" in text


def test_only_the_strategies_named_trade():
    told = told_of(*SPAN, "--strategy", "mean_reversion_v1")

    assert list(told["strategies"]) == ["mean_reversion_v1"]
    assert told["strategies"]["mean_reversion_v1"]["traded"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--from and --to"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from must be before --to"),
        (["--from", "2020-01-01", "--to", "2020-01-02"], "no ticks in this span"),
        (["--data", "nowhere.parquet"], "nowhere.parquet cannot be read"),
        ([*SPAN, "--strategy", "nobody"], "No strategy is named 'nobody'"),
        ([*SPAN, "--strategy", "someday"], "someday is unavailable: not built yet"),
        (["--data", "x", "--decisions"], "A recording holds no decisions"),
    ],
)
def test_says_what_it_cannot_run_over(arguments, said, monkeypatch):
    monkeypatch.setitem(REGISTRY, "someday", Entry("someday", "Not yet."))

    with pytest.raises(CommandError, match=said):
        call_command("backtest", *arguments)


def test_more_money_bets_more(settings):
    small = told_of(*SPAN)["strategies"]["taker"]["accounts"]["base"]
    settings.PQAP = replace(settings.PQAP, initial_capital=100 * settings.PQAP.initial_capital)
    large = told_of(*SPAN)["strategies"]["taker"]["accounts"]["base"]

    assert settings.PQAP.initial_capital > 1000 * ONE
    assert small != large
