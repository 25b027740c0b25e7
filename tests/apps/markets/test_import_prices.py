"""Foreign prices become past bars: for statistics, told apart from what was seen, never ticks."""

from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from markets import models
from markets.core.bars import BAR_MS
from markets.core.types import PastBar
from markets.services import collect, universe
from markets.sources import pastfile
from markets.sources.foreign import condition_id
from markets.sources.recording import NotARecording
from markets.sources.tables import instant, price
from tests import misbehaving
from tests.apps.markets import foreignfiles as files
from tests.builders import NOON, market
from tests.misbehaving import Told

KEY = "0x" + "a" * 64
COLUMNS = "id, timestamp, market_id, yes_price, no_price, volume"


def old(folder: Path, *rows: tuple, columns: str = COLUMNS) -> Path:
    return files.database(folder / "market_history.db", columns, rows)


def bars(source: Path, format: str = "market_history") -> tuple[list[PastBar], str]:
    target, told = files.imported(source, format)
    return list(pastfile.read(target)), told


class TestOldHistory:
    def test_prices_become_five_minute_closes(self, tmp_path):
        at = NOON / 1_000
        rows = [
            (1, at + 1, KEY, 0.40, 0.60, 5),
            (2, at + 299, KEY, 0.41, 0.59, 5),
            (3, at + 900, KEY, None, 0.55, 5),
            (4, at, "559666", "0.7", None, None),
        ]

        found, told = bars(old(tmp_path, *rows))

        assert found == sorted(
            [
                PastBar(KEY, NOON + BAR_MS, 410_000),
                PastBar(KEY, NOON + 4 * BAR_MS, 450_000),
                PastBar(condition_id("559666"), NOON + BAR_MS, 700_000),
            ],
            key=lambda bar: (bar.market, bar.at),
        )
        assert told.startswith("Wrote 3 past bars of 2 markets")
        assert "Columns not read: id, volume." in told

    @pytest.mark.parametrize(
        "written",
        [
            NOON // 1_000, NOON, NOON * 1_000, NOON * 1_000_000, NOON / 1_000, str(NOON),
            "2026-01-01 12:00:00", "2026-01-01T12:00:00Z", "2026-01-01T13:00:00.000+01:00",
        ],
    )  # fmt: skip
    def test_times_are_read_in_any_usual_notation(self, tmp_path, written):
        found, _ = bars(old(tmp_path, (1, written, KEY, 0.4, 0.6, 1)))

        assert [bar.at for bar in found] == [NOON + BAR_MS]

    @pytest.mark.parametrize(
        "columns",
        [
            "ts, condition_id, yes, no",
            "time, market, price_yes, price_no",
            "at, market_id, yes_price, no",
        ],
    )
    def test_columns_may_have_other_names(self, tmp_path, columns):
        found, _ = bars(old(tmp_path, (NOON, KEY, 0.4, 0.6), columns=columns))

        assert found == [PastBar(KEY, NOON + BAR_MS, 400_000)]

    def test_a_condition_id_is_preferred_to_another_id(self, tmp_path):
        columns = "ts, market_id, condition_id, yes_price"

        found, told = bars(old(tmp_path, (NOON, "17", KEY, 0.4), columns=columns))

        assert [bar.market for bar in found] == [KEY]
        assert "Columns not read: market_id." in told

    def test_what_cannot_be_used_is_left_out_and_counted_by_reason(self, tmp_path):
        rows = [
            (1, NOON, KEY, 0.4, 0.6, 1),
            (2, NOON, "", 0.4, 0.6, 1),
            (3, "soon", KEY, 0.4, 0.6, 1),
            (4, 12, KEY, 0.4, 0.6, 1),
            (5, NOON, KEY, None, None, 1),
            (6, NOON, KEY, 40, 60, 1),
            (7, NOON, KEY, "cheap", 0.6, 1),
            (8, NOON, KEY, 0.4, 0.5, 1),
            (9, NOON, KEY, 1.0, 0.0, 1),
        ]

        found, told = bars(old(tmp_path, *rows))

        assert len(found) == 1
        counted = {line.split()[-1].rstrip("."): line.split()[-3] for line in told.splitlines()[2:]}
        assert counted == {
            "NO_MARKET": "1", "BAD_TIME": "2", "NO_PRICE": "1", "BAD_PRICE": "2", "NOT_ONE": "1",
            "CERTAIN": "1",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            ("ts, market_id, colour", "no column for 'yes'; it may be called yes_price"),
            ("ts, yes_price, no_price", "no column for 'market'.*columns are: ts, yes_price"),
            ("day, market_id, yes_price", "no column for 'time'"),
        ],
    )
    def test_a_missing_column_is_refused_with_what_is_there(self, tmp_path, columns, said):
        with pytest.raises(CommandError, match=said):
            bars(old(tmp_path, columns=columns))

    def test_other_files_are_refused(self, tmp_path):
        text = tmp_path / "text.db"
        text.write_text("this is no database, whatever its name may say")
        with pytest.raises(CommandError, match="cannot be read as an SQLite database"):
            bars(text)
        other = files.database(tmp_path / "other.db", "a", [], table="prices")
        with pytest.raises(CommandError, match=r"market_snapshots. The tables are: prices"):
            bars(other)
        with pytest.raises(CommandError, match="no row holds a price"):
            bars(old(tmp_path, (1, "soon", KEY, 0.4, 0.6, 1)))

    def test_the_old_file_is_not_changed(self, tmp_path):
        source = old(tmp_path, (1, NOON, KEY, 0.4, 0.6, 1))
        before = source.read_bytes()

        bars(source)

        assert source.read_bytes() == before
        assert {path.name for path in tmp_path.iterdir()} == {source.name, "imported.parquet"}


class TestGenericPrices:
    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_a_row_a_market_and_instant(self, tmp_path, kind):
        lines = [
            {"market": "a", "time": NOON + n * BAR_MS, "yes_price": 0.4 + n / 100} for n in range(3)
        ]

        found, _ = bars(getattr(files, kind)(tmp_path / f"p.{kind}", lines), "generic_prices")

        assert [bar.price for bar in found] == [400_000, 410_000, 420_000]

    def test_a_row_an_outcome(self, tmp_path):
        lines = [
            {"market": "a", "time": NOON + at, "outcome": outcome, "price": price}
            for at, outcome, price in (
                (0, "Yes", 0.4), (1, "No", 0.61), (BAR_MS, "No", 0.55), (0, "Maybe", 0.1),
            )
        ]  # fmt: skip

        found, told = bars(files.csv(tmp_path / "p.csv", lines), "generic_prices")

        assert [bar.price for bar in found] == [400_000, 450_000]
        assert "1 x OTHER_OUTCOME" in told

    @pytest.mark.parametrize(
        ("name", "markets", "most_gaps"),
        [
            pytest.param("prices_1m_btc_range", 450, 0.02, marks=pytest.mark.slow),
            ("snapshots_5m_polymarket", 73, 1),
        ],
    )
    def test_recorded_prices_come_through(self, tmp_path, name, markets, most_gaps):
        source = tmp_path / "prices.parquet"
        source.symlink_to(files.shared(name))

        found, told = bars(source, "generic_prices")

        assert f"of {markets} markets" in told
        assert all(bar.at % BAR_MS == 0 and 0 < bar.price < 1_000_000 for bar in found)
        if name == "prices_1m_btc_range":
            assert "1800 x NO_PRICE" in told  # 0.28 % in this part of the data
            assert len(found) > (1 - most_gaps) * markets * 288

    def test_hourly_prices_stay_sparse(self, tmp_path):
        source = tmp_path / "prices.parquet"
        source.symlink_to(files.shared("prices_1h"))

        found, told = bars(source, "generic_prices")

        assert "of 16 markets" in told
        assert len(found) < 19_362 / 2 * 1.02  # both outcomes make one line, nothing is filled in


class TestKalshiQuotes:
    def test_the_middle_of_both_bids_is_the_price(self, tmp_path):
        lines = [
            {
                "event": "e", "market_ticker": "KX", "ts": NOON + n * BAR_MS,
                "yes_bid_cents": yes, "no_bid_cents": no, "n_updates": 1,
            }
            for n, (yes, no) in enumerate([(18, 81), (0, 81), (60, 41), (30, 60)])
        ]  # fmt: skip

        found, told = bars(files.parquet(tmp_path / "q.parquet", lines, "ts"), "kalshi_quotes")

        assert [bar.price for bar in found] == [185_000, 350_000]
        assert "1 x ONE_SIDED" in told
        assert "1 x CROSSED" in told

    def test_recorded_quotes_come_through(self, tmp_path):
        source = tmp_path / "quotes.parquet"
        source.symlink_to(files.shared("quotes_1m_kalshi_nyc_temp"))

        found, told = bars(source, "kalshi_quotes")

        assert "of 102 markets" in told
        assert told.count("Left out") == 1
        assert "834 x ONE_SIDED" in told  # 1.4 % of the rows
        assert len(found) == 19_700


class TestFile:
    def test_bars_come_back_as_written(self, tmp_path):
        line = {NOON + n * BAR_MS: 500_000 + n for n in range(3)}

        written = pastfile.write(tmp_path / "p.parquet", {"m-2": line, "m-1": line}, {})

        found = list(pastfile.read(tmp_path / "p.parquet"))
        assert written == 6
        assert found == [PastBar(m, at, p) for m in ("m-1", "m-2") for at, p in line.items()]

    def test_another_file_is_refused(self, tmp_path):
        other = files.csv(tmp_path / "p.csv", [{"a": 1}])
        with pytest.raises(NotARecording, match="cannot be read"):
            list(pastfile.read(other))
        with pytest.raises(NotARecording, match="no past bars of format 1"):
            list(pastfile.read(files.parquet(tmp_path / "p.parquet", [{"a": 1}])))


@pytest.mark.django_db
class TestIntoTheDatabase:
    @pytest.fixture
    def told(self, settings):
        settings.PQAP = SimpleNamespace(collection=misbehaving.collection())
        source = Told([market("m-1"), market("m-2")])
        universe.sync_markets(source, NOON)
        for at in (NOON, NOON + BAR_MS):
            source.show(at)
            collect.collect(source, at)
        return source

    def run(self, source: Path) -> str:
        out = StringIO()
        call_command(
            "importhistory", str(source), "--format", "market_history", "--into-database",
            stdout=out,
        )  # fmt: skip
        return out.getvalue()

    def test_known_markets_get_imported_bars_and_the_next_tick_brings_them(self, told, tmp_path):
        rows = [
            (1, NOON - BAR_MS, "m-1", 0.3, 0.7, 1),
            (2, NOON, "slug-m-1", 0.9, 0.1, 1),
            (3, NOON - BAR_MS, "no-2", 0.8, 0.2, 1),
            (4, NOON, "stranger", 0.5, 0.5, 1),
            (5, NOON + 100 * 366 * 86_400_000, "m-2", 0.5, 0.5, 1),
        ]

        said = self.run(old(tmp_path, *rows))

        assert said.splitlines() == [
            "Imported 2 bars of 2 markets.",
            "Columns not read: id, volume.",
            "Left out or flagged: 1 x FUTURE.",
            "Left out or flagged: 1 x HELD.",
            "Left out or flagged: 1 x UNKNOWN_MARKET.",
        ]
        told.show(NOON + BAR_MS + 1)
        collect.collect(told, NOON + BAR_MS + 1)
        brought = models.Bar.objects.filter(learnt_tick_id=3).order_by("market_id")
        assert [(bar.at, bar.micro) for bar in brought] == [(NOON, 300_000), (NOON, 200_000)]

    def test_what_was_seen_stays(self, told, tmp_path):
        before = list(models.Bar.objects.values_list())

        self.run(old(tmp_path, (1, NOON, "m-1", 0.9, 0.1, 1)))

        assert list(models.Bar.objects.values_list()) == before

    def test_it_makes_no_tick_and_no_market(self, told, tmp_path):
        counts = models.Tick.objects.count(), models.Market.objects.count()

        self.run(old(tmp_path, (1, NOON - BAR_MS, "stranger", 0.9, 0.1, 1)))

        assert (models.Tick.objects.count(), models.Market.objects.count()) == counts


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give either --to FILE or --into-database"),
        (["--to", "x.parquet", "--into-database"], "give either"),
        (["--to", "x.parquet", "--fee-rate", "0.05"], "--fee-rate is for books"),
        (["--to", "x.parquet", "--depth-levels", "5"], "--depth-levels is for books"),
    ],
)
def test_options_that_make_no_sense_for_prices_are_refused(tmp_path, options, said):
    source = old(tmp_path, (1, NOON, KEY, 0.4, 0.6, 1))
    with pytest.raises(CommandError, match=said):
        call_command("importhistory", str(source), "--format", "market_history", *options)


@pytest.mark.parametrize("value", [True, None, "", "12:00", float("nan"), -1, 0, 10**20, [], 1e300])
def test_no_time_is_made_of_garbage(value):
    assert instant(value) is None


@pytest.mark.parametrize("value", [True, None, "", "a", float("nan"), -0.1, 1.1, [], "Infinity"])
def test_no_price_is_made_of_garbage(value):
    assert price(value) is None
