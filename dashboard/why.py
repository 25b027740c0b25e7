"""Why there was a trade or none, over the API: one answer for a market at an instant."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard import api, errors, query
from dashboard.reads import clock
from dashboard.reads import why as reading
from dashboard.serializers import (
    Count,
    Fault,
    Instant,
    OrderLine,
    SignalLine,
    SilenceLine,
    Text,
    TradeLine,
)
from execution.selectors import control
from markets.selectors.naming import Unclear


class RefusalLine(serializers.Serializer):
    """`limit` and `value` in the limit's unit: dollars, shares, a fraction, words."""

    account = Text()
    code = Text()
    limit = Text()
    value = Text()
    at = Instant()


class SignalWhy(serializers.Serializer):
    signal = SignalLine()
    refusals = RefusalLine(many=True, source="fate.refusals")
    orders = OrderLine(many=True, source="fate.orders")
    trades = TradeLine(many=True, source="fate.trades")


class StrategyWhy(serializers.Serializer):
    """`switch` and `halted` are as of now; the rest as of the tick asked for."""

    name = Text()
    state = serializers.ChoiceField((reading.SILENT, reading.SIGNALLED, reading.UNSEEN))
    switch = Text()
    switch_reason = Text()
    halted = Text()
    halt_reason = Text()
    evaluated_at = Instant(allow_null=True)
    error = Text()
    inputs = Text()
    silence = SilenceLine(allow_null=True)
    signals = SignalWhy(many=True)


class Why(serializers.Serializer):
    market = Text()
    slug = Text()
    question = Text()
    market_state = Text()
    tick = Count()
    at = Instant()
    strategies = StrategyWhy(many=True)


class View(api.Face):
    """Why there was a trade, or none: each strategy's state in a market at an instant."""

    parameters = (
        query.text("market", "Id, slug, address, or words that only its question has."),
        query.instant("at", "As of the newest tick by then; now when absent."),
        api.STRATEGY,
    )

    @extend_schema(
        parameters=[parameter.documented() for parameter in parameters],
        responses={200: Why, 404: Fault, **api.FAULTS},
    )
    def get(self, request: Request) -> Response:
        asked = query.read(request.query_params, self.parameters)
        return Response(answer(**_checked(asked)))


def answer(text: str, at: int | None, strategy: str) -> dict[str, Any]:
    """The answer in the API's keys; raises what `reads.why` raises, as faults of the API."""
    try:
        found = reading.why(text, at=clock.now() if at is None else at, strategy=strategy)
    except Unclear as fault:
        raise exceptions.NotFound(told(fault)) from fault
    except reading.NothingKnown as fault:
        raise exceptions.NotFound(str(fault)) from fault
    return Why(found).data


def told(fault: Unclear) -> str:
    """What is unclear, and which markets may be meant."""
    near = "; ".join(f"{one.question} ({one.slug})" for one in fault.candidates)
    return f"{fault} Perhaps: {near}." if near else str(fault)


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    if not asked["market"].strip():
        raise errors.Bad("invalid", "market", "market: an id, a slug, an address or words.")
    names = sorted(switch.name for switch in control.switches())
    if asked["strategy"] and asked["strategy"] not in names:
        allowed = ", ".join(names)
        raise errors.Bad("invalid", "strategy", f"strategy: one of {allowed} is allowed.")
    return {"text": asked["market"], "at": asked["at"], "strategy": asked["strategy"]}
