"""The keys and types of every answer of the API; clients may rely on them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from dashboard import wire

Text = serializers.CharField
Flag = serializers.BooleanField
Count = serializers.IntegerField


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d{1,6})?$", "example": "0.415"})
class Micro(serializers.Field):
    """An integer of micro-units as a decimal string."""

    def to_representation(self, value: int) -> str:
        return wire.decimal(value)

    def to_internal_value(self, data: Any) -> int:
        try:
            return wire.micro(str(data) if isinstance(data, int | str) else "")
        except ValueError as fault:
            raise serializers.ValidationError(str(fault), code="invalid") from fault


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field):
    """Milliseconds UTC as ISO 8601 text."""

    def to_representation(self, value: int) -> str:
        return wire.instant(value)


class Fault(serializers.Serializer):
    code = Text()
    field = Text(allow_null=True)
    message = Text()


class Health(serializers.Serializer):
    status = serializers.ChoiceField(("ok", "degraded", "error"))
    uptime_seconds = Count()
    active_strategies = Count()
    markets_tracked = Count()
    reasons = serializers.ListField(child=Text())
    messages = serializers.ListField(child=Text())
    environment = Text()
    last_tick_at = Instant(allow_null=True)


class Capital(serializers.Serializer):
    account = Text()
    initial = Micro()
    cash = Micro()
    reserved = Micro()
    equity = Micro()
    pnl = Micro()
    pnl_percent = Micro()
    realized_pnl = Micro()
    unrealized_pnl = Micro()
    fees = Micro()
    drawdown = Micro()
    high_water = Micro()
    stopped = Text()
    locked = Micro()
    owed = Micro()


class StrategyFigures(serializers.Serializer):
    name = Text()
    state = Text()
    reason = Text()
    signals = Count()
    trades = Count()
    pnl = Micro()


class Collection(serializers.Serializer):
    markets = Count()
    ticks = Count()
    snapshots = Count()
    anomalies = Count()
    last_tick_at = Instant(allow_null=True)
    coverage = Micro(allow_null=True)


class LimitUse(serializers.Serializer):
    used = Micro()
    limit = Micro()
    source = serializers.ChoiceField(("configuration", "override"))
    configured = Micro()
    unit = serializers.ChoiceField(("dollars", "fraction", "count", "seconds"))


class Halted(serializers.Serializer):
    scope = Text()
    reason = Text()
    who = Text()
    at = Instant()


class Override(serializers.Serializer):
    """A person's value against the configuration's, as text with its unit."""

    name = Text()
    value = Text()
    configured = Text()
    was_configured = Text()
    outdated = Flag()


class Risk(serializers.Serializer):
    limits = serializers.DictField(child=LimitUse())
    halted = Flag()
    halt_reason = Text()
    halts = Halted(many=True)
    overrides = Override(many=True)


class StageLine(serializers.Serializer):
    name = Text()
    state = Text()
    position = Count()
    behind = Count()
    moved_at = Instant(allow_null=True)


class RecentError(serializers.Serializer):
    at = Instant()
    source = Text()
    count = Count()
    text = Text()


class Status(serializers.Serializer):
    environment = Text()
    mode = Text()
    started_at = Instant()
    version = Text()
    capital = Capital()
    strategies = StrategyFigures(many=True)
    collection = Collection()
    risk = Risk()
    errors = Count()
    recent_errors = RecentError(many=True)
    accounts = Capital(many=True)
    stages = StageLine(many=True)
    health = Text()
    source = Text()
    config_digest = Text()
    trades = Count()
    positions = Count()


class Counters(serializers.Serializer):
    signals = Count()
    trades = Count()
    pnl = Micro()
    realized_pnl = Micro()
    unrealized_pnl = Micro()
    seen = Count()
    signalled = Count()
    silent = serializers.DictField(child=Count())


class StrategyLine(serializers.Serializer):
    name = Text()
    enabled = Flag()
    state = Text()
    reason = Text()
    mode = Text()
    description = Text()
    parameters = serializers.DictField()
    counters = Counters()
    configured = Flag()
    override = Flag(allow_null=True)


class OutcomeQuote(serializers.Serializer):
    token_id = Text()
    outcome = Text()
    bid = Micro(allow_null=True)
    ask = Micro(allow_null=True)
    bid_size = Micro(allow_null=True)
    ask_size = Micro(allow_null=True)
    at = Instant(allow_null=True)


class MarketLine(serializers.Serializer):
    id = Text()
    slug = Text()
    question = Text()
    category = Text()
    event = Text()
    end_date = Instant(source="end_at", allow_null=True)
    tracked = Flag()
    state = Text()
    outcomes = OutcomeQuote(many=True)
    spread = Micro(allow_null=True)
    tick_size = Micro(allow_null=True)
    min_size = Micro(allow_null=True)
    fee_rate = Micro(allow_null=True)
    neg_risk = Flag()
    volume_24h = Micro()
    coverage = Micro(allow_null=True)
    anomalies = Count()
    event_id = Text()
    last_change = Instant(allow_null=True)
    last_confirmed = Instant(allow_null=True)
    freshness = Text(allow_null=True)


class HistoryPoint(serializers.Serializer):
    at = Instant()
    yes_bid = Micro(allow_null=True)
    yes_ask = Micro(allow_null=True)
    no_bid = Micro(allow_null=True)
    no_ask = Micro(allow_null=True)
    source = serializers.ChoiceField(("hot", "archive"))


class SignalLine(serializers.Serializer):
    id = Text()
    at = Instant()
    kind = Text()
    strategy = Text()
    market = Text()
    token_id = Text()
    outcome = Text()
    side = Text()
    fair = Micro()
    price = Micro()
    ask = Micro(allow_null=True)
    edge = Micro()
    size = Micro()
    plan = serializers.DictField()
    disposition = Text()
    reason = Text()
    question = Text()
    why = Text()
    open = Flag()


class SilenceLine(serializers.Serializer):
    id = Count()
    strategy = Text()
    market = Text()
    question = Text()
    reason = Text()
    meaning = Text()
    detail = Text()
    from_at = Instant()
    to_at = Instant(allow_null=True)


class OrderLine(serializers.Serializer):
    id = Text()
    account = Text()
    strategy = Text()
    market = Text()
    token_id = Text()
    outcome = Text()
    side = Text()
    type = Text()
    price = Micro()
    size = Micro()
    filled = Micro()
    state = Text()
    placed_at = Instant()
    reason = Text()
    question = Text()
    purpose = Text()
    signal = Text()


class TradeLine(serializers.Serializer):
    id = Text()
    account = Text()
    order = Text()
    strategy = Text()
    market = Text()
    question = Text()
    token_id = Text()
    outcome = Text()
    side = Text()
    price = Micro()
    size = Micro()
    notional = Micro()
    fee = Micro()
    liquidity = Text()
    evidence = Text()
    book_at = Instant()
    at = Instant()
    realized_pnl = Micro()


class Holding(serializers.Serializer):
    account = Text()
    strategy = Text()
    market = Text()
    question = Text()
    token_id = Text()
    outcome = Text()
    size = Micro()
    average_price = Micro()
    cost = Micro()
    mark = Micro()
    value = Micro()
    unrealized_pnl = Micro()
    end_date = Instant(allow_null=True)
    opened_at = Instant()
    state = Text()
    payout = Micro(allow_null=True)
    redeem_at = Instant(allow_null=True)


class EquityPoint(serializers.Serializer):
    account = Text()
    at = Instant()
    cash = Micro()
    equity = Micro()
    drawdown = Micro()


class Reason(serializers.Serializer):
    """Why a person acts; stored with who and when."""

    reason = Text(max_length=500)


class ResumeOrder(Reason):
    scope = Text(required=False, default="all", max_length=200)


class HaltOrder(ResumeOrder):
    flatten = Flag(required=False, default=False, help_text="Also sell what is held there.")


class CloseOrder(Reason):
    scope = Text(max_length=200, help_text="all, strategy:<name>, market:<id> or token:<id>")


class CancelOrder(Reason):
    scope = Text(max_length=200, help_text="all, strategy:<name>, market:<id> or order:<id>")


class MoneyOrder(Reason):
    amount = Micro(help_text="Dollars, in each of the three accounts.")


class AccountOrder(Reason):
    capital = Micro(required=False, help_text="Dollars; as configured where it is left out.")


class LimitOrder(Reason):
    value = Micro(
        help_text="In the limit's unit: dollars, a fraction (0.1 is 10 %), a count, seconds."
    )


class Accepted(serializers.Serializer):
    """A decision that was stored; the next tick applies it."""

    kind = Text()
    scope = Text()
    value = Text()
    who = Text()
    why = Text()


def listed(line: type[serializers.Serializer]) -> serializers.Serializer:
    """The envelope of a list of `line`."""
    return inline_serializer(
        f"{line.__name__}Page",
        {
            "next": Text(allow_null=True),
            "previous": Text(allow_null=True),
            "results": line(many=True),
        },
    )
