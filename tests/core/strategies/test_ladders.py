"""Deadline ladders: which questions imply one another, and what follows for their prices."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from markets.core.tick import Universe
from markets.core.types import ONE
from strategies.core import ladders
from tests import builders as b
from tests.core.markets import histories
from tests.core.strategies import scenes

DAY = b.DAY


class TestStems:
    @pytest.mark.parametrize(
        "question",
        [
            "Will X resign by March 31?",
            "Will X resign by March 31, 2026?",
            "Will X resign by June 30th 2026?",
            "Will X resign before July?",
            "Will X resign by end of 2026?",
            "Will X resign by the end of Q3 2026?",
            "Will X resign by 31 December 2026?",
            "Will X resign by Dec. 31?",
            "will x resign by 2027?",
        ],
    )
    def test_a_deadline_is_stripped(self, question):
        assert ladders.stem(question) == "will x resign"

    @pytest.mark.parametrize(
        "question",
        [
            "Will X resign?",
            "Will X resign in March?",
            "Will X resign on March 31?",
            "Will X not resign by March 31?",
            "Will X remain in office by March 31?",
            "Will X win by 5 points?",
            "Will X resign by March 31 or Y by June 30?",
            "Will X hold until June 30?",
        ],
    )
    def test_what_implies_nothing_has_none(self, question):
        assert ladders.stem(question) == ""

    def test_a_number_that_is_no_date_stays(self):
        high = ladders.stem("Will Bitcoin hit $120k by June 30, 2026?")

        assert high == "will bitcoin hit $120k"
        assert high != ladders.stem("Will Bitcoin hit $100k by June 30, 2026?")


def rung(number: int, text: str, days: int, event: str = "e-1"):
    market = b.market(f"m-{number}", event=event, end_at=b.NOON + days * DAY)
    return replace(market, question=f"Will X resign by {text}?")


def steps(*more) -> Universe:
    return b.universe(
        rung(2, "June 30", 90), rung(1, "March 31", 30), rung(3, "September 30", 180), *more
    )


class TestLadders:
    def test_markets_of_one_event_and_one_stem_are_sorted_by_deadline(self):
        [found] = ladders.ladders(steps())

        assert [each.column for each in found.rungs] == [1, 0, 2]
        assert all(each.yes for each in found.rungs)

    def test_another_event_or_one_deadline_twice_is_no_ladder(self):
        apart = b.universe(rung(1, "March 31", 30), rung(2, "June 30", 90, event="e-2"))
        alike = b.universe(rung(1, "March 31", 30), rung(2, "June 30", 30))

        assert ladders.ladders(apart) == ()
        assert ladders.ladders(alike) == ()

    def test_the_token_that_says_yes_is_found_by_its_name(self):
        swapped = histories.swapped(steps())
        named = b.universe(
            *(replace(m, yes=replace(m.yes, outcome="Trump")) for m in steps().markets)
        )

        assert [each.yes for each in ladders.ladders(swapped)[0].rungs] == [False] * 3
        assert ladders.ladders(named) == ()

    def test_every_pair_is_known(self):
        found = ladders.pairs(steps())

        assert sorted(zip(found.early.tolist(), found.late.tolist(), strict=True)) == [
            (0, 2), (1, 0), (1, 2),
        ]  # fmt: skip
        assert len(ladders.pairs(b.universe()).early) == 0


def shown(world: Universe, *prices: float):
    """A panel whose last bar shows these prices, by market id."""
    by_id = sorted(range(len(world)), key=lambda column: world.markets[column].id)
    x = np.zeros((80, len(world)))
    for column, price in zip(by_id, prices, strict=True):
        x[:, column] = np.log(price / (1 - price))
    return scenes.along(list(histories.ticks_along(x, world=world)))[1]


class TestBounds:
    def test_an_earlier_bid_is_a_floor_and_a_later_ask_a_ceiling(self):
        panel = shown(steps(), 0.305, 0.505, 0.405)
        floor, ceiling = ladders.bounds(panel)

        assert floor.tolist() == [300_000, 0, 500_000]
        assert ceiling.tolist() == [410_000, 410_000, ONE]

    def test_they_are_mirrored_with_the_tokens(self):
        world = steps()
        one = ladders.bounds(shown(world, 0.305, 0.505, 0.405))
        x = np.log(np.array([0.505, 0.305, 0.405]) / (1 - np.array([0.505, 0.305, 0.405])))
        ticks = list(histories.ticks_along(np.tile(x, (80, 1)), world=world))
        other = ladders.bounds(scenes.along(list(histories.mirrored(ticks)))[1])

        assert one[0].tolist() == [300_000, 0, 500_000]
        assert (ONE - other[1]).tolist() == one[0].tolist()
        assert (ONE - other[0]).tolist() == one[1].tolist()


class TestHazards:
    def test_a_constant_hazard_is_found_in_every_stretch(self):
        days = [10.0, 30.0, 90.0]
        chances = [1 - exp(-0.01 * day) for day in days]

        assert ladders.hazards(chances, days) == pytest.approx([0.01, 0.01])

    def test_a_later_deadline_that_is_less_probable_is_negative(self):
        assert ladders.hazards([0.4, 0.3], [0.0, 10.0])[0] < 0

    def test_only_what_is_over_three_times_its_neighbours_is_odd(self):
        assert list(ladders.odd_stretches([0.01, 0.01, 0.031, 0.01])) == [2]
        assert list(ladders.odd_stretches([0.01, 0.01, 0.029, 0.01])) == []
        assert list(ladders.odd_stretches([0.01, 0.05])) == []

    def test_they_are_read_from_the_panel(self):
        panel = shown(steps(), 0.1, 0.2, 0.5)
        forward = ladders.forward_hazards(panel, ladders.ladders(panel.tick.universe)[0])

        assert forward == pytest.approx([np.log(0.9 / 0.8) / 60, np.log(0.8 / 0.5) / 90], rel=0.02)
