"""One socket to the exchange: opened, subscribed, kept alive, and opened again when it fails."""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf

log = logging.getLogger(__name__)

LARGEST_FRAME = 16 * 1024 * 1024
"""Two hundred full books in one array stay well below; a larger frame ends the connection."""

PING = "PING"
LOOK_SECONDS = 0.2


class Lost(Exception):
    """We end a connection ourselves; the text says why."""


class Connection:
    """Line `number` of the shelf; `tokens` may change while it runs.

    `turn` is held for a moment by whoever connects, so that connections open one by one.
    """

    def __init__(
        self,
        number: int,
        url: str,
        shelf: Shelf,
        *,
        pace: Pace,
        now: Callable[[], int],
        turn: asyncio.Lock,
        rng: random.Random,
    ) -> None:
        self.number, self.url, self.shelf = number, url, shelf
        self.pace, self.now, self.turn, self.rng = pace, now, turn, rng
        self.tokens: dict[str, None] = {}
        self._socket: ClientConnection | None = None
        self._failures = 0
        self._answered_at = 0

    async def run(self) -> None:
        """Keep the socket open until cancelled."""
        while True:
            began = self.now()
            why = await self._live()
            self.shelf.closed(self.number, why)
            if self.now() - began >= self.pace.steady * 1000:
                self._failures = 0
            self._failures += 1
            pause = self._pause()
            log.info("Stream %d: %s; again in %.1f s", self.number, why, pause)
            await asyncio.sleep(pause)

    async def add(self, tokens: Sequence[str]) -> None:
        """Carry these tokens, too."""
        self.tokens |= dict.fromkeys(tokens)
        self.shelf.follow(self.number, tokens, self.now())
        await self._say("subscribe", tokens)

    async def drop(self, tokens: Sequence[str]) -> None:
        """Carry these tokens no more."""
        for token in tokens:
            self.tokens.pop(token, None)
        self.shelf.leave(self.number, tokens)
        await self._say("unsubscribe", tokens)

    async def renew(self, tokens: Sequence[str]) -> None:
        """Ask for fresh books: a second subscription alone would bring none."""
        mine = [token for token in tokens if token in self.tokens]
        await self._say("unsubscribe", mine)
        await self._say("subscribe", mine)

    async def _live(self) -> str:
        """One life of the socket; why it ended."""
        try:
            async with self.turn:
                await asyncio.sleep(self.pace.between)
            socket = await self._connect()
            try:
                await self._serve(socket)
            finally:
                self._socket = None
                await _hang_up(socket)
        except InvalidStatus as e:
            self.shelf.faults["refused"] += 1
            return f"{self.url} refused the connection ({e.response.status_code})"
        except ConnectionClosed as e:
            self.shelf.faults["closed"] += 1
            return f"{self.url} closed the connection ({_code(e)})"
        except Lost as e:
            self.shelf.faults["silent"] += 1
            return str(e)
        except (OSError, TimeoutError, WebSocketException, ValueError) as e:
            self.shelf.faults["unreachable"] += 1
            return f"{self.url} cannot be reached ({_said(e)})"
        return f"{self.url} ended the connection"

    async def _connect(self) -> ClientConnection:
        return await connect(
            self.url,
            open_timeout=self.pace.connect,
            ping_interval=None,  # The exchange wants its own PING; a pong frame would prove less.
            close_timeout=1.0,
            max_size=LARGEST_FRAME,
            max_queue=64,
        )

    async def _serve(self, socket: ClientConnection) -> None:
        await self._send(socket, json.dumps(self._greeting()))
        self.shelf.opened(self.number, self.now())
        self._socket = socket
        watch = asyncio.create_task(self._watch(socket))
        reading = asyncio.create_task(self._read(socket))
        try:
            done, _ = await asyncio.wait({watch, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (watch, reading):
                task.cancel()
            await asyncio.gather(watch, reading, return_exceptions=True)

    def _greeting(self) -> dict[str, Any]:
        return {
            "type": "market",
            "assets_ids": list(self.tokens),
            "custom_feature_enabled": True,
        }

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            self._answered_at = self.now()
            self.shelf.receive(self.number, frame, self._answered_at)

    async def _watch(self, socket: ClientConnection) -> None:
        """PING while it lives; give up on a socket that answers nothing, or brings no data."""
        self._answered_at = sent_at = self.now()
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, self.pace.ping))
            now = self.now()
            if now - sent_at >= self.pace.ping * 1000:
                await self._send(socket, PING)
                sent_at = now
            if now - self._answered_at > self.pace.pong * 1000:
                raise Lost(f"{self.url} answers no PING")
            if self.tokens and now - self.shelf.heard_at(self.number) > self.pace.silence_ms:
                raise Lost(f"{self.url} brings no data")

    async def _say(self, operation: str, tokens: Iterable[str]) -> None:
        """Tell the open socket; a closed one learns it with its next greeting."""
        asked = list(tokens)
        if self._socket is None or not asked:
            return
        said = {"operation": operation, "assets_ids": asked, "custom_feature_enabled": True}
        try:
            await self._send(self._socket, json.dumps(said))
        except (OSError, WebSocketException):
            return  # The reader sees the same end and starts over.

    async def _send(self, socket: ClientConnection, text: str) -> None:
        """Not for ever: an exchange that reads nothing would hold us."""
        async with asyncio.timeout(self.pace.connect):
            await socket.send(text)

    def _pause(self) -> float:
        grown = self.pace.first_pause * 2.0 ** min(self._failures - 1, 16)
        return min(grown, self.pace.longest_pause) * self.rng.uniform(0.5, 1.0)


async def _hang_up(socket: ClientConnection) -> None:
    try:
        await socket.close()
    except (OSError, WebSocketException):
        return


def _code(e: ConnectionClosed) -> str:
    if e.rcvd is not None:
        return f"{e.rcvd.code} {e.rcvd.reason}".strip()
    return f"we said {e.sent.code} {e.sent.reason}".strip() if e.sent else "broken off"


def _said(e: Exception) -> str:
    return str(e)[:120] or type(e).__name__
