"""importhistory: a foreign file becomes a recording, or one sentence says why not."""

from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from markets import archive
from markets.core import book as books
from markets.core.book import Pair
from markets.core.tick import Tick
from markets.core.types import ONE
from markets.sources.foreign import condition_id
from markets.sources.mlb_books import COLUMNS
from tests import builders as b

SHARED = next(
    (
        folder / "shared" / "data" / "books_mlb_both_tokens.parquet"
        for folder in Path(__file__).resolve().parents
        if (folder / "shared" / "data" / "books_mlb_both_tokens.parquet").is_file()
    ),
    None,
)
Line = dict[str, Any]


def book_lines(
    at: int, token: str, bids: list[tuple[float, float]], asks: list[tuple[float, float]],
    game: str = "game-a",
) -> list[Line]:  # fmt: skip
    """One book as the foreign file writes it, worst level first."""
    return [
        {
            "market_slug": game, "snapshot_id": 1, "token_id": token, "ts": at, "side": side,
            "level": level, "price": price, "size": size,
        }
        for side, rows in (("bid", bids), ("ask", asks))
        for level, (price, size) in reversed(list(enumerate(rows, 1)))
    ]  # fmt: skip


def pair_lines(at: int, bid: float = 0.4, ask: float = 0.42, game: str = "game-a") -> list[Line]:
    """Both tokens' books at one instant, mirror of each other."""
    first = book_lines(at, f"1{len(game)}", [(bid, 10.5)], [(ask, 7)], game)
    return first + book_lines(at, f"2{len(game)}", [(1 - ask, 7)], [(1 - bid, 10.5)], game)


def foreign_file(folder: Path, lines: list[Line], **change: pa.Array) -> Path:
    names = list(COLUMNS)
    columns = {name: pa.array([line[name] for line in lines]) for name in names}
    columns["ts"] = pa.array([line["ts"] for line in lines], pa.timestamp("ms", tz="UTC"))
    columns |= change
    path = folder / "foreign.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def imported(source: Path, *options: str) -> tuple[list[Tick], str]:
    out = StringIO()
    target = source.with_name("recording.parquet")
    stated = ("--fee-rate", "0.05", "--end-date", "2026-06-26T00:00:00Z")
    call_command(
        "importhistory", str(source), "--to", str(target), "--format", "mlb_books",
        *(options or stated), stdout=out,
    )  # fmt: skip
    return list(archive.read_recording(target)), out.getvalue()


def test_each_instant_becomes_a_tick_and_other_markets_are_carried(tmp_path: Path) -> None:
    at = b.NOON
    lines = pair_lines(at) + pair_lines(at + 5, game="game-bb") + pair_lines(at + 9, bid=0.41)

    ticks, told = imported(foreign_file(tmp_path, lines))

    assert [tick.at for tick in ticks] == [at, at + 5, at + 9]
    one, two = (ticks[0].universe.column[condition_id(game)] for game in ("game-a", "game-bb"))
    assert [int(tick.observed_at[one]) for tick in ticks] == [at, at, at + 9]
    assert [int(tick.observed_at[two]) for tick in ticks] == [0, at + 5, at + 5]
    assert [int(tick.bid[one]) for tick in ticks] == [400_000, 400_000, 410_000]
    assert int(ticks[2].bid_size[one]) == 10_500_000
    assert told.startswith("Recorded 3 ticks of 2 markets")


def test_what_the_file_does_not_say_is_stated_or_unknown(tmp_path: Path) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON))

    (tick,), _ = imported(
        source, "--fee-rate", "0.05", "--end-date", "2026-01-02T13:00:00+01:00",
        "--min-size", "15", "--tick-size", "0.001",
    )  # fmt: skip
    terms = tick.universe.markets[0].terms
    assert terms.fee is not None
    assert (terms.fee.rate, terms.end_at) == (50_000, b.NOON + b.DAY)
    assert (terms.min_size, terms.tick_size) == (15 * ONE, 1_000)

    (tick,), told = imported(source, "--replace")
    terms = tick.universe.markets[0].terms
    assert (terms.fee, terms.end_at) == (None, None)
    assert (terms.min_size, terms.tick_size) == (5 * ONE, 10_000)
    assert "nothing will trade" in told


def test_the_grid_is_found_from_the_prices(tmp_path: Path) -> None:
    lines = pair_lines(b.NOON) + pair_lines(b.NOON, bid=0.415, game="game-bb")

    (tick,), _ = imported(foreign_file(tmp_path, lines))

    found = {market.slug: market.terms.tick_size for market in tick.universe.markets}
    assert found == {"game-a": 10_000, "game-bb": 1_000}


def test_a_one_sided_book_is_masked(tmp_path: Path) -> None:
    at = b.NOON
    lines = book_lines(at, "1", [], [(0.01, 5)]) + book_lines(at, "2", [(0.99, 5)], [])

    (tick,), _ = imported(foreign_file(tmp_path, lines))

    assert (tick.bid_valid[0], tick.ask_valid[0]) == (False, True)
    assert (int(tick.bid[0]), int(tick.bid_size[0]), int(tick.ask[0])) == (0, 0, 10_000)
    assert not tick.coherent[0]


def test_absurd_books_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = pair_lines(b.NOON) + pair_lines(b.NOON + 5, bid=0.42) + pair_lines(b.NOON + 9)

    ticks, told = imported(foreign_file(tmp_path, lines))

    assert [tick.at for tick in ticks] == [b.NOON, b.NOON + 9]
    assert "Left out or flagged: 1 x CROSSED." in told


def test_a_pair_that_is_no_mirror_is_kept_apart_and_flagged(tmp_path: Path) -> None:
    at = b.NOON
    lines = book_lines(at, "1", [(0.4, 5)], [(0.42, 5)]) + book_lines(
        at, "2", [(0.5, 5)], [(0.6, 5)]
    )

    (tick,), told = imported(foreign_file(tmp_path, lines))

    assert not tick.coherent[0]
    assert tick.book("2").bids == b.levels(("0.5", 5))
    assert "1 x MIRROR_GAP" in told


def test_books_read_within_half_a_second_are_one_read(tmp_path: Path) -> None:
    at = b.NOON
    first = book_lines(at, "1", [(0.4, 5)], [(0.42, 5)])
    second = book_lines(at + 500, "2", [(0.58, 5)], [(0.6, 5)])
    late = book_lines(at + 9_000, "1", [(0.4, 5)], [(0.42, 5)])
    too_late = book_lines(at + 9_501, "2", [(0.58, 5)], [(0.6, 5)])

    ticks, told = imported(foreign_file(tmp_path, first + second + late + too_late))

    assert [tick.at for tick in ticks] == [at + 500]
    assert ticks[0].coherent[0]
    assert "2 x UNPAIRED" in told


def test_markets_and_tokens_keep_their_identity(tmp_path: Path) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON))

    (tick,), _ = imported(source)
    (again,), _ = imported(source, "--replace")

    (market,) = tick.universe.markets
    assert (market.yes.id, market.no.id) == ("16", "26")
    assert market.id == condition_id("game-a") == again.universe.markets[0].id
    assert len(market.id) == 66
    assert market.id.startswith("0x")


def test_two_names_of_one_pair_of_tokens_are_one_market(tmp_path: Path) -> None:
    renamed = [line | {"market_slug": "aa-later-name"} for line in pair_lines(b.NOON + 5)]

    ticks, told = imported(foreign_file(tmp_path, renamed + pair_lines(b.NOON)))

    assert len(ticks) == 2
    assert [market.slug for market in ticks[0].universe.markets] == ["game-a"]
    assert "aa-later-name has the tokens of game-a: taken as one market." in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"color": pa.array(["red"] * 4)}, "column 'color' is not known"),
        ({"side": pa.array(["bid", "buy", "bid", "ask"])}, "row 2: column 'side' is 'buy'"),
        ({"price": pa.array([0.4, 0.42, float("nan"), 0.6])}, "row 3: column 'price' is nan"),
        ({"size": pa.array([1.0, -1.0, 1.0, 1.0])}, "row 2: column 'size' is -1.0"),
        ({"size": pa.array(["1", "1", "1", "1"])}, "row 1: column 'size' is '1'"),
        ({"price": pa.array([0.4, 0.42, 0.58, 0.60001])}, "no grid"),
        ({"token_id": pa.array(["1", "1", "2", "3"])}, "game-a: 3 tokens"),
        ({"token_id": pa.array(["1", "1", "2", None])}, "row 4: column 'token_id' is empty"),
        ({"ts": pa.array(["a", "b", "c", "d"])}, "column 'ts' holds no UTC times"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_column(
    tmp_path: Path, change: dict[str, pa.Array], said: str
) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON), **change)

    with pytest.raises(CommandError, match=said):
        imported(source)
    assert not source.with_name("recording.parquet").exists()


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON))
    pq.write_table(pq.read_table(source).drop_columns(["level"]), source)

    with pytest.raises(CommandError, match="column 'level' is missing"):
        imported(source)


def test_a_recording_is_not_overwritten_unasked(tmp_path: Path) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON))
    imported(source)

    with pytest.raises(CommandError, match="add --replace"):
        imported(source)
    with pytest.raises(CommandError, match="There is no file"):
        imported(tmp_path / "absent.parquet")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--fee-rate", "5", "must be below 1"),
        ("--fee-rate", "nan", "must be 0 or more"),
        ("--fee-rate", "cheap", "no decimal number"),
        ("--end-date", "2026-06-26", "needs a zone"),
        ("--end-date", "soon", "no time such as"),
        ("--tick-size", "0.03", "must divide 1"),
        ("--depth-levels", "0", "from 1 to 255"),
        ("--format", "unknown", "invalid choice"),
    ],
)
def test_wrong_options_are_refused_by_name(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    source = foreign_file(tmp_path, pair_lines(b.NOON))

    with pytest.raises(CommandError, match=f"{option}: .*{said}"):
        imported(source, option, value)


@pytest.mark.skipif(SHARED is None, reason="no shared/data beside the checkout")
def test_recorded_baseball_games_come_through_whole(tmp_path: Path) -> None:
    assert SHARED is not None
    source = tmp_path / "games.parquet"
    source.symlink_to(SHARED)

    ticks, told = imported(source)

    assert told.startswith("Recorded 1058 ticks of 18 markets")
    assert "1 x UNPAIRED" in told
    assert "8 x ONE_SIDED" in told
    assert told.count("Left out") == 2
    assert told.count("taken as one market") == 1
    assert {m.terms.tick_size for m in ticks[0].universe.markets} == {1_000, 10_000}
    read_milliseconds_apart = 0
    for before, tick in pairwise(ticks):
        fresh = (tick.observed_at > before.observed_at).nonzero()[0]
        assert len(fresh)
        for column in fresh.tolist():
            market = tick.universe.markets[column]
            yes, no = tick.book(market.yes.id), tick.book(market.no.id)
            assert tick.coherent[column] == tick.two_sided[column]
            read_milliseconds_apart += no != books.mirror(yes, market.no.id)
            assert books.incoherence(Pair(yes, no), market.terms.tick_size) is None
    assert read_milliseconds_apart == 9
