"""Knowledge on its way through JSON: what comes back is what was fitted, to the last bit."""

import numpy as np
import pytest

from markets.core.types import ONE
from strategies.core import calibration, learnt, seasons
from strategies.core.calibration import Calibration, Cell
from strategies.core.forecasts import Claim, Forecasts
from strategies.core.seasons import Seasons

HOUR = 3_600_000
MONDAY = 1_767_571_200_000


def calibrated() -> Calibration:
    rng = np.random.default_rng(7)
    price = rng.integers(1, ONE, 300)
    paid = (rng.random(300) < price / ONE).astype(np.float64)
    return calibration.fit(
        price,
        paid,
        rng.uniform(0, 100, 300),
        event=[f"e-{n // 2}" for n in range(300)],
        category=["politics", "sports", ""] * 100,
        fitted_at=MONDAY,
    )


def seasoned() -> Seasons:
    rng = np.random.default_rng(8)
    n = 500
    at = MONDAY + HOUR * np.arange(n, dtype=np.int64)
    names = [f"e-{i % 3}" for i in range(n)]
    move = rng.normal(0, 0.1, n)
    return seasons.fit(move, at, event=names, category=["politics"] * n, fitted_at=MONDAY)


def claimed() -> Forecasts:
    return Forecasts((Claim("will-x", 620_000, 40_000, MONDAY, MONDAY + HOUR),))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("calibration", calibrated()),
        ("calibration", Calibration()),
        ("seasons", seasoned()),
        ("forecasts", claimed()),
        ("forecasts", Forecasts()),
    ],
)
def test_what_comes_back_is_what_was_written(name, known):
    found = learnt.load(name, learnt.dump(known))

    assert found == known
    assert found.digest == known.digest


def test_a_zero_keeps_its_sign():
    cell = Cell("politics", 2, -0.0, 1.0)

    found = learnt.load("calibration", learnt.dump(Calibration((cell,), 1)))

    assert found.digest == Calibration((cell,), 1).digest


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("weather", "{}", "calibration, seasons, forecasts; found 'weather'"),
        ("calibration", "{}", "KeyError"),
        ("calibration", "half a bo", "calibration: "),
        ("calibration", '{"columns": ["category"], "cells": [["x"]]}', "calibration: .*bucket"),
        ("seasons", '{"columns": ["hour"], "cells": [[1, 2]]}', "seasons: "),
        ("forecasts", '{"columns": [], "claims": [], "mood": 1}', "mood"),
        ("forecasts", "[]", "forecasts: "),
    ],
)
def test_a_body_that_is_no_knowledge_of_its_kind_is_refused(name, body, told):
    with pytest.raises(learnt.Unreadable, match=told):
        learnt.load(name, body)
