"""The local exchange's HTTP: routes, the exchange's own validation, counters and faults."""

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.exchange import faults, shapes
from tests.exchange.faults import Fault
from tests.exchange.sockets import MarketSocket
from tests.exchange.world import World

MOST_TOKENS = 500
MOST_CONDITIONS = 20
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
        found = GETS.get(route) if method == "GET" else None
        if found:
            return found(self, query)
        if method == "GET" and route.startswith("/clob-markets/"):
            return self._clob_market(route.rsplit("/", 1)[1])
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
        wanted = query.get("condition_ids", [])
        if len(wanted) > PAGE:
            raise Refusal(422, "condition_ids: at most 100")
        closed = query.get("closed", ["false"]) == ["true"]
        known = [x for x in map(self.world.by_condition, wanted) if x and x.closed == closed]
        rows = [row for row in (shapes.market(self.world, x) for x in known) if row]
        return {"markets": rows[: _number(query, "limit", 20)]}

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

    def _history(self, query: Query) -> Any:
        listing = self.world.by_token(query.get("market", [""])[0])
        if listing is None:
            raise Refusal(404, "market not found")
        start, end = _number(query, "startTs", 0), _number(query, "endTs", 0)
        if end - start > LONGEST_HISTORY:
            raise Refusal(400, "interval is too long")
        return {"history": shapes.history(self.world, listing, start, end)}

    def _clob_market(self, condition: str) -> Any:
        listing = self.world.by_condition(condition)
        if listing is None:
            raise Refusal(404, "market not found")
        return shapes.clob_market(listing)

    def _time(self, query: Query) -> Any:
        return self.world.now() // 1000


GETS = {
    "/events/keyset": Exchange._events,
    "/markets/keyset": Exchange._markets,
    "/book": Exchange._book,
    "/v2/resolutions": Exchange._resolutions,
    "/prices-history": Exchange._history,
    "/time": Exchange._time,
}


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
            route = "/clob-markets" if parts.path.startswith("/clob-markets/") else parts.path
            exchange.requests[route] += 1
            try:
                found = exchange.reply(method, parts.path, parse_qs(parts.query), body)
                status = 200
            except Refusal as refusal:
                status, found = refusal.status, {"error": refusal.error}
            text = json.dumps(found).encode()
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
