"""Payloads damaged at random: types swapped, values absurd, parts lost, doubled, buried or torn."""

import json
import random
import string
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 10**30, -(10**18)),
    *map(Decimal, ("0.5", "-0.01", "1.01", "1e308", "-1e308", "1e-300", "NaN", "Infinity", "-0")),
    *("", " ", "abc", "0", "1", "0.5", ".5", "5.", "1e308", "NaN", "Infinity", "-0.5", "1.000001"),
    *("0x", "0x" + "f" * 64, "9" * 78, "9" * 79, "null", "[]", "{}", "true", "[[[[", '["a"', "[1,"),
    *("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-13-45", "1767268799500", "-1"),
    *("\x00", "\ud800", "\u202e٣", "🏛" * 5, "a" * 5_000, "resolved", "BUY"),
)
EXACT = Context(prec=80, traps=[])
LETTERS = string.ascii_letters + string.digits + '[]{}",.-: \\'

Spot = tuple[Any, Any]
"""A container and the key or place in it."""


class Mutator:
    """Damages copies of payloads; the same random source gives the same damage."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.acts: tuple[Callable[[Spot], None], ...] = (
            *(self._junk, self._junk, self._junk, self._junk),
            *(self._lose, self._lose, self._rename, self._double, self._swap),
            *(self._shuffle, self._bury, self._scratch, self._scratch),
            *(self._nudge, self._nudge, self._edge),
        )

    def damage(self, tree: Any) -> Any:
        """A copy with one to four faults somewhere in it, seldom something else altogether."""
        if self.rng.random() < 0.01:
            return self._value()
        held = [_copied(tree)]
        for _ in range(self.rng.choice((1, 1, 1, 2, 2, 4))):
            self.rng.choice(self.acts)(self._spot(held))
        return held[0]

    def tear(self, body: bytes) -> bytes:
        """Bytes cut off, or with some of them replaced, lost or doubled."""
        torn = bytearray(body)
        if self.rng.random() < 0.4:
            return bytes(torn[: self.rng.randrange(len(torn) + 1)])
        for _ in range(self.rng.randint(1, 6)):
            at = self.rng.randrange(len(torn) + 1)
            torn[at : at + self.rng.choice((0, 1, 1, 9))] = self.rng.choice(
                (b"", b"\x00", b"\xff", b"9", b'"', b"]", b"}", b"{", b"null", b"1e999", b"\\u")
            )
        return bytes(torn)

    def _spot(self, held: list[Any]) -> Spot:
        """A random place, found by walking down from the root."""
        where: Spot = (held, 0)
        while True:
            found = where[0][where[1]]
            if not isinstance(found, dict | list) or not found or self.rng.random() < 0.06:
                return where
            keys = list(found) if isinstance(found, dict) else range(len(found))
            where = (found, self.rng.choice(keys))

    def _value(self) -> Any:
        return _copied(self.rng.choice((*JUNK, [], {}, [1], {"a": 1})))

    def _junk(self, spot: Spot) -> None:
        spot[0][spot[1]] = self._value()

    def _lose(self, spot: Spot) -> None:
        if len(spot[0]) > 1 or isinstance(spot[0], dict):
            del spot[0][spot[1]]

    def _rename(self, spot: Spot) -> None:
        if isinstance(spot[0], dict):
            spot[0][self.rng.choice((f"{spot[1]}_", str(spot[1]).upper(), ""))] = spot[0].pop(
                spot[1]
            )

    def _double(self, spot: Spot) -> None:
        if isinstance(spot[0], list):
            many = self.rng.choice((1, 1, 60))
            spot[0].extend(_copied(spot[0][spot[1]]) for _ in range(many))
        else:
            spot[0][spot[1]] = [spot[0][spot[1]], spot[0][spot[1]]]

    def _swap(self, spot: Spot) -> None:
        keys = list(spot[0]) if isinstance(spot[0], dict) else range(len(spot[0]))
        other = self.rng.choice(keys)
        spot[0][spot[1]], spot[0][other] = spot[0][other], spot[0][spot[1]]

    def _shuffle(self, spot: Spot) -> None:
        found = spot[0][spot[1]]
        if isinstance(found, list):
            self.rng.shuffle(found)

    def _bury(self, spot: Spot) -> None:
        for _ in range(self.rng.choice((1, 2, 150))):
            spot[0][spot[1]] = [spot[0][spot[1]]]

    def _scratch(self, spot: Spot) -> None:
        """Damage inside a text, such as a list written into one."""
        found = spot[0][spot[1]]
        if not isinstance(found, str) or not found:
            return self._junk(spot)
        at = self.rng.randrange(len(found))
        changed = (
            found[:at],
            found[at:],
            found[:at] + self.rng.choice(LETTERS) + found[at + 1 :],
            found * 2,
            found.upper(),
            json.dumps(found),
            found.replace('"', ""),
        )
        spot[0][spot[1]] = self.rng.choice(changed)
        return None

    def _nudge(self, spot: Spot) -> None:
        """A number that is still one, but absurd or slightly off."""
        found = spot[0][spot[1]]
        factor = self.rng.choice(("-1", "0", "2", "1000", "0.999", "1e-9"))
        if isinstance(found, int | Decimal) and not isinstance(found, bool):
            spot[0][spot[1]] = EXACT.multiply(Decimal(found), Decimal(factor))
        elif isinstance(found, str) and found.replace(".", "", 1).isdecimal() and len(found) < 30:
            spot[0][spot[1]] = f"{EXACT.multiply(Decimal(found), Decimal(factor)):f}"
        else:
            self._junk(spot)

    def _edge(self, spot: Spot) -> None:
        """A number moved to the edge of what a price may be, in the same notation."""
        found = spot[0][spot[1]]
        edge = self.rng.choice(("0", "1", "0.0", "1.0", "1.000001", "0.0000001"))
        is_text = isinstance(found, str)
        spot[0][spot[1]] = edge if is_text and found[:1] in "0.1" else Decimal(edge)


def to_bytes(tree: Any) -> bytes:
    """A damaged tree as a server would send it, NaN and lone surrogates included."""
    return json.dumps(tree, default=float).encode()


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree
