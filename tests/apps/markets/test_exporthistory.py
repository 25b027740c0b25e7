"""exporthistory: every format says exactly what was collected, and a recording comes back."""

import csv
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from markets import archive
from markets.archive import exports
from markets.core.types import ONE
from tests.builders import NOON
from tests.pasts import HOUR, Past, collection, same


@pytest.fixture(autouse=True)
def _configured(settings, tmp_path):
    settings.PQAP = SimpleNamespace(collection=collection())
    settings.PATHS = SimpleNamespace(archive=tmp_path / "archive")


@pytest.fixture
def past(past_of):
    """Some days, the whole ones in the archive."""
    return past_of(21, 50, sealed=True)


def export(*arguments) -> str:
    out = StringIO()
    call_command("exporthistory", *(str(each) for each in arguments), stdout=out)
    return out.getvalue()


def expected(past: Past) -> list[tuple]:
    """The rows as they were assembled, in micro-units."""
    return [
        (
            tick.at, tick.id, market.id,
            int(tick.bid[i]) if tick.bid_valid[i] else None,
            int(tick.ask[i]) if tick.ask_valid[i] else None,
            int(tick.bid_size[i]) if tick.bid_valid[i] else None,
            int(tick.ask_size[i]) if tick.ask_valid[i] else None,
            int(tick.observed_at[i]), int(tick.venue_at[i]), bool(tick.coherent[i]),
        )
        for tick in past.made
        for i, market in enumerate(tick.universe.markets)
        if tick.observed_at[i]
    ]  # fmt: skip


def micro(text: str) -> int | None:
    return int(Decimal(text) * ONE) if text else None


def test_parquet_holds_every_quote(past, tmp_path):
    told = export(tmp_path / "all.parquet")

    rows = [tuple(row.values()) for row in pq.read_table(tmp_path / "all.parquet").to_pylist()]
    assert rows == expected(past)
    assert told.startswith(f"Wrote {len(rows)} rows of {len(past.made)} ticks")


def test_csv_is_exact_to_the_last_digit(past, tmp_path):
    export(tmp_path / "all.csv")

    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    made = expected(past)
    assert len(rows) == len(made)
    for row, line in zip(rows, made, strict=True):
        assert row["time"] == exports.iso(line[0])
        assert (int(row["tick"]), row["market"]) == line[1:3]
        read = tuple(micro(row[name]) for name in ("bid", "ask", "bid_size", "ask_size"))
        assert read == line[3:7]
        assert (row["observed"], row["changed"]) == (exports.iso(line[7]), exports.iso(line[8]))
        assert row["coherent"] == str(int(line[9]))


def test_prints_and_outcomes_go_to_files_of_their_own(past, tmp_path):
    export(tmp_path / "all.csv", "--prints", tmp_path / "trades.parquet",
           "--outcomes", tmp_path / "said.csv")  # fmt: skip

    trades = pq.read_table(tmp_path / "trades.parquet").to_pylist()
    made = [(tick.at, made) for tick in past.made for made in tick.prints]
    assert [(t["learnt_at"], t["at"], t["market"], t["price"], t["size"]) for t in trades] == [
        (at, each.at, each.market, each.price, each.size) for at, each in made
    ]
    with (tmp_path / "said.csv").open(newline="") as file:
        said = [(row["learnt"], row["market"], row["status"], row["yes_payout"],
                 row["no_proposed"])
                for row in csv.DictReader(file)]  # fmt: skip
    assert said == [
        (exports.iso(tick.at), each.market, each.status.value,
         exports.decimal(each.payouts[0]) if each.payouts else "",
         exports.decimal(each.proposed[1]) if each.proposed else "")
        for tick in past.made for each in tick.resolutions
    ]  # fmt: skip
    assert made
    assert said


def test_a_recording_comes_back_equal_through_importhistory(past, tmp_path):
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    export(first, "--format", "recording")
    call_command("importhistory", str(first), "--to", str(second), "--format", "recording",
                 stdout=StringIO())  # fmt: skip

    for path in (first, second):
        read = list(archive.read_recording(path))
        assert len(read) == len(past.made)
        for found, made in zip(read, past.made, strict=True):
            same(found, made)


def test_market_span_and_spacing_choose_what_is_written(past, tmp_path):
    market = past.made[0].universe.markets[0]
    since, until = past.made[5].at, past.made[-5].at
    export(tmp_path / "one.parquet", "--market", market.slug, "--every", "3600",
           "--from", exports.iso(since), "--to", exports.iso(until))  # fmt: skip

    rows = pq.read_table(tmp_path / "one.parquet").to_pylist()
    with_it = [t for t in past.made if since <= t.at < until and market.id in t.universe.column]
    last = {tick.at // HOUR: tick for tick in with_it}
    seen = [t.id for t in last.values() if t.observed_at[t.universe.column[market.id]]]
    assert [row["tick"] for row in rows] == seen
    assert {row["market"] for row in rows} == {market.id}
    assert len(seen) < len(with_it)


def test_a_spaced_recording_loses_no_news(past, tmp_path):
    path = tmp_path / "hourly.parquet"
    export(path, "--format", "recording", "--every", "3600")

    read = list(archive.read_recording(path))
    assert len(read) == len({tick.at // HOUR for tick in past.made})
    for name in ("resolutions", "prints", "past"):
        kept = sorted((x for tick in read for x in getattr(tick, name)), key=repr)
        assert kept == sorted((x for tick in past.made for x in getattr(tick, name)), key=repr)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["out.txt"], "neither in .csv nor in .parquet"),
        (["out.csv", "--format", "parquet"], "must end in .parquet"),
        (["out.csv", "--market", "nothing"], "no market has the id or slug 'nothing'"),
        (["out.csv", "--from", "2026-01-03", "--to", "2026-01-02"], "--from must be before --to"),
        (["out.csv", "--from", "yesterday"], "'yesterday' is no time such as"),
        (["out.csv", "--from", "2026-01-03T12:00:00"], "needs a zone"),
        (["out.csv", "--every", "0"], "a whole number of seconds, 1 or more"),
        (["out.csv", "--prints", "out.csv"], "a name of its own"),
        (["out.parquet", "--format", "recording", "--prints", "p.csv"], "holds prints"),
        (["out.csv", "--to", "2020-01-01"], "no ticks in this span"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(db, tmp_path, arguments, told, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CommandError, match=f"(?i){told}"):
        export(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_overwritten_unasked(past, tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("mine")

    with pytest.raises(CommandError, match="exists"):
        export(path)
    assert path.read_text() == "mine"
    export(path, "--replace")
    assert path.read_text().startswith("time,tick,market,bid,ask")


def test_decimals_are_exact():
    spelled = {0: "0", 1: "0.000001", 420_000: "0.42", ONE: "1", 12_345_670_000: "12345.67"}
    assert {value: exports.decimal(value) for value in spelled} == spelled
    assert exports.iso(NOON + 7) == "2026-01-01T12:00:00.007Z"
