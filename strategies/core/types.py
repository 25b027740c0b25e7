"""What we believe: signals with their exit plan, and the reasons for every silence."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Silence(StrEnum):
    """Why a strategy says nothing about a market; the order of the gates is their priority."""

    STALE = "STALE"
    INCOHERENT = "INCOHERENT"
    SPREAD = "SPREAD"
    DEPTH = "DEPTH"
    BAND = "BAND"
    EXPIRY = "EXPIRY"
    ACTIVITY = "ACTIVITY"
    JUMP = "JUMP"
    WARMUP = "WARMUP"
    FEE = "FEE"
    RULES = "RULES"
    VENUE = "VENUE"
    REGIME = "REGIME"
    NO_SIGNAL = "NO_SIGNAL"
    EDGE = "EDGE"
    NO_MODEL = "NO_MODEL"
    ERROR = "ERROR"


SILENCES: tuple[Silence, ...] = tuple(Silence)
"""Position of each reason in a dense silence column; 0 in the column means "it signalled"."""


def silence_code(reason: Silence) -> int:
    """The number of a reason in a dense silence column, from 1."""
    return SILENCES.index(reason) + 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How a holding ends: every entry has one.

    Times in ms. `max_hold_ms` is the time stop; `cooldown_ms` keeps the market shut for this
    strategy after an exit, `stop_cooldown_ms` after a stop; `max_adds` counts further entries
    while holding. A plan with `hold_to_resolution` has no time stop. Prices in micro-dollars, 0
    where there is none: sell when the bid is at or above `take_profit`, at or below `stop`, or
    `trail` below the best bid since the holding began.
    """

    max_hold_ms: int
    cooldown_ms: int = 0
    stop_cooldown_ms: int = 0
    max_adds: int = 0
    hold_to_resolution: bool = False
    take_profit: int = 0
    stop: int = 0
    trail: int = 0


@dataclass(frozen=True, slots=True)
class Bet:
    """At this tick I would hold up to `size` of `token` bought at up to `limit`.

    Prices in micro-dollars, sizes in micro-shares. `edge` is the expected gain a share after
    costs; `variance` that of the exit price, dollars squared (0 for a hold to resolution, where
    `fair` is the win probability). A Bet is a state: its absence closes nothing.
    """

    strategy: str
    version: str
    at: int
    market: str
    token: str
    outcome: str
    fair: int
    limit: int
    edge: int
    size: int
    variance: float
    plan: Plan
    leg: int = 0
    why: str = ""

    kind = "bet"


@dataclass(frozen=True, slots=True)
class Quote:
    """A standing two-sided quote on one market until replaced, withdrawn or stale.

    `fair` and `half_width` are logits, `skew_per_share` the logit shift for each share held.
    `size` is one side's, `max_inventory` the most YES less NO shares held either way (micro-shares
    both). `split` are sets of both tokens kept in stock to sell from; 0 quotes with cash. A book
    not confirmed for `max_age_ms` takes the quote out of the market.
    """

    strategy: str
    version: str
    at: int
    market: str
    fair: float
    half_width: float
    skew_per_share: float
    size: int
    max_inventory: int
    plan: Plan
    split: int = 0
    max_age_ms: int = 60_000

    kind = "quote"


@dataclass(frozen=True, slots=True)
class Basket:
    """Bets that make sense only together: all legs arrive on one tick, each fill-or-kill.

    `timeout_ticks` is how many ticks after the first may mend a leg that failed. With `convert`
    the legs are NO shares of one neg-risk event, to be converted when all are had.
    """

    strategy: str
    version: str
    at: int
    legs: tuple[Bet, ...]
    timeout_ticks: int = 1
    convert: bool = False

    kind = "basket"


Signal = Bet | Quote | Basket

HOLD, LEAVE_YES, LEAVE_NO, LEAVE_BOTH = 0, 1, 2, 3
"""Values of the dense `close` column: which holders should leave now."""
STOP = 4
"""Added to a `close` value where leaving is a stop: the plan's longer cooldown follows."""


@dataclass(frozen=True, eq=False)
class Opinion:
    """One strategy's answer to one tick: sparse signals, dense columns over the universe.

    `silence` holds `silence_code` numbers (0 where it signalled), `fair` YES fair values in
    micro-dollars (0 where it has none), `close` one of HOLD, LEAVE_YES, LEAVE_NO, LEAVE_BOTH, with
    STOP added where the rule was wrong rather than done.
    `detail` explains a silence for people, by column ("have 120 / need 240 / ready at ..."); it is
    read where a silence begins, so a rule may word it only then (`Worded`). `inputs` is the digest
    of what the rule was told beyond the panel, "" where that is nothing.
    """

    strategy: str
    version: str
    signals: tuple[Signal, ...]
    silence: NDArray[np.int8]
    fair: NDArray[np.int64]
    close: NDArray[np.int8]
    detail: Mapping[int, str] = field(default_factory=dict)
    inputs: str = ""


class Worded(Mapping[int, str]):
    """Texts by column that are put into words when they are asked for, not before.

    They tell of the panel's newest tick, so they are to be read before it moves on.
    """

    def __init__(self, columns: Collection[int], words: Callable[[int], str]) -> None:
        self._columns, self._words = columns, words

    def __getitem__(self, column: int) -> str:
        if column not in self._columns:
            raise KeyError(column)
        return self._words(column)

    def __iter__(self) -> Iterator[int]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def digest(*parts: object) -> str:
    """The id of something by its cause: sha256 of its parts, as hex."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


def quote_id(quote: Quote) -> str:
    """A standing quote's signal: sha256(strategy, market, kind, the `at` it was first stated)."""
    return digest(quote.strategy, quote.market, quote.kind, quote.at)


def bet_id(bet: Bet) -> str:
    """A signal's id: sha256(strategy, market, token, kind, tick.at, leg)."""
    return digest(bet.strategy, bet.market, bet.token, bet.kind, bet.at, bet.leg)
