"""What rules learn from rows: planted slopes and hours are found, and only what is new is kept."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from markets import models as markets
from markets.core.types import ONE
from markets.selectors import hourly, looks
from strategies.core import calibration, learnt, seasons
from strategies.core.forecasts import parse
from strategies.library import REGISTRY
from strategies.models import Learnt
from strategies.selectors import learnt as selectors
from strategies.services import learning
from tests.apps.strategies.past import DAY, HOUR, bars, market, resolve
from tests.builders import NOON

pytestmark = pytest.mark.django_db

END = NOON // DAY * DAY
HEADER = "market,probability,error,at,until\n"
CLAIM = HEADER + "will-x,0.62,0.04,2026-01-05T12:00:00Z,2026-01-19T12:00:00Z\n"


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Seasons of 18 days, so that no test reads months."""
    monkeypatch.setattr(learning, "SEASON_DAYS", 18)


def seen() -> list[tuple[float, int]]:
    """(days, price) of every look, in the buckets of the calibration."""
    found = looks.looks(until=END + DAY, days=learning.LOOKED_AT, bounds=calibration.DAYS)
    return [(round(each.days, 3), each.price) for each in found]


def logit(price: int) -> float:
    return log(price) - log(ONE - price)


def fit(now: int = END + DAY) -> dict[str, str]:
    return dict(learning.fit(now))


class TestLooks:
    def test_a_market_is_looked_at_once_in_each_stretch_of_days_to_its_end(self):
        row = market("m", ends={END - 200 * DAY: END})
        bars(row, [(END - n * HOUR, 100_000 + n * 100) for n in range(1, 80 * 24)])
        resolve(row, END, yes=ONE)

        assert seen() == [
            (0.5, 101_200), (3.0, 107_200), (15.0, 136_000), (60.0, 244_000),
        ]  # fmt: skip

    def test_where_the_wanted_bar_is_missing_the_next_counts_else_the_last_before(self):
        row = market("m", ends={0: END})
        bars(row, [(END - 20 * DAY, 1), (END - 6 * DAY, 2), (END - 2 * DAY, 3), (END - DAY, 4)])
        resolve(row, END, yes=0)

        assert seen() == [(2.0, 3), (20.0, 1)]

    def test_nothing_is_seen_of_the_outcome_nor_after_it(self):
        row = market("m", ends={0: END})
        bars(row, [(END - 4 * DAY, 1), (END - 3 * DAY, 2), (END - HOUR, 3), (END, 4)])
        resolve(row, END - 3 * DAY, yes=ONE)

        assert seen() == [(4.0, 1)]

    def test_days_are_counted_to_the_end_that_was_known_then(self):
        row = market("m", ends={0: END, END - 10 * DAY: END - 8 * DAY})
        bars(row, [(END - 12 * DAY, 1), (END - 9 * DAY, 2)])
        resolve(row, END - 8 * DAY, yes=ONE)

        assert sorted(seen()) == [(1.0, 2), (12.0, 1)]

    def test_only_resolved_markets_with_a_known_end_and_an_undecided_price_count(self):
        for name, end, price, yes in (("a", None, 5, ONE), ("b", END, 0, 0), ("c", END, 5, None)):
            row = market(name, ends={0: end})
            bars(row, [(END - 3 * DAY, price)])
            if yes is not None:
                resolve(row, END, yes=yes)

        assert seen() == []

    def test_an_outcome_said_later_than_the_instant_is_not_known(self):
        row = market("m", ends={0: END})
        bars(row, [(END - 3 * DAY, 5)])
        resolve(row, END + 2 * DAY, yes=ONE)

        assert seen() == []


class TestCalibration:
    def plant(self, slope: float, count: int = 1_500) -> None:
        """Resolved markets whose prices are wrong by a known slope, ten days before their end."""
        rng = np.random.default_rng(5)
        prices = rng.integers(100_000, 900_000, count).tolist()
        event = markets.Event
        event.objects.bulk_create(event(event_id=f"e-{n}") for n in range(count))
        rows = markets.Market.objects.bulk_create(
            markets.Market(condition_id=f"m-{n}", category="politics", event=each)
            for n, each in enumerate(event.objects.order_by("pk"))
        )
        markets.Terms.objects.bulk_create(
            markets.Terms(market=row, effective_at=0, end_at=END, tick_size=1, min_size=1,
                          status="open", accepting_orders=True)
            for row in rows
        )  # fmt: skip
        markets.Bar.objects.bulk_create(
            markets.Bar(at=END - 10 * DAY, market=row, bid=0, ask=0, micro=price, changes=1,
                        count=1)
            for row, price in zip(rows, prices, strict=True)
        )  # fmt: skip
        came = [rng.random() < 1 / (1 + exp(-slope * logit(price))) for price in prices]
        markets.Resolution.objects.bulk_create(
            markets.Resolution(market=row, tick_id=0, status="resolved", at=END + n % 7,
                               yes_payout=ONE * yes, no_payout=ONE * (not yes))
            for n, (row, yes) in enumerate(zip(rows, came, strict=True))
        )  # fmt: skip

    @pytest.mark.parametrize("slope", [0.7, 1.4])
    def test_a_planted_slope_is_found(self, slope):
        self.plant(slope)

        digest = fit()["calibration"]

        [cell] = selectors.inputs({"calibration": digest})["calibration"].cells
        assert (cell.category, cell.bucket, cell.events) == ("politics", 2, 1_500)
        assert cell.beta == pytest.approx(slope, abs=0.2)
        assert cell.alpha == pytest.approx(0, abs=0.15)

    def test_what_did_not_change_is_stored_once(self):
        row = market("m", ends={0: END})
        bars(row, [(END - 3 * DAY, 400_000)])
        resolve(row, END, yes=ONE)

        first, second = fit(), fit(END + DAY + HOUR)

        assert first == second
        stored = Learnt.objects.get(name="calibration")
        assert stored.fitted_at == END + DAY
        assert stored.sources == {"looks": 1, "events": 1}


class TestSeasons:
    def plant(self) -> list[tuple[str, str, int, float]]:
        """Three markets of two events and one of another category; every hourly return of them."""
        rng, found = np.random.default_rng(6), []
        for name, event, category in (
            ("a", "one", "politics"), ("b", "one", "politics"), ("c", "two", "politics"),
            ("d", "one", "sports"),
        ):  # fmt: skip
            row = market(name, event=event, category=category, ends={0: None})
            prices = rng.integers(300_000, 700_000, 400).tolist()
            times = [END - n * HOUR for n in range(400, 0, -1)]
            bars(row, zip(times, prices, strict=True))
            bars(row, [(END - 90 * 60_000, 999_999), (END, 500_000)])
            prices.append(500_000)
            times.append(END)
            for n in range(400):
                move = logit(prices[n + 1]) - logit(prices[n])
                found.append((event, category, times[n], move))
        return found

    def test_they_are_those_of_every_single_return(self):
        event, category, at, move = zip(*self.plant(), strict=True)
        whole = seasons.fit(
            np.array(move), np.array(at), event=event, category=category, fitted_at=END
        )

        digest = fit(END + 5 * HOUR)["seasons"]

        found = selectors.inputs({"seasons": digest})["seasons"]
        assert found.fitted_at == END
        assert len(found.cells) == len(whole.cells) > 300
        for mine, theirs in zip(found.cells, whole.cells, strict=True):
            assert (mine.category, mine.hour, mine.events, mine.weeks, mine.days) == (
                theirs.category, theirs.hour, theirs.events, theirs.weeks, theirs.days,
            )  # fmt: skip
            assert mine.mean == pytest.approx(theirs.mean, abs=1e-9)
            assert mine.p == pytest.approx(theirs.p, abs=1e-9)

    def test_hours_without_a_price_at_both_ends_are_left_out(self):
        row = market("a", ends={0: None})
        bars(row, [(END - 5 * HOUR, 500_000), (END - 4 * HOUR, 600_000), (END - 2 * HOUR, 0),
                   (END - HOUR, 300_000), (END, 400_000), (END + HOUR, 500_000)])  # fmt: skip

        found = list(hourly.moves(since=END - 9 * HOUR, until=END))

        assert [each.at for each in found] == [END - 5 * HOUR, END - HOUR]
        assert found[0].move == pytest.approx(logit(600_000))

    def test_those_of_a_day_are_fitted_once_a_day(self, monkeypatch):
        self.plant()
        first = fit(END + HOUR)
        with monkeypatch.context() as once:
            once.setattr(hourly, "moves", lambda **_: pytest.fail("read again"))
            assert fit(END + 7 * HOUR)["seasons"] == first["seasons"]

        assert fit(END + DAY)["seasons"] != first["seasons"]


class TestForecasts:
    @pytest.fixture
    def path(self, tmp_path, settings):
        found = tmp_path / "mine.csv"
        settings.PQAP = replace(settings.PQAP, forecasts=found)
        return found

    def test_the_configured_file_is_learnt(self, path):
        path.write_text(CLAIM)

        digest = fit()["forecasts"]

        assert selectors.inputs({"forecasts": digest}) == {"forecasts": parse(CLAIM)}

    @pytest.mark.parametrize("content", [None, HEADER + "will-x,2,0.04,now,then\n", b"\xff\xfe"])
    def test_one_that_cannot_be_read_is_a_warning_and_nothing_else(self, path, caplog, content):
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

        assert "forecasts" not in fit()
        assert "the last good ones stay" in caplog.text

    def test_none_configured_is_none_known(self):
        assert fit() == {"forecasts": ""}
        assert not Learnt.objects.exists()


class TestReading:
    def test_what_cannot_be_read_is_told_and_left_out(self, caplog):
        Learnt.objects.create(name="seasons", digest="a" * 64, fitted_at=1, body="{")

        assert selectors.inputs({"seasons": "a" * 64, "calibration": "b" * 64}) == {}
        assert "Rules go without seasons aaaa" in caplog.text
        assert "Rules go without calibration bbbb" in caplog.text

    def test_the_newest_by_an_instant_counts(self):
        for name, digest, at in (("seasons", "a", 1), ("seasons", "b", 5), ("forecasts", "c", 3)):
            Learnt.objects.create(name=name, digest=digest, fitted_at=at, body="")

        assert selectors.known_by(0) == {}
        assert selectors.known_by(4) == {"seasons": "a", "forecasts": "c"}
        assert selectors.known_by(5) == {"seasons": "b", "forecasts": "c"}

    def test_every_kind_is_asked_for_by_a_rule(self):
        asked = {name for entry in REGISTRY.values() for name in entry.built.learns}
        assert set(learnt.KINDS) == asked - {"outcomes", "forecaster"}
