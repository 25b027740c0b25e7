"""How an event's prices will behave, settled at its birth: the numbers behind the listing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from markets.core.types import Market
from markets.sources.synthetic.draws import dice
from markets.sources.synthetic.listing import DAY, HOUR, listing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MINUTE = 60_000


@dataclass(frozen=True, eq=False)
class Script:
    """One event for its whole life; the arrays have a row for each outcome.

    A binary question has two outcomes, of which only the first is a market. Rates are per ms,
    half-lives and refresh times in ms, noise is the stationary deviation in logit, `learning`
    the deviation of each log-weight in a day.
    """

    number: int
    markets: tuple[Market, ...]
    end_at: int
    challenge: int
    start: Floats
    learning: float
    news_rate: float
    call_rate: float
    half_life: Floats
    noise: Floats
    shocked: Flags
    spread: Ints
    dollars: Floats
    refresh: Floats

    @property
    def rows(self) -> int:
        """Outcomes, the hidden NO of a binary question included."""
        return len(self.start)

    @property
    def binary(self) -> bool:
        """Whether this is a single yes-or-no market."""
        return len(self.markets) == 1


@lru_cache(maxsize=1024)
def script(seed: int, number: int, slot: int, born_at: int, regular: int) -> Script:
    """The script of event `number`, born in `slot` of a world with `regular` ordinary slots."""
    markets = listing(seed, number, slot, born_at, regular)
    throw = dice(seed, 2, number)
    rows = max(2, len(markets))
    ordinary = slot < regular
    start = _start(rows, throw)
    listed = np.arange(rows) < len(markets)
    middling = (start > 0.13) & (start < 0.87)
    shocked = (throw.random(rows) < SHOCKED) & middling & listed & ordinary
    thin = markets[0].terms.tick_size == FINE_GRID
    return Script(
        number=number,
        markets=markets,
        end_at=markets[0].terms.end_at or 0,
        challenge=HOUR if throw.random() < 0.25 else 0,
        start=np.log(start),
        learning=float(throw.uniform(0.06, 0.2)),
        news_rate=float(throw.uniform(0.05, 0.25)) / DAY,
        call_rate=(0.03 if ordinary else 0.0) / DAY,
        half_life=MINUTE * np.where(shocked, throw.uniform(35, 70, rows), 3.0),
        noise=np.where(shocked, throw.uniform(*SHOCK, rows), throw.uniform(0.0, 0.006, rows)),
        shocked=shocked,
        spread=np.where(shocked, 1, throw.integers(1, 4, rows)) + thin,
        dollars=throw.lognormal(6.1, 0.5, rows),
        refresh=np.exp(throw.uniform(np.log(15_000), np.log(150_000), rows)),
    )


SHOCKED = 0.6
"""Share of the middling outcomes whose noise is slow and large: about a third of all markets."""
SHOCK = (0.11, 0.2)
FINE_GRID = 1_000


def _start(rows: int, throw: np.random.Generator) -> Floats:
    """First probabilities, none below 0.04, summing to one."""
    if rows == 2:
        first = throw.uniform(0.15, 0.85)
        return np.array([first, 1 - first])
    raw = throw.dirichlet(np.full(rows, 2.0))
    return 0.04 + raw * (1 - 0.04 * rows)


@dataclass(frozen=True, eq=False)
class Cast:
    """The scripts of all running events side by side: one array of rows for the whole world."""

    scripts: tuple[Script, ...]
    first: Ints
    last: Ints
    binary: Flags
    event: Ints
    key: Ints
    listed: Flags
    half_life: Floats
    noise: Floats
    shocked: Flags
    spread: Ints
    dollars: Floats
    refresh: Floats
    tick_size: Ints
    learning: Floats
    news_rate: Floats
    call_rate: Floats
    end_at: Ints


def cast(scripts: Sequence[Script]) -> Cast:
    """Scripts in slot order as columns.

    `first` and `last` are each event's rows, `event` a row's event, `key` a row's number among all
    rows there will ever be.
    """
    counts = np.array([each.rows for each in scripts])
    first = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)

    def rows(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(each, name) for each in scripts])

    def events(values: Sequence[float | int]) -> NDArray[np.generic]:
        return np.array(values)

    return Cast(
        scripts=tuple(scripts),
        first=first,
        last=first + counts - 1,
        binary=np.array([each.binary for each in scripts]),
        event=np.repeat(np.arange(len(scripts)), counts),
        key=np.concatenate([s.number * 16 + np.arange(s.rows) for s in scripts]),
        listed=np.concatenate([np.arange(s.rows) < len(s.markets) for s in scripts]),
        half_life=rows("half_life"),
        noise=rows("noise"),
        shocked=rows("shocked"),
        spread=rows("spread"),
        dollars=rows("dollars"),
        refresh=rows("refresh"),
        tick_size=np.repeat([s.markets[0].terms.tick_size for s in scripts], counts),
        learning=events([s.learning for s in scripts]),
        news_rate=events([s.news_rate for s in scripts]),
        call_rate=events([s.call_rate for s in scripts]),
        end_at=events([s.end_at for s in scripts]),
    )
