"""One checksum over everything ticks say, so that two stores of them can be compared."""

import hashlib
import struct

from markets.core.assembly import COLUMNS
from markets.core.tick import Tick, Universe

_HEAD = struct.Struct("<qqq")
_SIZE = struct.Struct("<i")


class TickDigest:
    """SHA-256 over ticks in order: columns, depth, universes, and what came with each tick."""

    def __init__(self) -> None:
        self.ticks = self.rows = 0
        self._hash = hashlib.sha256()
        self._known: tuple[Universe, bytes] | None = None

    def add(self, tick: Tick) -> None:
        """Take the next tick."""
        self.ticks += 1
        self.rows += len(tick.universe)
        take = self._hash.update
        take(_HEAD.pack(tick.id, tick.at, tick.universe.version))
        take(self._universe(tick.universe))
        for name in COLUMNS:
            take(getattr(tick, name).tobytes())
        for blob in tick.depth:
            take(_SIZE.pack(len(blob)) + blob)
        for column, blob in sorted(tick.no_depth.items()):
            take(_SIZE.pack(column) + _SIZE.pack(len(blob)) + blob)
        if tick.resolutions or tick.prints or tick.past:
            take(repr((tick.resolutions, tick.prints, tick.past)).encode())

    def hexdigest(self) -> str:
        """The checksum of the ticks so far."""
        return self._hash.hexdigest()

    def _universe(self, universe: Universe) -> bytes:
        if self._known is None or self._known[0] is not universe:
            said = hashlib.sha256(repr(universe.markets).encode()).digest()
            self._known = (universe, said)
        return self._known[1]
