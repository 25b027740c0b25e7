"""Foreign books become recordings: nothing repaired, nothing made up, torn pairs still torn."""

from pathlib import Path

import pytest
from django.core.management import CommandError

from markets import archive
from markets.core import book as books
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule
from markets.sources.foreign import condition_id
from tests import builders as b
from tests.apps.markets import foreignfiles as files

TERMS = ("--fee-rate", "0.05", "--end-date", "2026-06-26T00:00:00Z")


def recorded(source: Path, format: str, *options: str) -> tuple[list[Tick], str]:
    target, told = files.imported(source, format, *(options or TERMS))
    return list(archive.read_recording(target)), told


class TestKalshiBooks:
    def line(self, at=b.NOON, side="yes_bid", level=1, price=0.4, size=10.0, ticker="KX-1"):
        return {
            "run": "r", "market_ticker": ticker, "ts": at, "side": side, "level": level,
            "price": price, "size": size,
        }  # fmt: skip

    def file(self, folder: Path, *lines) -> Path:
        return files.parquet(folder / "kalshi.parquet", lines, "ts")

    def test_bids_for_no_are_asks_of_yes(self, tmp_path):
        lines = [
            self.line(price=0.39, level=2),
            self.line(size=12.5),
            self.line(side="no_bid", price=0.58, size=7.25),
        ]

        (tick,), told = recorded(self.file(tmp_path, *lines), "kalshi_books")

        (market,) = tick.universe.markets
        yes, no = (tick.book(token.id) for token in market.tokens)
        assert yes.bids == b.levels(("0.40", "12.5"), ("0.39", 10))
        assert yes.asks == b.levels(("0.42", "7.25"))
        assert no == books.mirror(yes, market.no.id)
        assert tick.coherent[0]
        assert (market.id, market.slug) == (condition_id("KX-1"), "KX-1")
        assert told.startswith("Recorded 1 ticks of 1 markets")

    def test_all_books_of_an_instant_are_one_tick(self, tmp_path):
        lines = [
            self.line(at=b.NOON + at, ticker=ticker, side=side, price=price)
            for at, ticker in ((10_000, "KX-1"), (0, "KX-1"), (10_000, "KX-2"))
            for side, price in (("yes_bid", 0.4), ("no_bid", 0.5))
        ]

        ticks, _ = recorded(self.file(tmp_path, *lines), "kalshi_books")

        assert [tick.at for tick in ticks] == [b.NOON, b.NOON + 10_000]
        assert [int((tick.observed_at == tick.at).sum()) for tick in ticks] == [1, 2]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"side": "ask"}, "row 1: column 'side' is 'ask'; it must be yes_bid or no_bid"),
            ({"price": 1.0}, "row 1: column 'price' is 1.0; it must lie between 0 and 1"),
            ({"size": 0.0}, "row 1: column 'size' is 0.0"),
            ({"ticker": ""}, "row 1: column 'market_ticker' is empty"),
        ],
    )
    def test_what_cannot_be_is_refused_by_row_and_column(self, tmp_path, change, said):
        with pytest.raises(CommandError, match=said):
            recorded(self.file(tmp_path, self.line(**change)), "kalshi_books")

    def test_recorded_books_come_through_whole(self, tmp_path):
        source = tmp_path / "books.parquet"
        source.symlink_to(files.shared("books_kalshi_btc"))

        ticks, told = recorded(source, "kalshi_books")

        assert told.startswith("Recorded 3005 ticks of 88 markets")
        assert "Left out or flagged: 47 x ONE_SIDED." in told
        assert told.count("Left out") == 1
        assert {m.terms.tick_size for m in ticks[0].universe.markets} <= {1_000, 10_000}
        for tick in ticks:
            read = tick.observed_at == tick.at
            assert (tick.coherent == (tick.bid_valid & tick.ask_valid))[read].all()


class TestUpDownQuotes:
    def line(self, at=b.NOON, up=(0.4, 0.41), down=(0.59, 0.60), market="0x" + "a" * 64):
        return {
            "slug": "btc-updown", "condition_id": market, "winner": None,
            "start_time": b.NOON, "end_time": b.NOON + 300_000, "time_remaining": 1.0,
            "up_best_bid": up[0], "up_best_ask": up[1], "up_bid_depth": 9.0, "up_ask_depth": 9.0,
            "down_best_bid": down[0], "down_best_ask": down[1], "down_bid_depth": 9.0,
            "down_ask_depth": 9.0, "btc_price": 66_000.0, "ts": at,
        }  # fmt: skip

    def file(self, folder: Path, *lines) -> Path:
        stamps = ("start_time", "end_time", "ts")
        return files.parquet(folder / "updown.parquet", lines, *stamps)

    def test_a_torn_row_stays_torn_and_can_be_seen(self, tmp_path):
        lines = [self.line(), self.line(at=b.NOON + 2_000, down=(0.55, 0.56))]

        (whole, torn), told = recorded(
            self.file(tmp_path, *lines), "updown_quotes", "--min-size", "5"
        )

        (market,) = torn.universe.markets
        assert (whole.coherent[0], torn.coherent[0]) == (True, False)
        assert torn.touch(market.yes.id) == (400_000, 410_000)
        assert torn.book(market.no.id).asks == b.levels(("0.56", 5))
        assert "1 x MIRROR_GAP" in told

    def test_only_the_smallest_order_is_shown_at_a_touch(self, tmp_path):
        (tick,), told = recorded(
            self.file(tmp_path, self.line()), "updown_quotes", "--min-size", "7"
        )

        assert int(tick.bid_size[0]) == int(tick.ask_size[0]) == 7 * ONE
        assert "up_bid_depth" in told

    def test_a_fee_may_be_that_of_a_category_on_a_day(self, tmp_path):
        source = self.file(tmp_path, self.line())

        (tick,), told = recorded(source, "updown_quotes", "--fee-rate", "crypto@2026-02-01")

        assert tick.universe.markets[0].terms.fee == FeeSchedule(250_000, exponent=2)
        assert "--fee-rate" not in told
        with pytest.raises(CommandError, match="names no category"):
            recorded(source, "updown_quotes", "--fee-rate", "nonsense@2026-02-01", "--replace")
        with pytest.raises(CommandError, match="needs a day"):
            recorded(source, "updown_quotes", "--fee-rate", "crypto@someday", "--replace")

    def test_the_file_knows_its_markets_and_when_they_end(self, tmp_path):
        source = self.file(tmp_path, self.line())

        (tick,), told = recorded(source, "updown_quotes", "--fee-rate", "0.07")
        (stated,), _ = recorded(source, "updown_quotes", *TERMS, "--replace")

        market = tick.universe.markets[0]
        assert (market.id, market.slug) == ("0x" + "a" * 64, "btc-updown")
        assert market.terms.end_at == b.NOON + 300_000
        assert "--end-date" not in told
        assert stated.universe.markets[0].terms.end_at > b.NOON + b.DAY

    def test_an_empty_side_is_masked(self, tmp_path):
        line = self.line(up=(0.99, None), down=(None, 0.01))

        (tick,), _ = (
            recorded(self.file(tmp_path, self.line(at=b.NOON - 1), line), "updown_quotes")[0][1:],
            0,
        )

        assert (tick.bid_valid[0], tick.ask_valid[0]) == (True, False)
        assert not tick.coherent[0]

    def test_a_price_that_cannot_be_is_refused(self, tmp_path):
        with pytest.raises(CommandError, match=r"row 1: column 'up_best_bid' is 1.5"):
            recorded(self.file(tmp_path, self.line(up=(1.5, 0.4))), "updown_quotes")

    def test_the_polled_pairs_below_a_dollar_are_all_there_and_flagged(self, tmp_path):
        source = tmp_path / "quotes.parquet"
        source.symlink_to(files.shared("quotes_btc_updown_both_tokens"))

        ticks, told = recorded(source, "updown_quotes", "--fee-rate", "0.07")

        below, pairs, torn = 0, 0, 0
        for tick in ticks:
            column = int((tick.observed_at == tick.at).nonzero()[0][0])
            market = tick.universe.markets[column]
            asks = [books.best_ask(tick.book(token.id)) for token in market.tokens]
            if all(asks):
                pairs += 1
                torn += not tick.coherent[column]
                cheap = sum(ask.price for ask in asks) < ONE
                below += cheap
                assert not (cheap and tick.coherent[column])
        assert told.startswith("Recorded 552 ticks of 10 markets")
        assert (below, pairs) == (19, 493)  # 3.9 %
        assert round(below / pairs, 3) == 0.039
        assert 19 < torn < 97  # the others lack a side


class TestGenericBooks:
    def line(self, side="bid", price=0.4, outcome="yes", time=b.NOON, size=10, market="a"):
        return {
            "market": market, "time": time, "outcome": outcome, "side": side, "price": price,
            "size": size,
        }  # fmt: skip

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_one_outcome_is_enough(self, tmp_path, kind):
        lines = [self.line(), self.line(side="ask", price=0.42)]
        source = getattr(files, kind)(tmp_path / f"books.{kind}", lines)

        (tick,), _ = recorded(source, "generic_books")

        (market,) = tick.universe.markets
        yes, no = (tick.book(token.id) for token in market.tokens)
        assert (yes.bids, yes.asks) == (b.levels(("0.4", 10)), b.levels(("0.42", 10)))
        assert no == books.mirror(yes, market.no.id)

    def test_only_no_is_mirrored_and_both_are_taken_as_they_are(self, tmp_path):
        both = [("bid", 0.4), ("ask", 0.42), ("bid", 0.5, "no"), ("ask", 0.6, "no")]
        lines = [
            self.line(outcome="no", price=0.58),
            self.line(outcome="no", side="ask", price=0.6),
            *(self.line(*each, time=b.NOON + 1_000) for each in both),
        ]

        (first, second), told = recorded(
            files.csv(tmp_path / "books.csv", lines), "generic_books", *TERMS
        )

        assert first.touch(first.universe.markets[0].yes.id) == (400_000, 420_000)
        assert (first.coherent[0], second.coherent[0]) == (True, False)
        assert "1 x MIRROR_GAP" in told

    def test_times_may_be_text(self, tmp_path):
        lines = [
            self.line(side=side, price=price, time="2026-01-01T13:00:00+01:00")
            for side, price in (("bid", 0.4), ("ask", 0.42))
        ]

        (tick,), _ = recorded(files.parquet(tmp_path / "b.parquet", lines), "generic_books")

        assert tick.at == b.NOON

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"side": "buy"}, "row 1: column 'side' is 'buy'; it must be bid or ask"),
            ({"outcome": "Yes"}, "row 1: column 'outcome' is 'Yes'; it must be yes or no"),
            ({"time": "soon"}, "row 1: column 'time' is 'soon'; it must be a time"),
            ({"price": 0.0}, "row 1: column 'price' is 0.0"),
            ({"market": None}, "row 1: column 'market' is empty"),
        ],
    )
    def test_what_cannot_be_is_refused_by_row_and_column(self, tmp_path, change, said):
        source = files.parquet(tmp_path / "b.parquet", [self.line(**change)])
        with pytest.raises(CommandError, match=said):
            recorded(source, "generic_books")
        assert not (tmp_path / "imported.parquet").exists()

    def test_columns_too_many_or_too_few_are_named(self, tmp_path):
        more = files.csv(tmp_path / "more.csv", [self.line() | {"color": "red"}])
        with pytest.raises(CommandError, match="column 'color' is not known"):
            recorded(more, "generic_books")
        less = self.line()
        del less["size"]
        with pytest.raises(CommandError, match="column 'size' is missing"):
            recorded(files.csv(tmp_path / "less.csv", [less]), "generic_books")

    def test_a_file_of_another_kind_is_refused(self, tmp_path):
        source = tmp_path / "books.parquet"
        source.write_text("not parquet")
        with pytest.raises(CommandError, match="cannot be read as a Parquet file"):
            recorded(source, "generic_books")


def test_books_need_a_file_to_go_to(tmp_path):
    from django.core.management import call_command

    source = files.csv(tmp_path / "b.csv", [TestGenericBooks().line()])
    with pytest.raises(CommandError, match="give --to FILE"):
        call_command("importhistory", str(source), "--format", "generic_books")
    with pytest.raises(CommandError, match="they become a recording"):
        call_command("importhistory", str(source), "--format", "generic_books", "--into-database")
