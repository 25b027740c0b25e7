"""All connections of the stream, on an event loop in a thread of its own."""

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from markets.sources.stream.connection import Connection
from markets.sources.stream.pace import Pace
from markets.sources.stream.shelf import Shelf

log = logging.getLogger(__name__)

MOST_TOKENS = 200
"""A connection with over 500 tokens was seen to fall silent; official advice is 200 to 250."""

STOP_SECONDS = 3.0

Units = Sequence[tuple[str, ...]]


class Sockets:
    """Follows tokens with as few connections as hold them, a market's two tokens on one."""

    def __init__(
        self,
        url: str,
        shelf: Shelf,
        *,
        pace: Pace,
        now: Callable[[], int],
        most: int = MOST_TOKENS,
        rng: random.Random | None = None,
    ) -> None:
        self.url, self.shelf, self.pace, self.now, self.most = url, shelf, pace, now, most
        self.rng = rng or random.Random()
        self._wanted: dict[str, tuple[str, ...]] = {}
        self._connections: dict[int, Connection] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._numbers = 0
        self._loop = asyncio.new_event_loop()
        self._turn, self._assigning = asyncio.Lock(), asyncio.Lock()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._started = False

    def follow(self, units: Units) -> None:
        """Carry exactly the tokens of these units, those of one on one line; does not wait."""
        wanted = {unit[0]: unit for unit in units if unit}
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if not self._started:
            self._started = True
            self._thread.start()
        asyncio.run_coroutine_threadsafe(self._assign(), self._loop).add_done_callback(_tell)

    def renew(self, tokens: Mapping[int, Sequence[str]]) -> None:
        """Ask for fresh books of tokens, by line; does not wait for them."""
        for number, found in tokens.items():
            connection = self._connections.get(number)
            if connection is not None:
                told = asyncio.run_coroutine_threadsafe(connection.renew(found), self._loop)
                told.add_done_callback(_tell)

    def alive(self) -> bool:
        """Whether the thread runs, or has not been needed yet."""
        return not self._started or self._thread.is_alive()

    def close(self) -> None:
        """Hang up everywhere and end the thread."""
        if self._started and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._hang_up())
        finally:
            self._loop.close()

    async def _hang_up(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), STOP_SECONDS / 2)

    async def _assign(self) -> None:
        """Take off what is no longer wanted, then fill the gaps, then open what is missing."""
        async with self._assigning:
            await self._bring_about(self._wanted)

    async def _bring_about(self, wanted: Mapping[str, tuple[str, ...]]) -> None:
        held = {token for unit in wanted.values() for token in unit}
        for connection in list(self._connections.values()):
            gone = [token for token in connection.tokens if token not in held]
            if gone:
                await connection.drop(gone)
        carried = {token for c in self._connections.values() for token in c.tokens}
        news = [unit for unit in wanted.values() if not carried.issuperset(unit)]
        for connection in self._connections.values():
            news = await self._fill(connection, news)
        while news:
            news = await self._fill(self._opened(), news)
        for number in [n for n, c in self._connections.items() if not c.tokens]:
            self._end(number)

    async def _fill(self, connection: Connection, units: Units) -> Units:
        """Give a connection as many units as it has room for; the rest."""
        room, taken, rest = self.most - len(connection.tokens), [], []
        for unit in units:
            if len(unit) <= room:
                taken += unit
                room -= len(unit)
            else:
                rest.append(unit)
        if taken:
            await connection.add(taken)
        self._start(connection)
        return rest

    def _opened(self) -> Connection:
        self._numbers += 1
        connection = Connection(
            self._numbers,
            self.url,
            self.shelf,
            pace=self.pace,
            now=self.now,
            turn=self._turn,
            rng=self.rng,
        )
        self._connections[self._numbers] = connection
        return connection

    def _start(self, connection: Connection) -> None:
        """Connect only once there is something to ask for."""
        if connection.number not in self._tasks and connection.tokens:
            task = self._loop.create_task(connection.run())
            self._tasks[connection.number] = task
            task.add_done_callback(self._ended)

    def _end(self, number: int) -> None:
        del self._connections[number]
        task = self._tasks.pop(number, None)
        if task:
            task.cancel()
        self.shelf.end_line(number)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A connection never ends by itself: what escapes it ends the thread, and is seen."""
        if not task.cancelled() and task.exception() is not None:
            log.error("The stream failed", exc_info=task.exception())
            self._loop.stop()


def _tell(done: "Future[None]") -> None:
    """An order to the loop that failed would otherwise fail unseen."""
    if not done.cancelled() and done.exception() is not None:
        log.error("The stream could not follow", exc_info=done.exception())
