"""Gamma, the exchange's catalogue: events with their markets, and what it says of outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator

from markets.core.types import ONE, Event, FeeSchedule, Market, Resolution, Status, Terms, Token
from markets.sources import categories, wire
from markets.sources.wire import Unreadable, Wire

FREE = FeeSchedule(0)

RESOLVED = "resolved"
DISPUTE = {"proposed": Status.PROPOSED, "settled": Status.PROPOSED, "disputed": Status.DISPUTED}


class GammaEvent(Wire):
    """An event without its markets: those are read one by one, so that a bad one costs itself."""

    id: str = Field(min_length=1)
    slug: str
    title: str
    neg_risk: bool = Field(alias="negRisk", default=False)
    augmented: bool = Field(alias="negRiskAugmented", default=False)

    @field_validator("neg_risk", "augmented", mode="before")
    @classmethod
    def _absent_is_false(cls, value: object) -> object:
        return False if value is None else value


class GammaFees(Wire):
    rate: wire.Micro = Field(ge=0, le=ONE)
    exponent: wire.Number = wire.exact(1)
    taker_only: bool = Field(alias="takerOnly", default=True)
    rebate_rate: wire.Micro = Field(alias="rebateRate", default=0, ge=0, le=ONE)


class GammaStanding(Wire):
    """What tells a tradable market from the closed ones and placeholders beside it."""

    active: bool
    closed: bool
    archived: bool | None = None


class GammaOutcome(Wire):
    """What Gamma knows of how a market ended, or will."""

    condition_id: wire.ConditionId = Field(alias="conditionId")
    closed: bool
    prices: wire.Numbers | None = Field(alias="outcomePrices", default=None)
    uma_status: str | None = Field(alias="umaResolutionStatus", default=None)
    uma_history: wire.Texts | None = Field(alias="umaResolutionStatuses", default=None)
    resolved_by: str | None = Field(alias="resolvedBy", default=None)
    automatic: bool | None = Field(alias="automaticallyResolved", default=None)
    closed_at: wire.LenientMs = Field(alias="closedTime", default=None)
    updated_at: wire.LenientMs = Field(alias="updatedAt", default=None)

    @property
    def dispute(self) -> Status | None:
        """PROPOSED or DISPUTED while an outcome is being argued, else None."""
        last = self.uma_status or (self.uma_history[-1] if self.uma_history else "")
        return DISPUTE.get(last)


class GammaMarket(GammaStanding, GammaOutcome):
    """One question with what trading it needs; anything needed and absent refuses the market."""

    slug: str
    question: str
    version: Literal["v1", "v2"] | None = None
    outcomes: wire.Texts
    token_ids: wire.TokenIds = Field(alias="clobTokenIds", default=())
    position_ids: wire.TokenIds | None = Field(alias="positionIds", default=None)
    accepting: bool = Field(alias="acceptingOrders")
    order_book: bool = Field(alias="enableOrderBook")
    tick_size: wire.Micro = Field(alias="orderPriceMinTickSize", gt=0, lt=ONE)
    min_size: wire.Micro = Field(alias="orderMinSize", ge=0)
    delay: wire.MicroDown | None = Field(alias="secondsDelay", default=None)
    fees_enabled: bool | None = Field(alias="feesEnabled", default=None)
    fee_type: str | None = Field(alias="feeType", default=None)
    fees: Any = Field(alias="feeSchedule", default=None)
    volume_24h: wire.MicroDown | None = Field(alias="volume24hr", default=None)
    liquidity: wire.LenientMicro = Field(
        validation_alias=AliasChoices("liquidityNum", "liquidity"), default=None
    )
    best_bid: wire.LenientMicro = Field(alias="bestBid", default=None)
    best_ask: wire.LenientMicro = Field(alias="bestAsk", default=None)
    created_at: wire.LenientMs = Field(alias="createdAt", default=None)
    started_at: wire.LenientMs = Field(alias="startDate", default=None)
    end_at: wire.IsoMs = Field(alias="endDate", default=None)
    starts_at: wire.LenientMs = Field(alias="eventStartTime", default=None)
    game_start_at: wire.LenientMs = Field(alias="gameStartTime", default=None)
    sport: str | None = Field(alias="sportsMarketType", default=None)

    @field_validator("tick_size")
    @classmethod
    def _divides_one(cls, value: int) -> int:
        if ONE % value:
            raise ValueError("does not divide one dollar")
        return value

    @property
    def touch(self) -> tuple[int, int] | None:
        """The YES bid and ask the listing shows, None unless both sides are."""
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None or not 0 < bid < ask < ONE:
            return None
        return bid, ask

    @property
    def price(self) -> int | None:
        """The YES price the listing shows: the middle of its touch, else the stated one."""
        if self.touch:
            return sum(self.touch) // 2
        stated = wire.micro_down(self.prices[0]) if self.prices else None
        return stated if stated is not None and 0 <= stated <= ONE else None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The asset ids of this market's protocol version, outcome 0 first."""
        return self.position_ids or () if self.version == "v2" else self.token_ids


@dataclass(frozen=True, slots=True)
class Listed:
    """A market of the catalogue; `fee_unknown` asks for its schedule elsewhere."""

    market: Market
    fee_unknown: bool


def idle(item: object) -> str:
    """Why a listed market is not for trading ("closed", "inactive", "archived"), or ""."""
    standing = wire.read(GammaStanding, item)
    if standing.closed:
        return "closed"
    if standing.archived:
        return "archived"
    return "" if standing.active else "inactive"


def event(item: object) -> tuple[Event, tuple[str, ...]]:
    """An event and its tag slugs; Unreadable when it has no identity."""
    found = wire.read(GammaEvent, item)
    tags = item.get("tags") if isinstance(item, Mapping) else None
    slugs = [wire.text(tag, "slug") for tag in tags] if isinstance(tags, list) else []
    shown = Event(found.id, found.slug, found.title, found.neg_risk, found.augmented)
    return shown, tuple(dict.fromkeys(slug for slug in slugs if slug))


def own_event(item: object) -> tuple[Event, tuple[str, ...]]:
    """The event and tags that a market read by itself carries along; Unreadable when none."""
    events = item.get("events") if isinstance(item, Mapping) else None
    if not isinstance(events, list) or not events:
        raise Unreadable("events: the market names no event")
    shown, tags = event(events[0])
    own = item.get("tags") if isinstance(item, Mapping) else None
    slugs = [wire.text(tag, "slug") for tag in own] if isinstance(own, list) else []
    return shown, tuple(dict.fromkeys((*tags, *filter(None, slugs))))


def market(item: object, event: Event, tags: tuple[str, ...]) -> Listed:
    """One market of an event with its terms; Unreadable with the field at fault."""
    found = wire.read(GammaMarket, item)
    if len(found.tokens) != 2 or len(set(found.tokens)) != 2:
        raise Unreadable(f"token ids: {len(set(found.tokens))} of the needed 2 are given")
    if len(found.outcomes) != 2:
        raise Unreadable(f"outcomes: {len(found.outcomes)} instead of 2")
    kind = categories.category(found.fee_type, tags, found.sport)
    fee = fee_of(found)
    yes, no = map(Token, found.tokens, found.outcomes)
    listed = Market(
        id=found.condition_id,
        slug=found.slug,
        question=found.question,
        category=kind,
        event=event,
        yes=yes,
        no=no,
        terms=terms(found, fee),
        tags=tags if kind in tags or kind == "other" else (*tags, kind),
        created_at=found.created_at or found.started_at or 0,
        game_start_at=found.game_start_at,
        volume_24h=max(found.volume_24h or 0, 0),
        liquidity=max(found.liquidity or 0, 0),
        spread=found.touch[1] - found.touch[0] if found.touch else None,
        price=found.price,
        starts_at=found.starts_at,
        version=found.version or "v1",
    )
    return Listed(listed, fee_unknown=fee is None)


def terms(found: GammaMarket, fee: FeeSchedule | None) -> Terms:
    """The trading rules a Gamma market states; the end is the schedule, not the resolution."""
    accepting = found.accepting and found.order_book and found.active and not found.closed
    return Terms(
        end_at=found.end_at,
        tick_size=found.tick_size,
        min_size=found.min_size,
        fee=fee,
        status=status(found, accepting=accepting),
        accepting_orders=accepting,
        taker_delay_ms=max(found.delay or 0, 0) // 1000,
    )


def status(found: GammaOutcome, *, accepting: bool) -> Status:
    """Where a market stands: an argued outcome tells more than whether orders are taken."""
    if found.closed:
        return Status.RESOLVED if payouts(found) else Status.CLOSED
    return found.dispute or (Status.OPEN if accepting else Status.HALTED)


def fee_of(found: GammaMarket) -> FeeSchedule | None:
    """No fees, else the schedule, else None: unknown. The base fees beside it are not the rate."""
    if found.fees_enabled is False:
        return FREE
    if found.fees is None:
        return None
    try:
        fees = wire.read(GammaFees, found.fees)
    except Unreadable:
        return None
    return schedule(fees.rate, fees.exponent, fees.taker_only, fees.rebate_rate)


def schedule(rate: int, exponent: object, taker_only: bool, rebate: int = 0) -> FeeSchedule | None:
    """A fee schedule we can compute exactly, or None for one we would only be guessing at."""
    power = wire.exact(exponent)
    if not taker_only or power != int(power) or not 0 <= power <= 4:
        return None
    return FeeSchedule(rate, int(power), rebate)


def payouts(found: GammaOutcome) -> tuple[int, int] | None:
    """The payout per share Gamma states for a closed market, or None when it proves nothing.

    Closed markets also show frozen prices (0.485/0.515) and untouched 0.5/0.5: a winner needs
    0 and 1 with a sign of resolution, a split needs an explicit one, for an address of a future
    resolver stands on open markets too.
    """
    if not found.closed or found.prices is None or len(found.prices) != 2:
        return None
    pair = (wire.micro_down(found.prices[0]), wire.micro_down(found.prices[1]))
    explicit = found.uma_status == RESOLVED or bool(found.automatic)
    if pair in ((ONE, 0), (0, ONE)):
        return pair if explicit or found.resolved_by else None
    return pair if pair == (ONE // 2, ONE // 2) and explicit else None


def resolution(item: object, at: int) -> Resolution:
    """What Gamma says of one market's outcome, OPEN included.

    The exchange's own time is used, `at` (ms UTC) where it gives none.
    """
    found = wire.read(GammaOutcome, item)
    when = found.closed_at if found.closed else found.updated_at
    return Resolution(found.condition_id, status(found, accepting=True), when or at, payouts(found))
