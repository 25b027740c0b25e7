"""The world as bytes and back: plain numbers in fixed order, compressed."""

import struct
import zlib
from dataclasses import astuple, fields

import numpy as np
from numpy.typing import NDArray

from markets.sources.synthetic.world import Past, Running, World

MAGIC = b"PQAPW1\n"
_HEAD = struct.Struct("<qqqqiii")
_RUNNING, _PAST = len(fields(Running)), len(fields(Past))
_COLUMNS = (
    ("weight", np.dtype("<f4")),
    ("noise", np.dtype("<f4")),
    ("shown", np.dtype("<i4")),
    ("spread", np.dtype("<i4")),
    ("revision", np.dtype("<i4")),
    ("touched_at", np.dtype("<i8")),
)


class ForeignCheckpoint(ValueError):
    """The bytes are no checkpoint of this version of the simulated world."""


def pack(world: World) -> bytes:
    """The whole world in a few kilobytes; equal worlds pack to equal bytes."""
    head = _HEAD.pack(
        world.seed,
        world.regular,
        world.at,
        world.step,
        len(world.running),
        len(world.past),
        len(world.weight),
    )
    facts = [each for fact in (*world.running, *world.past) for each in astuple(fact)]
    columns = (getattr(world, name).astype(kind).tobytes() for name, kind in _COLUMNS)
    body = b"".join((head, np.array(facts, dtype="<i8").tobytes(), *columns))
    return MAGIC + zlib.compress(body, 1)


def unpack(blob: bytes) -> World:
    """The world that `pack` wrote."""
    if not blob.startswith(MAGIC):
        raise ForeignCheckpoint("These bytes are no checkpoint of this simulated exchange.")
    try:
        return _read(zlib.decompress(blob[len(MAGIC) :]))
    except (zlib.error, struct.error, ValueError) as error:
        raise ForeignCheckpoint(f"This checkpoint is damaged: {error}") from error


def _read(body: bytes) -> World:
    seed, regular, at, step, running, past, rows = _HEAD.unpack_from(body)
    offset = _HEAD.size

    def take(count: int, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
        nonlocal offset
        found = np.frombuffer(body, kind, count, offset)
        offset += found.nbytes
        return found.astype(kind.newbyteorder("="))

    whole = np.dtype("<i8")
    lines = take(running * _RUNNING, whole).reshape(-1, _RUNNING).tolist()
    paid = take(past * _PAST, whole).reshape(-1, _PAST).tolist()
    return World(
        seed,
        regular,
        at,
        step,
        tuple(Running(*line) for line in lines),
        tuple(Past(*line) for line in paid),
        **{name: take(rows, kind) for name, kind in _COLUMNS},
    )
