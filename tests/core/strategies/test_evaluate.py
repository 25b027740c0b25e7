"""Asking all strategies: in order, and none can stop another."""

from dataclasses import replace

import numpy as np
import pytest

from markets.core.panel import Panel
from strategies.core.evaluate import evaluate, silent
from strategies.core.types import Bet, Plan, Silence, silence_code
from strategies.library import REGISTRY
from tests import builders as b

WORLD = b.universe(b.market("m-1"), b.market("m-2"))


@pytest.fixture
def panel() -> Panel:
    made = Panel()
    made.advance(b.tick(WORLD))
    return made


class Quiet:
    version = "1"

    def __init__(self, name: str) -> None:
        self.name = name

    def evaluate(self, panel):
        return silent(self, panel, Silence.NO_SIGNAL)


class Broken(Quiet):
    def evaluate(self, panel):
        raise ZeroDivisionError("half of nothing")


class Short(Quiet):
    def evaluate(self, panel):
        return replace(super().evaluate(panel), fair=np.zeros(1, dtype=np.int64))


class Elsewhere(Quiet):
    def evaluate(self, panel):
        bet = Bet("x", "1", 0, "m-9", "yes-9", "Yes", 1, 1, 1, 1, 0.0, Plan(1))
        return replace(super().evaluate(panel), signals=(bet,))


def test_opinions_come_in_name_order(panel):
    opinions = evaluate([Quiet("b"), Quiet("c"), Quiet("a")], panel)

    assert [opinion.strategy for opinion in opinions] == ["a", "b", "c"]


def test_one_that_raises_is_silent_with_its_text_and_the_others_speak(panel):
    broken, quiet = evaluate([Broken("a"), Quiet("b")], panel)

    assert broken.silence.tolist() == [silence_code(Silence.ERROR)] * 2
    assert broken.detail == dict.fromkeys((0, 1), "ZeroDivisionError: half of nothing")
    assert broken.signals == ()
    assert broken.close.tolist() == [0, 0]
    assert quiet.silence.tolist() == [silence_code(Silence.NO_SIGNAL)] * 2


@pytest.mark.parametrize(
    ("rule", "words"), [(Short("a"), "the tick has 2 markets"), (Elsewhere("a"), "m-9")]
)
def test_an_opinion_that_does_not_fit_the_tick_is_an_error(panel, rule, words):
    (opinion,) = evaluate([rule], panel)

    assert opinion.silence.tolist() == [silence_code(Silence.ERROR)] * 2
    assert words in opinion.detail[0]


def test_the_same_panel_gives_the_same_opinions(panel):
    rules = [entry.built(entry.built.params()) for entry in REGISTRY.values() if entry.built]

    first, again = evaluate(rules, panel), evaluate(rules[::-1], panel)

    for one, other in zip(first, again, strict=True):
        assert one.signals == other.signals
        assert one.detail == other.detail
        assert one.silence.tobytes() == other.silence.tobytes()
