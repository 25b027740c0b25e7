"""The local exchange's market WebSocket: the world's books as deltas, trades, and its bad days.

It runs on an event loop in a thread of its own, looks at the world every `step` seconds and tells
each client what changed of the tokens it asked for.
"""

import asyncio
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.exchange import events
from tests.exchange.events import Shown
from tests.exchange.world import Listing, World

SILENT_ABOVE = 500
"""Tokens on one connection above which the real exchange was seen to send nothing."""


MARK = json.dumps({"event_type": "mark"})
"""A message no reader knows: once it was counted, everything before it has been heard."""


@dataclass(slots=True)
class Trouble:
    """What goes wrong on the socket; chances are for each message of a kind that can be hurt."""

    freeze: bool = False
    """No data any more, PONG as always."""
    lose: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    garbage: float = 0.0
    mute: set[str] = field(default_factory=set)
    """Tokens whose subscription got lost: no first book, no change."""
    deaf: bool = False
    """PING is not answered."""
    refuse: int = 0
    """HTTP status that turns connections away."""
    storm: float = 0.0
    """Seconds after which every connection is closed."""
    slow: int = 0
    """Milliseconds of the world's clock that each message lies about before it is sent."""


@dataclass(slots=True)
class Client:
    """One connection and what it asked for."""

    socket: ServerConnection
    number: int
    tokens: set[str] = field(default_factory=set)
    extras: bool = False
    out: "asyncio.Queue[tuple[int, str]]" = field(default_factory=asyncio.Queue)
    held: str | None = None


class MarketSocket:
    """The running socket. `trades` are all it told, `sent` counts messages by type.

    `troubles` may name a connection's number, counted from 1, to hurt only that one.
    """

    def __init__(self, world: World, port: int = 0, *, step: float = 0.05, seed: int = 1) -> None:
        self.world, self.step = world, step
        self.trouble = Trouble()
        self.troubles: dict[int, Trouble] = {}
        self.trade_chance = 0.3
        self.trades: list[dict[str, Any]] = []
        self.sent: Counter[str] = Counter()
        self.connects = self.looks = 0
        self.clients: dict[int, Client] = {}
        self.shown: dict[str, Shown] = {}
        self._draw = random.Random(f"{seed}-socket")
        self._known: set[str] = {x.condition for x in world.listings}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(5)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/ws/market"

    def close(self) -> None:
        """Hang up and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    def kick(self, code: int = 1011, reason: str = "", number: int | None = None) -> None:
        """Close every connection, or one of them, with a code."""
        chosen = [c for c in self.clients.values() if number in (None, c.number)]
        for client in chosen:
            self._do(client.socket.close(code, reason))

    def say(self, text: str, number: int | None = None) -> None:
        """Send a text as it is to every client, or to one."""
        for client in list(self.clients.values()):
            if number in (None, client.number):
                self._do(client.socket.send(text))

    def tell(self, event: dict[str, Any], token: str = "") -> None:
        """Send an event to whoever follows the token, or to all."""
        self._loop.call_soon_threadsafe(self._broadcast, event, {token} if token else None)

    def mark(self) -> int:
        """Send each client that is neither slowed down nor left unanswered a message of no
        meaning, behind all others; how many were sent."""
        hurt = [(c, self._of(c)) for c in list(self.clients.values())]
        reached = [client for client, trouble in hurt if not trouble.slow and not trouble.deaf]
        for client in reached:
            self._loop.call_soon_threadsafe(client.out.put_nowait, (0, MARK))
        return len(reached)

    def retick(self, listing: Listing, tick: int) -> None:
        """Give a market another price grid: announced, then shown with a fresh book."""
        with self.world.lock:
            listing.tick = tick

    def _do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._open())
        self._port = server.sockets[0].getsockname()[1]
        pump = self._loop.create_task(self._pump())
        self._ready.set()
        self._loop.run_forever()
        pump.cancel()
        self._loop.run_until_complete(self._shut(server))
        self._loop.close()

    async def _open(self) -> Server:
        return await serve(
            self._serve,
            "127.0.0.1",
            self._port,
            process_request=self._admit,
            ping_interval=None,
            max_size=2**24,
        )

    async def _shut(self, server: Server) -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if self.trouble.refuse:
            return socket.respond(HTTPStatus(self.trouble.refuse), "not now\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self.connects += 1
        client = Client(socket, self.connects)
        self.clients[client.number] = client
        writer = asyncio.create_task(self._write(client))
        storm = asyncio.create_task(self._storm(client))
        try:
            async for text in socket:
                self._hear(client, str(text))
        except ConnectionClosed:
            pass
        finally:
            del self.clients[client.number]
            writer.cancel()
            storm.cancel()

    def _hear(self, client: Client, text: str) -> None:
        if text == "PING":
            if not self._of(client).deaf:
                client.out.put_nowait((0, "PONG"))
            return
        said = json.loads(text)
        tokens = set(said["assets_ids"])
        if said.get("operation") == "unsubscribe":
            client.tokens -= tokens
            return
        client.extras = client.extras or bool(said.get("custom_feature_enabled"))
        fresh = tokens - client.tokens
        client.tokens |= tokens
        if said.get("initial_dump", True):
            self._first_books(client, fresh)

    def _first_books(self, client: Client, tokens: set[str]) -> None:
        """One array of books, as the exchange sends it after a subscription."""
        books = []
        for token in sorted(tokens - self._of(client).mute):
            listing = self.world.by_token(token)
            shown = self._shown(listing) if listing else None
            if listing and shown and not listing.closed:
                books.append(events.book(listing, token, shown))
        if books:
            self._send(client, books, "book")

    def _shown(self, listing: Listing) -> Shown:
        """What clients have been told of a market so far."""
        if listing.condition not in self.shown:
            with self.world.lock:
                self.shown[listing.condition] = events.look(self.world, listing)
        return self.shown[listing.condition]

    async def _pump(self) -> None:
        while True:
            self.world.move()
            for listing in list(self.world.listings):
                if listing.kind != "placeholder":
                    self._look(listing)
            self.looks += 1
            await asyncio.sleep(self.step)

    def _look(self, listing: Listing) -> None:
        """Tell what is new about one market."""
        tokens = {listing.yes, listing.no}
        if listing.condition not in self._known:
            self._known.add(listing.condition)
            self._broadcast(events.new_market(self.world, listing), None)
        before = self._shown(listing)
        if (before.at, before.tick, before.closed) == (
            listing.changed_at,
            listing.tick,
            listing.closed,
        ):
            return
        with self.world.lock:
            now = events.look(self.world, listing)
        if now == before:
            return
        self.shown[listing.condition] = now
        if now.closed and not before.closed:
            self._broadcast(events.resolved(listing, self.world.now()), tokens)
        elif now.tick != before.tick:
            for event in events.regrid(listing, before, now):
                self._broadcast(event, {event["asset_id"]})
        elif not now.closed:
            self._changed(listing, before, now, tokens)

    def _changed(self, listing: Listing, before: Shown, now: Shown, tokens: set[str]) -> None:
        self._broadcast(events.changes(listing, before, now), tokens)
        for event in events.best(listing, before, now):
            self._broadcast(event, {event["asset_id"]}, extras=True)
        if self._draw.random() < self.trade_chance:
            event = events.trade(listing, now, self._draw, self.world.now())
            if any(event["asset_id"] in c.tokens for c in self.clients.values()):
                self.trades.append(event)
            self._broadcast(event, {event["asset_id"]})

    def _broadcast(
        self, event: dict[str, Any], tokens: set[str] | None, *, extras: bool = False
    ) -> None:
        for client in list(self.clients.values()):
            wanted = client.extras if tokens is None else bool(client.tokens & tokens)
            if extras and not client.extras:
                wanted = False
            if wanted and not (tokens and tokens & self._of(client).mute):
                self._send(client, event, event["event_type"])

    def _send(self, client: Client, body: Any, kind: str) -> None:
        """Put a message on its way, or let it go wrong."""
        trouble = self._of(client)
        if trouble.freeze or len(client.tokens) > SILENT_ABOVE:
            return
        text = json.dumps(body)
        if kind == "price_change":
            if self._draw.random() < trouble.lose:
                self.sent["lost"] += 1
                return
            if self._draw.random() < trouble.garbage:
                self.sent["garbage"] += 1
                text = text[: len(text) // 2]
            if client.held is None and self._draw.random() < trouble.reorder:
                self.sent["reordered"] += 1
                client.held = text
                return
        self.sent[kind] += 1
        ready = self.world.now() + trouble.slow if trouble.slow else 0
        client.out.put_nowait((ready, text))
        if kind in ("price_change", "last_trade_price") and (
            self._draw.random() < trouble.duplicate
        ):
            self.sent["duplicated"] += 1
            client.out.put_nowait((0, text))
        if client.held is not None:
            client.out.put_nowait((0, client.held))
            client.held = None

    async def _write(self, client: Client) -> None:
        while True:
            ready, text = await client.out.get()
            while self.world.now() < ready:
                await asyncio.sleep(self.step)
            await client.socket.send(text)

    async def _storm(self, client: Client) -> None:
        while True:
            seconds = self._of(client).storm
            await asyncio.sleep(seconds or 0.05)
            if seconds:
                await client.socket.close(1012, "service restart")
                return

    def _of(self, client: Client) -> Trouble:
        return self.troubles.get(client.number, self.trouble)
