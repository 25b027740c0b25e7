"""Stakes that make an account's expected log wealth largest, over outcomes that exclude each other.

maximise  sum_s chance_s * log(base_s + sum_j gain_sj * n_j)   with  0 <= n_j <= most_j

Concave, so a projected Newton climb finds the one best answer; no chance is involved. Source:
Kelly 1956; the method is Bertsekas' two-metric projection (1982).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 200
HALVINGS = 60
FLAT = 1e-9
"""A slope, in units of the curve's own width, that is as good as none."""
NEAR = 1e-9
"""How close to a bound (of the stake's own width) counts as being at it."""
RIDGE = 1e-12


def maximise(chance: Floats, base: Floats, gain: Floats, most: Floats) -> Floats:
    """The best stakes n; every state's `base` must be above 0, `gain` is (states, stakes)."""
    stakes = np.zeros(gain.shape[1])
    for _ in range(ROUNDS):
        wealth = base + gain @ stakes
        slope = gain.T @ (chance / wealth)
        width = np.sqrt((gain**2).T @ (chance / wealth**2)) + RIDGE
        low, high = stakes <= NEAR / width, stakes >= most - NEAR / width
        stakes = np.where(low, 0.0, np.where(high, most, stakes))
        free = ~(low & (slope <= 0)) & ~(high & (slope >= 0))
        if not free.any() or np.abs(slope[free] / width[free]).max() < FLAT:
            break
        better = _climbed(chance, base, gain, most, stakes, free)
        if better is None:
            break
        stakes = better
    return stakes


def _climbed(
    chance: Floats,
    base: Floats,
    gain: Floats,
    most: Floats,
    stakes: Floats,
    free: NDArray[np.bool_],
) -> Floats | None:
    """A better point along Newton's direction, else along the scaled slope; None at the top."""
    wealth = base + gain @ stakes
    slope = gain.T @ (chance / wealth)
    open_ = gain[:, free]
    bent = (open_ * (chance / wealth**2)[:, None]).T @ open_
    scale = np.diag(bent) + RIDGE
    for direction in (_newton(bent, slope[free], scale), slope[free] / scale):
        step = np.zeros_like(stakes)
        step[free] = direction
        for halved in range(HALVINGS):
            move = np.clip(stakes + step * 0.5**halved, 0.0, most) - stakes
            promised = float(slope @ move)
            if promised <= 0:
                continue
            factor = 1 + (gain @ move) / wealth
            if factor.min() > 0 and float(chance @ np.log(factor)) >= 1e-4 * promised:
                return stakes + move
    return None


def _newton(bent: Floats, slope: Floats, scale: Floats) -> Floats:
    """Newton's direction; padded, for stakes that do the same thing make the matrix singular."""
    padded = bent + np.diag(scale) * 1e-9
    return np.linalg.solve(padded, slope).astype(np.float64)
