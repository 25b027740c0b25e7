"""What a market must be to be ranked: one rule a line, each telling its figures in words.

Members have patience: each figure of theirs may be twice as bad as that of a newcomer, so that
a market near a limit does not come and go.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from markets.core import venue
from markets.core.types import ONE, Market, Status

PATIENCE = 2
"""A member stays while each of its figures is within this many times the limit."""

HOUR_MS = 3_600_000


class Reason(StrEnum):
    """Why a market is tracked, or why it is not."""

    PINNED = "pinned"
    KEPT = "kept"
    RANK = "volume_rank"
    OUTCOME = "event_outcome"
    LIVE_SPORTS = "live_sports"
    CRYPTO_SHORT = "crypto_short"
    COMBOS = "combos"
    YOUNG = "younger_than_24h"
    CLOSED = "closed"
    INACTIVE = "inactive"
    ARCHIVED = "archived"
    ARGUED = "outcome_argued"
    NOT_ACCEPTING = "not_accepting"
    FEE_UNKNOWN = "fee_unknown"
    END_UNKNOWN = "end_unknown"
    ENDED = "ended"
    NEARLY_DECIDED = "nearly_decided"
    CATEGORY = "category"
    LIQUIDITY = "liquidity"
    SPREAD = "spread"
    TOO_SOON = "ends_too_soon"
    TOO_LATE = "ends_too_late"
    VOLUME = "volume"
    OUTRANKED = "outranked"


TRACKED = frozenset({Reason.PINNED, Reason.KEPT, Reason.RANK, Reason.OUTCOME})
FOREIGN = frozenset({Reason.LIVE_SPORTS, Reason.CRYPTO_SHORT, Reason.COMBOS})
"""Kinds that stay excluded for as long as they live."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits on what may be ranked, money and prices in micro; the defaults let everything pass.

    `min_price` is the least price of the cheaper outcome; no `categories` means all of them.
    """

    categories: tuple[str, ...] = ()
    min_liquidity: int = 0
    max_spread: int = ONE
    min_hours_to_end: int = 0
    max_days_to_end: int | None = None
    min_volume_24h: int = 0
    min_price: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one market: whether it passed, and the figures in words."""

    reason: Reason
    passed: bool
    told: str


@dataclass(frozen=True, slots=True)
class Case:
    """One market under the rules at an instant; `lax` is PATIENCE for a member, else 1."""

    market: Market
    at: int
    filters: Filters
    exclude: frozenset[str]
    kinds: frozenset[str]
    lax: int

    @property
    def left_ms(self) -> int:
        """Time to the scheduled end, 0 where that is unknown (END_UNKNOWN judges it)."""
        end = self.market.terms.end_at
        return 0 if end is None else end - self.at


def case(
    market: Market, *, at: int, filters: Filters, exclude: frozenset[str], member: bool
) -> Case:
    """A market ready to be judged."""
    kinds = venue.kinds(market, at)
    return Case(market, at, filters, exclude, kinds, PATIENCE if member else 1)


def fault(judged: Case) -> Reason | None:
    """The first rule the market breaks, None when it may be ranked."""
    return next((rule.reason for rule in RULES if rule.broken(judged)), None)


def checks(judged: Case) -> Iterator[Check]:
    """Every rule with its figures, in the order in which they are asked."""
    for rule in RULES:
        yield Check(rule.reason, not rule.broken(judged), rule.told(judged))


@dataclass(frozen=True, slots=True)
class Rule:
    """When a market breaks the rule, and the sentence that says so with figures."""

    reason: Reason
    broken: Callable[[Case], bool]
    told: Callable[[Case], str]


def _kind(reason: Reason, name: str) -> Rule:
    def broken(c: Case) -> bool:
        return reason in c.kinds and reason in c.exclude

    def told(c: Case) -> str:
        if reason not in c.kinds:
            return f"It is not {name}."
        return f"It is {name}, which is {'' if reason in c.exclude else 'not '}excluded."

    return Rule(reason, broken, told)


def _status(reason: Reason, broken: Callable[[Case], bool]) -> Rule:
    def told(c: Case) -> str:
        terms = c.market.terms
        orders = "takes orders" if terms.accepting_orders else "takes no orders"
        return f"It is {terms.status} and {orders}; it must be open and take them."

    return Rule(reason, broken, told)


def _cheaper(market: Market) -> int | None:
    """The listed price of the cheaper outcome, None where the listing shows none."""
    return None if market.price is None else min(market.price, ONE - market.price)


def _nearly_decided(c: Case) -> bool:
    price = _cheaper(c.market)
    return price is not None and price * c.lax < c.filters.min_price


def _price_told(c: Case) -> str:
    price = _cheaper(c.market)
    shown = "is not listed" if price is None else f"is {dollars(price)}"
    return f"The price of its cheaper outcome {shown}{_least(dollars(c.filters.min_price), c)}"


def _wide(c: Case) -> bool:
    limit, spread = c.filters.max_spread, c.market.spread
    return limit < ONE and (spread is None or spread > limit * c.lax)


def _spread_told(c: Case) -> str:
    spread = c.market.spread
    shown = "is unknown, a side being empty" if spread is None else f"is {dollars(spread)}"
    if c.filters.max_spread >= ONE:
        return f"The spread {shown}; any is allowed."
    return f"The spread {shown}; at most {dollars(c.filters.max_spread * c.lax)} is allowed."


def _category_told(c: Case) -> str:
    wanted = ", ".join(c.filters.categories) or "any"
    return f"The category is {c.market.category}; wanted: {wanted}."


def _end_told(c: Case) -> str:
    end = c.market.terms.end_at
    if end is None:
        return "Its scheduled end is not stated; it must be known."
    day = datetime.fromtimestamp(end / 1000, UTC)
    return f"Its scheduled end is {day:%Y-%m-%d %H:%M} UTC; it must lie ahead."


def _soon_told(c: Case) -> str:
    hours = f"{c.filters.min_hours_to_end} hours"
    return f"It ends in {c.left_ms / HOUR_MS:,.1f} hours{_least(hours, c)}"


def _late(c: Case) -> bool:
    limit = c.filters.max_days_to_end
    return limit is not None and c.left_ms > limit * venue.DAY_MS * c.lax


def _late_told(c: Case) -> str:
    limit = c.filters.max_days_to_end
    allowed = "any time is allowed" if limit is None else f"at most {limit * c.lax} are allowed"
    return f"It ends in {c.left_ms / venue.DAY_MS:,.1f} days; {allowed}."


def _least(limit: str, c: Case) -> str:
    half = ", half of it for a tracked market" if c.lax > 1 else ""
    return f"; at least {limit} is wanted{half}."


def dollars(amount: int) -> str:
    """Micro-dollars as people write them: 0.05, 12,345."""
    return f"{amount / ONE:,.4f}".rstrip("0").rstrip(".")


RULES = (
    _kind(Reason.LIVE_SPORTS, "a live sports or esports market"),
    _kind(Reason.CRYPTO_SHORT, "a short crypto market"),
    _kind(Reason.COMBOS, "a combination of other markets"),
    _status(Reason.CLOSED, lambda c: c.market.terms.status in (Status.CLOSED, Status.RESOLVED)),
    _status(Reason.ARGUED, lambda c: c.market.terms.status in (Status.PROPOSED, Status.DISPUTED)),
    _status(
        Reason.NOT_ACCEPTING,
        lambda c: c.market.terms.status is not Status.OPEN or not c.market.terms.accepting_orders,
    ),
    Rule(
        Reason.FEE_UNKNOWN,
        lambda c: c.market.terms.fee is None,
        lambda c: f"Its fee schedule is {'known' if c.market.terms.fee else 'not known'}.",
    ),
    Rule(Reason.END_UNKNOWN, lambda c: c.market.terms.end_at is None, _end_told),
    Rule(Reason.ENDED, lambda c: c.left_ms <= 0, _end_told),
    Rule(Reason.NEARLY_DECIDED, _nearly_decided, _price_told),
    _kind(Reason.YOUNG, "younger than 24 hours"),
    Rule(
        Reason.CATEGORY,
        lambda c: bool(c.filters.categories) and c.market.category not in c.filters.categories,
        _category_told,
    ),
    Rule(
        Reason.LIQUIDITY,
        lambda c: c.market.liquidity * c.lax < c.filters.min_liquidity,
        lambda c: (
            f"The liquidity is {dollars(c.market.liquidity)} dollars"
            f"{_least(dollars(c.filters.min_liquidity), c)}"
        ),
    ),
    Rule(Reason.SPREAD, _wide, _spread_told),
    Rule(
        Reason.TOO_SOON,
        lambda c: c.left_ms * c.lax < c.filters.min_hours_to_end * HOUR_MS,
        _soon_told,
    ),
    Rule(Reason.TOO_LATE, _late, _late_told),
    Rule(
        Reason.VOLUME,
        lambda c: c.market.volume_24h * c.lax < c.filters.min_volume_24h,
        lambda c: (
            f"The 24-hour volume is {dollars(c.market.volume_24h)} dollars"
            f"{_least(dollars(c.filters.min_volume_24h), c)}"
        ),
    ),
)
"""The rules in order: a market's reason is the first it breaks."""
