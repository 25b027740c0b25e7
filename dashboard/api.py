"""The REST API: each view asks one reader and says its answer in the keys of `serializers`."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import authentication, exceptions, permissions, renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dashboard import access, errors, query, reads, serializers
from dashboard.reads import clock, state
from execution.core.decisions import FLATTEN
from execution.core.types import AccountName, ChangeKind, Disposition, HoldingState, OrderState
from execution.selectors import accounts, control, orders
from execution.services import changes
from markets.selectors import catalogue, history
from markets.selectors.keyset import Page
from strategies.core.types import Silence
from strategies.selectors import journal as opinions

ACCOUNT = query.choice("account", "Only this account.", AccountName)
STRATEGY = query.text("strategy", "Only this strategy.")
MARKET = query.text("market", "Only this market (condition id).")
HELD = query.choice("state", "Only holdings in this state.", HoldingState)
FROM = query.instant("from", "Not before this time.")
TO = query.instant("to", "Before this time.")
EVERY = query.number(
    "every", "Seconds; only the last point of each interval.", low=0, high=86_400, default=0
)
HISTORY_LIMIT, DAY_MS = 1000, 86_400_000
FAULTS = {400: serializers.Fault, 401: serializers.Fault, 403: serializers.Fault}


class Face(APIView):
    """What every endpoint shares: who is asked for, the shape of faults, JSON only."""

    authentication_classes = [
        authentication.TokenAuthentication,
        authentication.SessionAuthentication,
    ]
    permission_classes = [access.Reader]
    renderer_classes = [renderers.JSONRenderer]
    schema = AutoSchema()

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return errors.respond


class Health(Face):
    """Whether the desk is alive; 503 when it is not."""

    authentication_classes: list[Any] = []
    permission_classes = [permissions.AllowAny]

    @extend_schema(responses={200: serializers.Health, 503: serializers.Health}, auth=[])
    def get(self, request: Request) -> Response:
        found = state.read_health(clock.now())
        answer = serializers.Health(state.health_answer(found)).data
        code = 503 if found.report.status == "error" else 200
        return Response(answer, status=code, headers={"Cache-Control": "no-store"})


class Status(Face):
    """The whole desk at a glance: capital, strategies, collection, risk, errors."""

    @extend_schema(responses={200: serializers.Status, **FAULTS})
    def get(self, request: Request) -> Response:
        query.read(request.query_params, ())
        return Response(reads.status())


class Listing(Face):
    """A list in pages; subclasses say the line, the parameters and where rows come from."""

    line: type[Any]
    parameters: tuple[query.Parameter, ...] = ()
    key: type | None = str

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        raise NotImplementedError

    @classmethod
    def asked_for(cls) -> tuple[query.Parameter, ...]:
        """Everything this list may be asked."""
        paging = (query.cursor(cls.key), query.PAGE_LIMIT) if cls.key else ()
        return (*cls.parameters, *paging)

    def get(self, request: Request) -> Response:
        asked = query.read(request.query_params, self.asked_for())
        if "cursor" in asked:
            asked["place"] = asked.pop("cursor")
        if "from" in asked:
            asked["since"], asked["until"] = asked.pop("from"), asked.pop("to")
        found = self.rows(asked)
        lines = self.line(found.rows, many=True).data
        return Response(query.envelope(found, request.build_absolute_uri(), lines))


def listing(view: type[Listing]) -> type[Listing]:
    """Puts a list into the schema."""
    view.get = extend_schema(  # type: ignore[method-assign]
        description=view.__doc__,
        parameters=[parameter.documented() for parameter in view.asked_for()],
        responses={200: serializers.listed(view.line), **FAULTS},
    )(_own(view.get))
    return view


def _own(method: Callable[..., Response]) -> Callable[..., Response]:
    def get(self: Any, request: Request, **kwargs: Any) -> Response:
        return method(self, request, **kwargs)

    return get


@listing
class Strategies(Listing):
    """Every strategy PQAP knows: its switch, its parameters and what it came to."""

    line = serializers.StrategyLine
    key = None

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return Page(state.strategies())


@listing
class Markets(Listing):
    """The catalogue, most traded first, with the newest touch of both outcomes."""

    line = serializers.MarketLine
    key = int
    parameters = (
        MARKET,
        query.text("category", "Only this category."),
        query.flag("tracked", "Only markets that are tracked now, or only the others."),
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        market = asked.pop("market")
        ids = (market,) if market else ()
        return catalogue.listings(at=clock.now(), every=state.poll_ms(), ids=ids, **asked)


@listing
class Signals(Listing):
    """What strategies wanted, and what became of it in the base account."""

    line = serializers.SignalLine
    parameters = (
        STRATEGY,
        MARKET,
        query.choice("state", "Only signals with this disposition.", Disposition),
        FROM,
        TO,
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return opinions.signals(disposition=asked.pop("state"), **asked)


@listing
class Silences(Listing):
    """Why there was no trade: stretches in which a strategy stayed silent, with the reason."""

    line = serializers.SilenceLine
    key = int
    parameters = (
        STRATEGY,
        MARKET,
        query.choice("reason", "Only this reason.", Silence),
        query.choice("state", "Only those that last, or only the others.", ("lasting", "ended")),
        FROM,
        TO,
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        state = asked.pop("state")
        return opinions.silences(lasting=state == "lasting" if state else None, **asked)


@listing
class Orders(Listing):
    """Every paper order and its state."""

    line = serializers.OrderLine
    parameters = (
        ACCOUNT,
        STRATEGY,
        MARKET,
        query.choice("state", "Only orders in this state.", OrderState),
        FROM,
        TO,
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return orders.orders(**asked)


@listing
class Trades(Listing):
    """Every paper fill and settlement, with the evidence that it was possible."""

    line = serializers.TradeLine
    parameters = (
        ACCOUNT,
        STRATEGY,
        MARKET,
        query.choice("liquidity", "Only this kind.", ("taker", "maker", "settlement")),
        FROM,
        TO,
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return orders.trades(**asked)


@listing
class Positions(Listing):
    """What is held now, marked at what it would fetch."""

    line = serializers.Holding
    key = int
    parameters = (ACCOUNT, STRATEGY, MARKET, HELD)

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return accounts.holdings(**asked)


@listing
class Equity(Listing):
    """The equity curve of the three accounts, newest first."""

    line = serializers.EquityPoint
    key = int
    parameters = (ACCOUNT, FROM, TO, EVERY)

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return accounts.equity(every_ms=asked.pop("every") * 1000, **asked)


class History(Face):
    """One market's touch over time, oldest first; next goes on after the last point."""

    parameters = (
        FROM,
        query.instant("to", "Not after this time."),
        EVERY,
        query.number("limit", "Points a page.", low=1, high=HISTORY_LIMIT, default=HISTORY_LIMIT),
    )

    @extend_schema(
        parameters=[parameter.documented() for parameter in parameters],
        responses={
            200: serializers.listed(serializers.HistoryPoint),
            404: serializers.Fault,
            **FAULTS,
        },
    )
    def get(self, request: Request, id: str) -> Response:
        asked = query.read(request.query_params, self.parameters)
        until = asked["to"] if asked["to"] is not None else clock.now()
        since = asked["from"] if asked["from"] is not None else until - DAY_MS
        if since > until:
            raise errors.Bad("invalid", "from", "from: a time before `to` is allowed.")
        limit = asked["limit"]
        points = history.history(
            id, since=since, until=until, every_ms=asked["every"] * 1000, limit=limit + 1
        )
        if points is None:
            raise exceptions.NotFound("There is no market with this id.")
        url, more = request.build_absolute_uri(), len(points) > limit
        return Response(
            {
                "next": query.onward(url, points[limit].at, until) if more else None,
                "previous": None,
                "results": serializers.HistoryPoint(points[:limit], many=True).data,
            }
        )


class Act(Face):
    """A person's decision: stored with who and why, applied by the next tick."""

    permission_classes = [access.Operator]

    def record(
        self, request: Request, kind: ChangeKind, *, why: str, scope: str, value: str = ""
    ) -> Response:
        """Stores the decision and says what was stored."""
        who = request.user.get_username()
        try:
            changes.record(kind=kind, scope=scope, value=value, who=who, why=why)
        except changes.BadChange as fault:
            raise errors.Bad("invalid", fault.field, f"{fault}.") from fault
        stored = {"kind": kind, "scope": scope, "value": value, "who": who, "why": why}
        return Response(serializers.Accepted(stored).data, status=202)

    def asked(self, request: Request, shape: type[Any]) -> dict[str, Any]:
        """The request's body, checked."""
        body = shape(data=request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data


ACCEPTED = {202: serializers.Accepted, 404: serializers.Fault, **FAULTS}


class StrategySwitch(Act):
    """Enables or disables a strategy from the next tick on."""

    @extend_schema(request=serializers.Reason, responses={**ACCEPTED, 409: serializers.Fault})
    def post(self, request: Request, name: str, action: str) -> Response:
        asked = self.asked(request, serializers.Reason)
        switch = next((found for found in control.switches() if found.name == name), None)
        if switch is None:
            raise exceptions.NotFound("There is no strategy with this name.")
        if action == "enable" and switch.state == control.UNAVAILABLE:
            raise errors.Conflict("unavailable", None, f"{name} is not built yet.")
        return self.record(request, ChangeKind(action), why=asked["reason"], scope=name)


class Halt(Act):
    """The kill switch: nothing is opened until a person resumes; `flatten` sells what is held."""

    @extend_schema(request=serializers.HaltOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.HaltOrder)
        value = FLATTEN if asked["flatten"] else ""
        where = scope(asked["scope"])
        return self.record(request, ChangeKind.HALT, why=asked["reason"], scope=where, value=value)


class Resume(Act):
    """Re-arms what was halted; needs a person and a reason."""

    @extend_schema(request=serializers.ResumeOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.ResumeOrder)
        where = scope(asked["scope"])
        return self.record(request, ChangeKind.RESUME, why=asked["reason"], scope=where)


class Limit(Act):
    """Overrides a risk limit from the next tick on."""

    permission_classes = [access.Administrator]

    @extend_schema(request=serializers.LimitOrder, responses=ACCEPTED)
    def post(self, request: Request, name: str) -> Response:
        asked = self.asked(request, serializers.LimitOrder)
        if name not in {limit.name for limit in control.limits()}:
            raise exceptions.NotFound("There is no limit with this name.")
        if asked["value"] < 0:
            raise errors.Bad("invalid", "value", "value: 0 or more is allowed.")
        return self.record(
            request, ChangeKind.LIMIT, why=asked["reason"], scope=name, value=str(asked["value"])
        )


class LimitReset(Act):
    """Takes an override back: the configuration's limit holds again."""

    permission_classes = [access.Administrator]

    @extend_schema(request=serializers.Reason, responses=ACCEPTED)
    def post(self, request: Request, name: str) -> Response:
        asked = self.asked(request, serializers.Reason)
        if name not in {limit.name for limit in control.limits()}:
            raise exceptions.NotFound("There is no limit with this name.")
        return self.record(request, ChangeKind.RESET_LIMIT, why=asked["reason"], scope=name)


class Nowhere(Face):
    """Any other address below /api/."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise exceptions.NotFound("There is no such address; /api/docs/ lists them all.")


def scope(given: str) -> str:
    """A halt's scope, checked: all, strategy:<name> or market:<id>."""
    kind, _, name = given.partition(":")
    known = (
        given == "all"
        or (kind == "strategy" and name in {switch.name for switch in control.switches()})
        or (kind == "market" and name in catalogue.names([name]))
    )
    if not known:
        message = "scope: all, strategy:<name> or market:<id> of something known is allowed."
        raise errors.Bad("invalid", "scope", message)
    return given
