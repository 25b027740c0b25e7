"""What the exchange shows us, as frozen values in integer micro-units (1e-6 dollar, 1e-6 share)."""

from dataclasses import dataclass
from enum import StrEnum

ONE = 1_000_000
"""One dollar, one share, probability one."""


class Status(StrEnum):
    """Where a market stands in its life, as the exchange last said."""

    OPEN = "open"
    HALTED = "halted"
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    RESOLVED = "resolved"
    CLOSED = "closed"


class FeedState(StrEnum):
    """How far one door to the exchange can be trusted."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class DayState(StrEnum):
    """How far a day's ticks have come into the archive."""

    SEALING = "sealing"
    SEALED = "sealed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Feed:
    """One door to the exchange: its state since when, and what was asked of it in vain.

    `name` is a host, a route or "stream"; `since` is when the state began and `seen_at` when it
    was last noted (ms UTC), `paused_until` the end of a pause the exchange asked for, 0 when none.
    `requests` and `failures` (by kind) are running totals.
    """

    name: str
    state: FeedState
    reason: str
    since: int
    seen_at: int
    paused_until: int = 0
    requests: int = 0
    failures: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """A price and the shares resting at it, both in micro-units."""

    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Book:
    """One token's resting orders, both sides sorted best first.

    `observed_at` is when a read last confirmed it, `venue_at` when the exchange last changed it
    (0 when the exchange does not say); both in milliseconds UTC. `tick_size` and `min_size` are
    the price grid and the smallest order that the book itself states, 0 where it states none.
    """

    token: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    observed_at: int
    venue_at: int = 0
    hash: str = ""
    tick_size: int = 0
    min_size: int = 0


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Taker fee per share = rate * (p * (1 - p)) ** exponent; rate in micro (50_000 is 0.05)."""

    rate: int
    exponent: int = 1
    rebate_rate: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A question with one or more markets; in a neg-risk event exactly one of them resolves YES."""

    id: str
    slug: str
    title: str
    neg_risk: bool = False
    augmented: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """One outcome's share; `id` is an opaque decimal string."""

    id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of trading one market that may change while it lives.

    `end_at` is the scheduled end (ms UTC) or None; `fee` is None when the schedule is unknown,
    and then nothing trades there.
    """

    end_at: int | None
    tick_size: int
    min_size: int
    fee: FeeSchedule | None
    status: Status = Status.OPEN
    accepting_orders: bool = True
    taker_delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Market:
    """One binary question: its condition id, its two tokens (YES first) and its current terms.

    `volume_24h`, `liquidity` (micro-dollars) and `spread` (micro, None when a side is empty) are
    what the listing said: good for choosing what to track, never for trading; so is `price`, the
    YES price it showed, None where it showed none. `starts_at` is when what a recurring question
    asks about begins (ms UTC). `version` is the exchange's protocol, which decides whose ids the
    tokens are.
    """

    id: str
    slug: str
    question: str
    category: str
    event: Event
    yes: Token
    no: Token
    terms: Terms
    tags: tuple[str, ...] = ()
    created_at: int = 0
    game_start_at: int | None = None
    volume_24h: int = 0
    liquidity: int = 0
    spread: int | None = None
    price: int | None = None
    starts_at: int | None = None
    version: str = "v1"

    @property
    def tokens(self) -> tuple[Token, Token]:
        """The YES token, then the NO token."""
        return (self.yes, self.no)


@dataclass(frozen=True, slots=True)
class Print:
    """A trade the exchange reported: taker `side` is "buy" or "sell", `at` when it was made.

    `transaction` is the exchange's reference, "" where it gives none; all fields together are the
    print's identity, for the exchange numbers none.
    """

    market: str
    token: str
    side: str
    price: int
    size: int
    at: int
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the exchange says of an outcome; `payouts` (YES, NO per share) only when final.

    `proposed` is what the outcome under argument would pay, where the exchange tells.
    """

    market: str
    status: Status
    at: int
    payouts: tuple[int, int] | None = None
    proposed: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class PastBar:
    """Five minutes of a market from before it was tracked, out of the exchange's price history.

    `price` is the YES token's at the close `at` (ms UTC): good for statistics, never for fills.
    """

    market: str
    at: int
    price: int


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One point of a token's price history: good for statistics, never for fills."""

    token: str
    at: int
    price: int
