"""A recording gives back the very ticks that were written, and never half of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from markets import archive
from markets.core import assembly
from markets.core.tick import Tick, Universe, empty
from markets.core.types import ONE, Resolution, Status
from markets.sources import replay
from markets.sources.recording import FLAGS, INTS, NotARecording
from markets.sources.synthetic import SyntheticSource
from tests import builders as b


def assert_same(one: Tick, other: Tick) -> None:
    """Equal in every column's values and types, every byte of depth, every fact and term."""
    for name in (*INTS, *FLAGS):
        before, after = getattr(one, name), getattr(other, name)
        assert before.dtype == after.dtype, name
        assert np.array_equal(before, after), name
    assert (one.id, one.at, one.depth) == (other.id, other.at, other.depth)
    assert dict(one.no_depth) == dict(other.no_depth)
    assert one.resolutions == other.resolutions
    assert one.universe.version == other.universe.version
    assert one.universe.markets == other.universe.markets


def lived(seed: int, count: int, every: int = 3_600_000) -> Iterator[Tick]:
    """Ticks of the simulated exchange: flawed reads, outcomes, markets coming and going."""
    source = SyntheticSource(seed=seed, events=6)
    tick, version = None, 0
    for number in range(count):
        at = b.NOON + number * every
        markets = tuple(source.markets(at))
        if tick is None or tick.universe.markets != markets:
            version += 1
            universe = Universe(version, markets)
        tokens = [token.id for market in markets for token in market.tokens]
        found = source.books(tokens, at)
        tick, _ = assembly.assemble(
            universe,
            tick or empty(universe),
            books=found,
            refused=source.refused,
            resolutions=source.resolutions([market.id for market in markets], at),
            depth_levels=10,
        )
        assert tick is not None
        yield tick


@pytest.mark.parametrize("group_rows", [1, 60, 100_000])
def test_a_recorded_life_comes_back_exactly(tmp_path: Path, group_rows: int) -> None:
    seed = 12
    print("seed", seed)
    written = list(lived(seed, 60))
    path = tmp_path / "life.parquet"

    assert archive.write_recording(path, iter(written), group_rows=group_rows) == len(written)

    read = list(archive.read_recording(path))
    assert len(read) == len(written)
    for before, after in zip(written, read, strict=True):
        assert_same(before, after)
    assert any(tick.no_depth for tick in written)
    assert any(tick.resolutions for tick in written)
    assert len({tick.universe.version for tick in written}) > 3


def test_ticks_of_one_universe_share_it(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, [b.tick(at=b.NOON + n, id=n + 1) for n in range(4)], 2)

    assert len({id(tick.universe) for tick in replay.ticks(path)}) == 1


def test_unread_markets_empty_sides_and_unknown_terms_survive(tmp_path: Path) -> None:
    world = b.universe(b.market("m-1", fee_rate=None, end_at=None), b.market("m-2"))
    alone = b.book("yes-1", bids=[], asks=[("0.02", 5)])
    said = (
        Resolution("m-2", Status.PROPOSED, b.NOON - 5, proposed=(0, ONE)),
        Resolution("m-2", Status.RESOLVED, b.NOON, (ONE // 2, ONE // 2)),
    )
    tick = b.tick(world, {"yes-1": alone}, id=9, resolutions=said)
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, [tick])

    (read,) = archive.read_recording(path)
    assert_same(tick, read)
    assert read.book("no-1") == tick.book("no-1")
    assert read.touch("yes-1") == (None, 20_000)


def test_a_depth_that_returns_is_not_mistaken_for_an_unchanged_one(tmp_path: Path) -> None:
    sizes = [10, 10, 20, 10, 10]
    ticks = [
        b.tick(yes_books={"yes-1": b.book(bids=[("0.4", size)], at=b.NOON + n)}, at=b.NOON + n)
        for n, size in enumerate(sizes)
    ]
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, ticks)

    assert [tick.depth for tick in archive.read_recording(path)] == [t.depth for t in ticks]
    assert pq.read_table(path)["depth"].null_count == 2


def test_ticks_out_of_order_are_refused_and_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"

    with pytest.raises(ValueError, match="does not come after"):
        archive.write_recording(path, [b.tick(at=b.NOON), b.tick(at=b.NOON)])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_recording_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, [b.tick()])
    before = path.read_bytes()

    def failing() -> Iterator[Tick]:
        yield b.tick()
        raise RuntimeError("the reader gave up")

    with pytest.raises(RuntimeError):
        archive.write_recording(path, failing())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_with_rows_missing_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short:
        num_rows = 0

    monkeypatch.setattr(pq, "read_metadata", lambda path: Short())
    with pytest.raises(NotARecording, match="holds 0 rows, 1 were written"):
        archive.write_recording(tmp_path / "ticks.parquet", [b.tick()])
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.parquet", tmp_path / "foreign.parquet"
    text.write_text("not parquet")
    pq.write_table(pa.table({"price": [1.0]}), foreign)

    with pytest.raises(NotARecording, match=r"notes\.parquet cannot be read"):
        archive.read_recording(text)
    with pytest.raises(NotARecording, match="no recording of format"):
        archive.read_recording(foreign)
    with pytest.raises(NotARecording, match="cannot be read"):
        archive.read_recording(tmp_path / "absent.parquet")


def test_replay_shows_the_recorded_books_on_the_asking_clock(tmp_path: Path) -> None:
    ticks = [
        b.tick(
            yes_books={"yes-1": b.book(bids=[("0.4", n + 1)], at=b.NOON + n * 10_000)},
            at=b.NOON + n * 10_000,
            id=n + 1,
        )
        for n in range(5)
    ]
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, ticks)
    began = b.NOON + 400 * b.DAY
    source = replay.ReplaySource(recording=path, speed=4)

    sizes = {}
    for after in (0, 2_499, 2_500, 9_000, 10_000):
        book = source.books(["yes-1"], began + after)["yes-1"]
        sizes[after] = (book.bids[0].size // ONE, book.observed_at - began)

    assert sizes == {0: (1, 0), 2_499: (1, 0), 2_500: (2, 2_500), 9_000: (4, 7_500),
                     10_000: (5, 10_000)}  # fmt: skip
    (market,) = source.markets(began + 10_000)
    assert market.terms.end_at == began + 30 * b.DAY // 4
    with pytest.raises(replay.SourceDown, match="shown to its end"):
        source.books(["yes-1"], began + 10_001)


def test_replay_starts_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, [b.tick(at=b.NOON + n * 10_000, id=n + 1) for n in range(5)])
    source = replay.ReplaySource(recording=path, start=b.NOON + 20_000)

    book = source.books(["yes-1"], b.NOON + b.DAY)["yes-1"]

    assert book.observed_at == b.NOON + b.DAY
    with pytest.raises(ValueError, match="speed"):
        replay.ReplaySource(recording=path, speed=0)


def test_replay_shows_a_torn_pair_torn_and_a_carried_book_old(tmp_path: Path) -> None:
    world = b.universe(b.market("m-1"), b.market("m-2"))
    first = b.tick(world, {m.yes.id: b.book(m.yes.id) for m in world.markets})
    at = b.NOON + 10_000
    torn = replace(
        first,
        at=at,
        id=2,
        observed_at=np.array([at, b.NOON]),
        coherent=np.array([False, True]),
    )
    path = tmp_path / "ticks.parquet"
    archive.write_recording(path, [first, torn])
    source = replay.ReplaySource(recording=path, speed=20)
    tokens = [token.id for market in world.markets for token in market.tokens]
    universe = Universe(1, tuple(source.markets(b.NOON)))
    shown = empty(universe)
    for asked in (b.NOON, b.NOON + 500):
        tick, flaws = assembly.assemble(
            universe, shown, books=source.books(tokens, asked), refused={}, depth_levels=10
        )
        assert tick is not None
        shown = tick

    assert shown.coherent.tolist() == [False, True]
    assert shown.observed_at.tolist() == [b.NOON + 500, b.NOON]
    assert [flaw.code.value for flaw in flaws] == ["TORN"]
