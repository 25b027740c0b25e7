"""How good a track record is, over the API: one answer for an account or a strategy in it."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard import api, errors, query, wire
from dashboard.serializers import Count, Fault, Instant, Micro, Text, listed
from execution.core.types import AccountName
from execution.selectors import control, statistics
from markets.selectors.keyset import Page
from strategies.selectors import scores


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d{1,6})?$", "example": "1.234"})
class Ratio(serializers.Field):
    """A statistic as a decimal string with six places at most."""

    def to_representation(self, value: float) -> str:
        return wire.decimal(round(value * wire.ONE))


class Dollars(Ratio):
    """A mean of micro-units as a decimal string of units with six places at most."""

    def to_representation(self, value: float) -> str:
        return wire.decimal(round(value))


class Figure(serializers.Serializer):
    """A statistic with its 90 % interval; `note` says why one of them is missing."""

    value = Ratio(allow_null=True)
    low = Ratio(allow_null=True)
    high = Ratio(allow_null=True)
    note = Text()


class Parts(serializers.Serializer):
    """Where a result came from; `result` = gains less costs."""

    signal = Micro()
    settlement = Micro()
    spread = Micro()
    latency = Micro()
    slippage = Micro()
    fees = Micro()
    rebates = Micro()
    open = Micro()
    undivided = Micro()
    result = Micro()


class Trial(serializers.Serializer):
    since = Instant()
    suspended_at = serializers.SerializerMethodField()
    clusters = Count()
    open_clusters = Count()
    wins = Count()
    losses = Count()
    evidence = Ratio()
    disappointment = Ratio()
    shadow_clusters = Count()
    shadow = Figure()
    brier = Figure()
    market_brier = Figure()
    log_loss = Figure()
    market_log_loss = Figure()
    lead = Figure()

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_suspended_at(self, trial: Any) -> str | None:
        return wire.instant(trial.suspended_at) if trial.suspended_at else None


class Statistics(serializers.Serializer):
    sharpe = Figure()
    sharpe_corrected = Figure()
    psr = Figure()
    dsr = Figure()
    days_needed = Figure()
    event_mean = Figure()
    event_t = Figure()
    event_ratio = Figure()
    concentration = Figure()
    win_rate = Figure()
    breakeven = Figure()
    drawdown = Figure()


class Performance(serializers.Serializer):
    account = Text()
    strategy = Text()
    since = Instant(allow_null=True)
    until = Instant(allow_null=True)
    days = Count()
    deposits = Micro()
    pnl = Micro()
    realized_pnl = Micro()
    unrealized_pnl = Micro()
    fees = Micro()
    rebates = Micro()
    estimated_rebates = Micro()
    trades = Count()
    clusters = Count()
    open_clusters = Count()
    attribution = Parts()
    cuts = serializers.DictField(child=serializers.DictField(child=Parts()))
    statistics = Statistics()
    trial = Trial(allow_null=True)


class View(api.Face):
    """How good a track record is: results, their parts, statistics with their uncertainty."""

    parameters = (
        query.choice("account", "Of this account; base when absent.", AccountName),
        query.text("strategy", "Only this strategy; the whole account when absent."),
    )

    @extend_schema(
        parameters=[parameter.documented() for parameter in parameters],
        responses={200: Performance, 404: Fault, **api.FAULTS},
    )
    def get(self, request: Request) -> Response:
        asked = query.read(request.query_params, self.parameters)
        name = asked["strategy"]
        known = sorted(switch.name for switch in control.switches())
        if name and name not in known:
            allowed = ", ".join(known)
            raise errors.Bad("invalid", "strategy", f"strategy: one of {allowed} is allowed.")
        account = asked["account"] or AccountName.BASE
        found = statistics.performance(account=account, strategy=name)
        if found is None:
            raise exceptions.NotFound("The accounts are not open yet.")
        return Response(Performance(found).data)


class Estimate(serializers.Serializer):
    """A mean over signals and its standard error, events taken whole; `note` says why it lacks."""

    count = Count()
    events = Count()
    mean = Dollars(allow_null=True)
    error = Dollars(allow_null=True)
    note = Text()


class MeasureLine(serializers.Serializer):
    kind = Text()
    measure = Text()
    unknown = Count()
    value = Estimate()
    other = Estimate()
    lead = Estimate(allow_null=True)


class Scores(api.Face):
    """How good a strategy's signals were, traded or not: markouts, closing line, Brier."""

    @extend_schema(responses={200: listed(MeasureLine), 404: Fault, **api.FAULTS})
    def get(self, request: Request, name: str) -> Response:
        query.read(request.query_params, ())
        if name not in {switch.name for switch in control.switches()}:
            raise exceptions.NotFound("There is no strategy with this name.")
        lines = MeasureLine(scores.scores(name), many=True).data
        return Response(query.envelope(Page(tuple(lines)), request.build_absolute_uri(), lines))
