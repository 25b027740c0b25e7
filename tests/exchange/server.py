"""The local exchange's HTTP: routes, the exchange's own validation, counters and faults."""

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.exchange import faults, shapes
from tests.exchange.faults import Fault
from tests.exchange.sockets import MarketSocket
from tests.exchange.world import World

MOST_TOKENS = 500
MOST_CONDITIONS = 20
MOST_HISTORIES = 20
PAGE = 100
LONGEST_HISTORY = 15 * 86_400

Query = dict[str, list[str]]


class Refusal(Exception):
    """The request is not one the exchange would accept."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class Exchange:
    """The running server. `requests` counts by route, `sizes` holds each `/books` call's tokens.

    `strict_books` makes one unknown token reject a whole `/books` call.
    """

    def __init__(self, world: World | None = None, port: int = 0, page: int = PAGE) -> None:
        self.world = world or World()
        self.page = page
        self.requests: Counter[str] = Counter()
        self.sizes: list[list[str]] = []
        self.faults: dict[str, Fault] = {}
        self.strict_books = False
        self.trades_page = 1000
        self.repeat_cursor = False
        self.stopping = Event()
        self._socket: MarketSocket | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def socket(self, port: int = 0, **how: Any) -> MarketSocket:
        """The market WebSocket of the same world; opened with the first call."""
        if self._socket is None:
            self._socket = MarketSocket(self.world, port, **how)
        return self._socket

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        if self._socket is not None:
            self._socket.close()
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.serve_forever()

    def fault(self, route: str, kind: str, **how: Any) -> None:
        """Let a route fail from now on; `mend` ends it."""
        self.faults[route] = Fault(kind, **how)

    def mend(self) -> None:
        self.faults.clear()

    def struck(self, route: str) -> Fault | None:
        """The fault the next request of a route meets."""
        fault = self.faults.get(route)
        if fault is None or fault.times == 0:
            return None
        if fault.times is not None:
            fault.times -= 1
        return fault

    def reply(self, method: str, route: str, query: Query, body: bytes) -> Any:
        """What a healthy exchange answers; Refusal where it would not."""
        self.world.move()
        if method == "POST" and route == "/books":
            return self._books(body)
        if method == "POST" and route == "/batch-prices-history":
            return self._histories(body)
        found = GETS.get(route) if method == "GET" else None
        if found:
            return found(self, query)
        family, name = _family(route)
        if method == "GET" and family in NAMED:
            return NAMED[family](self, name, query)
        raise Refusal(404, "not found")

    def _events(self, query: Query) -> Any:
        if "offset" in query:
            raise Refusal(422, "offset is not supported")
        if query.get("closed") == ["true"]:
            return {"events": []}
        rows = shapes.events(self.world)
        size = min(_number(query, "limit", PAGE), PAGE, self.page)
        start = _number(query, "after_cursor", 0)
        page: dict[str, Any] = {"events": rows[start : start + size]}
        if start + size < len(rows):
            page["next_cursor"] = str(size if self.repeat_cursor else start + size)
        return page

    def _markets(self, query: Query) -> Any:
        """Markets by condition id, or all of them page by page; open ones unless asked."""
        if "offset" in query:
            raise Refusal(422, "offset is not supported")
        wanted = query.get("condition_ids", [])
        if len(wanted) > PAGE:
            raise Refusal(422, "condition_ids: at most 100")
        named = [x for x in map(self.world.by_condition, wanted) if x]
        closed = query.get("closed", ["false"]) == ["true"]
        known = [x for x in (named if wanted else self.world.listings) if x.closed == closed]
        size = min(_number(query, "limit", 20), PAGE if wanted else self.page)
        start = _number(query, "after_cursor", 0)
        tags = query.get("include_tag") == ["true"]
        rows = [shapes.alone(self.world, x, tags=tags) for x in known[start : start + size]]
        page: dict[str, Any] = {"markets": [row for row in rows if row]}
        if start + size < len(known):
            page["next_cursor"] = str(start + size)
        return page

    def _market_by_slug(self, slug: str, query: Query) -> Any:
        listing = self.world.by_slug(slug)
        if listing is None:
            raise Refusal(404, "slug not found")
        return shapes.alone(self.world, listing, tags=query.get("include_tag") == ["true"])

    def _event_by_slug(self, slug: str, query: Query) -> Any:
        members = [x for x in self.world.listings if slug in (x.event_slug, f"event-{x.event}")]
        if not members:
            raise Refusal(404, "slug not found")
        return shapes.event(self.world, members[0].event, members)

    def _books(self, body: bytes) -> Any:
        try:
            tokens = [str(entry["token_id"]) for entry in json.loads(body)]
        except (ValueError, TypeError, KeyError) as e:
            raise Refusal(400, "Invalid payload") from e
        if not tokens or len(tokens) > MOST_TOKENS:
            raise Refusal(400, "Payload exceeds the limit" if tokens else "Invalid payload")
        self.sizes.append(tokens)
        if self.strict_books and not all(map(self.world.by_token, tokens)):
            raise Refusal(400, "Invalid token id")
        return [row for row in (shapes.book(self.world, token) for token in tokens) if row]

    def _book(self, query: Query) -> Any:
        found = shapes.book(self.world, query.get("token_id", [""])[0])
        if found is None:
            raise Refusal(404, "No orderbook exists for the requested token id")
        return found

    def _resolutions(self, query: Query) -> Any:
        wanted = [id for id in query.get("condition", [""])[0].split(",") if id]
        if not wanted or len(wanted) > MOST_CONDITIONS:
            raise Refusal(400, "condition: 1 to 20 ids")
        known = filter(None, map(self.world.by_condition, wanted))
        return {"data": [row for row in map(shapes.resolution, known) if row]}

    def _trades(self, query: Query) -> Any:
        """Newest first, a page at a time; one bet on several markets rides along."""
        wanted = {id for id in query.get("condition", [""])[0].split(",") if id}
        if not wanted or len(wanted) > MOST_CONDITIONS:
            raise Refusal(400, "condition: 1 to 20 ids")
        found = [made for made in self.world.trades if made.listing.condition in wanted]
        found.sort(key=lambda made: -made.second)
        size = min(_number(query, "limit", PAGE), self.trades_page)
        start = _number(query, "cursor", 0)
        rows = [shapes.trade(made) for made in found[start : start + size]]
        if rows and not start:
            rows.insert(0, rows[0] | {"condition_id": "0x" + "03" * 31})
        more = start + size < len(found)
        paging = {"limit": size, "offset": 0, "has_more": more}
        return {
            "data": rows,
            "pagination": paging | {"next_cursor": str(start + size) if more else None},
        }

    def _history(self, query: Query) -> Any:
        span = _number(query, "startTs", 0), _number(query, "endTs", 0)
        step = 60 * _number(query, "fidelity", 1)
        return {"history": self._points(query.get("market", [""])[0], *span, step)}

    def _histories(self, body: bytes) -> Any:
        try:
            asked = json.loads(body)
            tokens, span = asked["markets"], (int(asked["start_ts"]), int(asked["end_ts"]))
            step = 60 * int(asked["fidelity"])
        except (ValueError, TypeError, KeyError) as e:
            raise Refusal(400, "Invalid payload") from e
        if not 0 < len(tokens) <= MOST_HISTORIES:
            raise Refusal(400, "Payload exceeds the limit")
        known = [token for token in tokens if self.world.by_token(token)]
        return {"history": {token: self._points(token, *span, step) for token in known}}

    def _data_history(self, query: Query) -> Any:
        span = _number(query, "start", 0), _number(query, "end", 0)
        step, token = _number(query, "bucket_seconds", 60), query.get("token_id", [""])[0]
        rows = shapes.data_history(self._points(token, *span, step), step)
        first, size = _number(query, "cursor", 0), _number(query, "limit", 100)
        more = first + size < len(rows)
        page = {"limit": size, "offset": first, "has_more": more}
        page["next_cursor"] = str(first + size) if more else None
        return {"data": rows[first : first + size], "pagination": page}

    def _points(self, token: str, start: int, end: int, step: int) -> list[dict[str, Any]]:
        listing = self.world.by_token(token)
        if listing is None:
            raise Refusal(404, "market not found")
        if end - start > LONGEST_HISTORY:
            raise Refusal(400, "interval is too long")
        return shapes.history(self.world, listing, start, end, step)

    def _clob_market(self, condition: str, query: Query) -> Any:
        listing = self.world.by_condition(condition)
        if listing is None or listing.kind == "feeless":
            raise Refusal(404, "market not found")
        return shapes.clob_market(listing)

    def _time(self, query: Query) -> Any:
        return self.world.now() // 1000


GETS = {
    "/events/keyset": Exchange._events,
    "/markets/keyset": Exchange._markets,
    "/book": Exchange._book,
    "/v2/resolutions": Exchange._resolutions,
    "/v2/trades": Exchange._trades,
    "/prices-history": Exchange._history,
    "/v2/prices-history": Exchange._data_history,
    "/time": Exchange._time,
}


NAMED = {
    "/clob-markets": Exchange._clob_market,
    "/markets/slug": Exchange._market_by_slug,
    "/events/slug": Exchange._event_by_slug,
}
"""Routes that end in a name; they are counted and fail without it."""


def _family(route: str) -> tuple[str, str]:
    family, _, name = route.rpartition("/")
    return family, unquote(name)


def _number(query: Query, key: str, default: int) -> int:
    try:
        return int(query.get(key, [str(default)])[0])
    except ValueError as e:
        raise Refusal(422, f"{key} is invalid") from e


def _handler(exchange: Exchange) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536
        disable_nagle_algorithm = True
        stopping = exchange.stopping

        def do_GET(self) -> None:
            self._serve("GET", b"")

        def do_POST(self) -> None:
            self._serve("POST", self.rfile.read(int(self.headers.get("content-length", 0))))

        def _serve(self, method: str, body: bytes) -> None:
            parts = urlsplit(self.path)
            family, _ = _family(parts.path)
            route = family if family in NAMED else parts.path
            exchange.requests[route] += 1
            try:
                found = exchange.reply(method, parts.path, parse_qs(parts.query), body)
                status = 200
            except Refusal as refusal:
                status, found = refusal.status, {"error": refusal.error}
            text = json.dumps(found, separators=(",", ":")).encode()
            fault = exchange.struck(route)
            if fault is None:
                self.answer(status, text)
            else:
                self.close_connection = fault.kind in faults.BREAKING
                with contextlib.suppress(OSError):
                    faults.strike(fault, self, text)

        def answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
            self.send_response(status)
            kind = {"content-type": "application/json", "content-length": str(len(body))}
            for name, value in (kind | dict(headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
