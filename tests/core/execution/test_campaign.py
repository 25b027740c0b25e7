"""Long random lives of an account: conserved, never better than displayed, the same in a mirror."""

import random
from dataclasses import replace

import pytest

from execution.core import state
from execution.core.types import AccountName, Disposed, Fill, Order
from tests.core.execution.campaign import Life, scene

NAMES = tuple(str(n) for n in range(9))


def seeded() -> random.Random:
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    return random.Random(seed)


def live(luck: random.Random, least: int, model: AccountName) -> Life:
    """A life of at least so many fills; now and then it is written down and read again."""
    life = Life(NAMES, model=model)
    number = 0
    while life.fills < least:
        number += 1
        life.live(scene(luck, NAMES, number))
        if number % 50 == 0:
            again = state.load(state.dump(life.held))
            assert again == life.held
            life.held = again
    print(f"{model}: {life.fills} fills, {life.makers} of them maker, in {number} ticks")
    return life


@pytest.mark.parametrize("model", list(AccountName))
def test_thousands_of_fills_conserve_and_stay_within_what_was_displayed(model):
    life = live(seeded(), 4_000, model)

    assert life.makers > 100


@pytest.mark.slow
def test_a_million_fills_conserve_and_stay_within_what_was_displayed():
    luck = seeded()
    done = [live(luck, 340_000, model) for model in AccountName]

    assert sum(life.fills for life in done) >= 1_000_000


def told(facts) -> list:
    """What happened, without what names the place of a token in its market."""
    return [
        replace(f, index=0, plan=None) if isinstance(f, Order) else f
        for f in facts
        if isinstance(f, Fill | Order | Disposed)
    ]


@pytest.mark.parametrize("model", list(AccountName))
def test_with_yes_and_no_swapped_the_same_happens(model):
    luck = seeded()
    life, mirrored = Life(NAMES, model=model), Life(NAMES, mirrored=True, model=model)
    for number in range(1, 120):
        drawn = scene(luck, NAMES, number)
        drawn.quotes = []  # logits round differently in a mirror, by a float's last bit
        drawn.baskets = []  # only NO shares convert: a mirrored basket is another one

        assert told(mirrored.live(drawn)) == told(life.live(drawn))
    assert life.held.cash == mirrored.held.cash
    assert life.fills > 150


def test_the_same_chance_twice_is_the_same_life():
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    lives = []
    for _ in range(2):
        luck, life = random.Random(seed), Life(NAMES)
        facts = [life.live(scene(luck, NAMES, number)) for number in range(1, 60)]
        lives.append((facts, state.dump(life.held)))

    assert lives[0] == lives[1]
