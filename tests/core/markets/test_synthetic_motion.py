"""How the simulated world moves: fair values are martingales, shocks revert, time is only time."""

import numpy as np
import pytest

from markets.sources.synthetic import motion, world
from markets.sources.synthetic.draws import dice, uniform
from markets.sources.synthetic.listing import DAY, HOUR
from markets.sources.synthetic.scripts import Cast, Floats
from tests import builders as b

MINUTE = 60_000


@pytest.fixture(scope="module")
def crew() -> Cast:
    return world.begin(4, 40, b.NOON).cast


def start(crew: Cast) -> Floats:
    return np.concatenate([script.start for script in crew.scripts])


def test_fair_probabilities_of_an_event_sum_to_one_through_its_life() -> None:
    state = world.begin(4, 20, b.NOON)
    for number in range(1, 300):
        state = world.advance(state, b.NOON + number * 20 * MINUTE)
        total = np.add.reduceat(np.exp(state.weight.astype(float)), state.cast.first)
        assert np.allclose(total, 1, atol=1e-5)


def test_fair_values_are_martingales_whatever_the_step(crew: Cast) -> None:
    rounds = 400
    open_events = np.zeros(len(crew.first), dtype=bool)
    for dt in (10_000, DAY, 60 * DAY):
        seed = 17
        print("seed", seed, "dt", dt)
        throw = dice(seed, dt)
        before = np.exp(start(crew))
        moves = np.array(
            [
                np.exp(motion.learn(crew, start(crew), still=open_events, dt=dt, throw=throw))
                - before
                for _ in range(rounds)
            ]
        )
        error = moves.std(axis=0) / np.sqrt(rounds)
        assert np.all(np.abs(moves.mean(axis=0)) < 4.5 * error + 1e-12)


def test_volatility_grows_with_the_square_root_of_time(crew: Cast) -> None:
    calm = np.zeros(len(crew.first), dtype=bool)
    quiet = type(crew)(
        **{name: getattr(crew, name) for name in crew.__dataclass_fields__}
        | {"news_rate": np.zeros(len(crew.first))}
    )

    def wander(dt: int, steps: int) -> float:
        throw, moves = dice(23, dt), []
        for _ in range(20):
            weight = start(quiet)
            for _ in range(steps):
                weight = motion.learn(quiet, weight, still=calm, dt=dt, throw=throw)
            moves.append(np.exp(weight) - np.exp(start(quiet)))
        return float(np.std(moves))

    assert wander(10_000, 180) == pytest.approx(wander(300_000, 6), rel=0.1)


def test_shocks_have_the_stated_deviation_and_half_life(crew: Cast) -> None:
    calm = np.zeros(len(crew.first), dtype=bool)
    throw = dice(29, 1)
    noise = np.zeros(len(crew.noise))
    path = []
    for _ in range(1_500):
        noise = motion.trade(crew, noise, still=calm, dt=5 * MINUTE, throw=throw)
        path.append(noise[crew.shocked] / crew.noise[crew.shocked])
    seen = np.array(path[100:])
    carried = (seen[7:] * seen[:-7]).mean() / (seen**2).mean()
    expected = np.mean(0.5 ** (35 * MINUTE / crew.half_life[crew.shocked]))

    assert crew.half_life[crew.shocked].min() >= 35 * MINUTE
    assert crew.half_life[crew.shocked].max() <= 70 * MINUTE
    assert seen.std() == pytest.approx(1, rel=0.05)
    assert carried == pytest.approx(expected, abs=0.05)


def test_about_a_third_of_the_markets_are_shocked_and_only_they_revert() -> None:
    planted, honest = [], []
    for seed in (1, 2, 3, 4):
        state = world.begin(seed, 20, b.NOON)
        crew = state.cast
        start_rows, path = crew.key, [state]
        for number in range(1, 500):
            state = world.advance(state, b.NOON + number * 5 * MINUTE)
            path.append(state)
        stayed = [k for k in range(len(start_rows)) if _stays(path, k)]
        x = np.array([[_logit(s.shown[_row(s, start_rows[k])]) for k in stayed] for s in path])
        ratio = _variance_ratio(x, 12)
        shocked = crew.shocked[stayed]
        planted += ratio[shocked].tolist()
        honest += ratio[~shocked & crew.listed[stayed]].tolist()
        assert 0.2 < crew.shocked.sum() / crew.listed.sum() < 0.5
    assert np.median(planted) < 0.8
    assert 0.85 < np.median(honest) < 1.1


def _row(state: world.World, key: int) -> int:
    return int(np.flatnonzero(state.cast.key == key)[0])


def _stays(path: list[world.World], row: int) -> bool:
    key = path[0].cast.key[row]
    return bool((path[-1].cast.key == key).any())


def _logit(shown: np.int32) -> float:
    p = shown / 1e6
    return float(np.log(p / (1 - p)))


def _variance_ratio(x: Floats, apart: int) -> Floats:
    one = np.diff(x, axis=0).var(axis=0)
    many = (x[apart:] - x[:-apart]).var(axis=0)
    return many / (apart * one)


def test_picks_follow_the_probabilities(crew: Cast) -> None:
    fair = np.exp(start(crew))
    throw = dice(31, 1)
    counts = np.zeros(len(fair))
    for _ in range(4_000):
        np.add.at(counts, motion.pick(crew, fair, throw), 1)

    assert np.abs(counts / 4_000 - fair).max() < 4.5 * 0.5 / np.sqrt(4_000)


def test_rumors_come_at_a_rate_not_at_a_chance_per_step(crew: Cast) -> None:
    fair, throw = np.exp(start(crew)), dice(37, 1)

    def struck(noise: Floats, dt: int) -> int:
        return int(motion.rumors(crew, fair, noise, dt=dt, throw=throw)[0].sum())

    slow = sum(struck(3 * crew.noise, HOUR // 2) for _ in range(200))
    fast = sum(struck(3 * crew.noise, HOUR // 20) for _ in range(2_000))
    print("seed 37", slow, fast)

    assert slow > 100
    assert slow == pytest.approx(fast, rel=0.25)
    assert struck(1.9 * crew.noise, DAY) == 0
    assert struck(-1.9 * crew.noise, DAY) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rumor_is_refuted_the_outsider_loses_and_the_favorite_wins(crew: Cast, sign: int) -> None:
    fair, throw = np.exp(start(crew)), dice(41, 1)
    struck = 0
    for row in np.flatnonzero(crew.shocked).tolist():
        noise = np.zeros(len(fair))
        noise[row] = sign * 3 * crew.noise[row]
        hit, truth = motion.rumors(crew, fair, noise, dt=10 * DAY, throw=throw)
        due = fair[row] < motion.OUTSIDER if sign > 0 else fair[row] > 1 - motion.OUTSIDER
        assert hit.sum() == due
        event = crew.event[row]
        if due:
            struck += 1
            assert (crew.first[event] + truth[event] == row) == (sign < 0)
    assert struck


def test_hashed_numbers_are_even_and_depend_on_every_key() -> None:
    keys = np.arange(20_000)
    found = uniform(7, 3, keys)

    assert abs(found.mean() - 0.5) < 0.02
    assert found.min() >= 0
    assert found.max() < 1
    assert len(np.unique(found)) == len(found)
    assert not np.array_equal(found, uniform(8, 3, keys))
    assert not np.array_equal(found, uniform(7, 4, keys))
    assert np.array_equal(found[5:6], uniform(7, 3, 5))
