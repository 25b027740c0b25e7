"""Ticks from the stream: the same stage, rows and terms as polling, on both databases."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from markets import models, stages
from markets.core.ports import SourceDown
from markets.core.tick import empty
from markets.core.types import FeedState, Status
from markets.selectors import feeds, ticks, universes
from markets.services import collect, stream, universe
from markets.services.stream import Streaming
from tests import misbehaving
from tests.apps.markets.stream.conftest import Stage, until
from tests.exchange.sockets import Trouble
from tests.exchange.world import Listing


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(
        digest="one",
        collection=misbehaving.collection(depth_levels=10, exclude=("younger_than_24h",)),
        exchange=SimpleNamespace(source="polymarket"),
    )


@pytest.fixture
def hints() -> list[str]:
    return []


@pytest.fixture
def streaming(stage: Stage, hints: list[str]) -> Streaming:
    return Streaming(stage.source, lambda: hints.append("sync"))


def ready(stage: Stage, streaming: Streaming) -> None:
    """One tick, and every line open with its books."""
    streaming.cycle(stage.clock.ms)
    until(lambda: stage.lines() and all(line.open for line in stage.lines()))
    stage.pass_on()


def second(stage: Stage, streaming: Streaming, seconds: int = 10) -> collect.Collected:
    """The tick after the next one, `seconds` later."""
    stage.live(seconds)
    return streaming.cycle(stage.clock.ms)


def stored() -> int:
    return models.Print.objects.count()


class TestTicks:
    def test_the_first_cycle_chooses_the_markets_and_every_cycle_makes_a_tick(
        self, database, stage, streaming
    ):
        ready(stage, streaming)
        for _ in range(3):
            assert second(stage, streaming).ticks == 1

        assert stages.position("collect") == 4
        newest = ticks.ticks_after(3, 1)[0]
        assert (newest.at - newest.observed_at[newest.universe.accepting]).max() <= 10_000
        assert models.Snapshot.objects.filter(tick_id=4).count() == len(newest.universe)

    def test_a_tick_holds_the_exchanges_books_and_equals_a_polled_one(self, db, stage, streaming):
        ready(stage, streaming)
        second(stage, streaming)
        streamed = ticks.ticks_after(1, 1)[0]
        world = streamed.universe
        tokens = [token.id for market in world.markets for token in market.tokens]
        rest = stage.source.rest.books(tokens, stage.clock.ms)
        polled, _ = collect.assemble(world, empty(world), books=rest, refused={}, depth_levels=10)

        assert streamed.depth == polled.depth
        assert (streamed.bid == polled.bid).all()
        assert (streamed.ask_size == polled.ask_size).all()
        assert (streamed.venue_at == polled.venue_at).all()
        assert (streamed.coherent == polled.coherent).all()

    def test_trades_are_stored_once_with_the_tick_after_them(self, database, stage, streaming):
        ready(stage, streaming)
        stage.socket.trouble = Trouble(duplicate=0.5)
        for _ in range(4):
            second(stage, streaming, 5)
        tracked = set(universes.newest().universe.column)
        made = [t for t in stage.socket.trades if t["market"] in tracked]

        assert stored() == len(made) > 10
        collect.forget()
        second(stage, streaming)
        told = [p for tick in ticks.ticks_after(0, 9) for p in tick.prints]
        assert stored() == len(told) == len({(p.transaction, p.token) for p in told})

    def test_a_frozen_line_costs_its_markets_their_tick_and_no_others(self, db, stage, streaming):
        ready(stage, streaming)
        second(stage, streaming)
        frozen = set(stage.source.shelf.lines[1].tokens)
        stage.socket.troubles[1] = Trouble(freeze=True)
        stage.live(16)
        stage.exchange.fault("/books", "status", status=500)
        before = ticks.ticks_after(1, 1)[0]
        streaming.cycle(stage.clock.ms)
        after = ticks.ticks_after(2, 1)[0]

        for column, market in enumerate(after.universe.markets):
            if market.yes.id in frozen:
                assert after.observed_at[column] == before.observed_at[column]
        assert after.at > before.at
        codes = models.Anomaly.objects.filter(tick_id=3, code="STALE")
        assert codes.values("market").distinct().count() == len(frozen) // 2

    def test_a_book_that_was_wrong_is_put_right_and_counted(self, db, stage, streaming):
        ready(stage, streaming)
        second(stage, streaming)
        stage.socket.trouble = Trouble(lose=1.0)
        put_right = 0
        for number in (3, 4):
            second(stage, streaming, 8)
            tick = ticks.ticks_after(number - 1, 1)[0]
            rows = models.Anomaly.objects.filter(tick_id=number, code="MISMATCH")
            for name in set(rows.values_list("market__condition_id", flat=True)):
                column = tick.universe.column[name]
                assert stage.touches(tick.book(tick.universe.markets[column].yes.id))
                put_right += 1

        assert put_right


class TestTerms:
    def listing(self, stage: Stage) -> Listing:
        """A tracked market on the coarse grid."""
        tracked = universes.newest().universe.column
        return next(
            x
            for x in stage.world.listings
            if x.condition in tracked and x.tick == 100 and x.kind == "ordinary"
        )

    def test_a_finer_grid_is_followed_with_the_next_tick(self, database, stage, streaming):
        ready(stage, streaming)
        listing = self.listing(stage)
        stage.socket.retick(listing, 10)
        second(stage, streaming, 3)

        tick = ticks.ticks_after(1, 1)[0]
        column = tick.universe.column[listing.condition]
        assert tick.universe.version == 2
        assert tick.universe.tick_size[column] == 1_000
        assert stage.touches(tick.book(listing.yes))
        assert not models.Anomaly.objects.filter(code="OFF_GRID").exists()
        rows = models.Terms.objects.filter(market__condition_id=listing.condition)
        assert list(rows.order_by("effective_at").values_list("tick_size", flat=True)) == [
            10_000,
            1_000,
        ]

    def test_the_same_grid_again_changes_nothing(self, db, stage, streaming):
        ready(stage, streaming)
        for _ in range(2):
            second(stage, streaming)

        assert universes.newest().universe.version == 1


class TestFacts:
    def test_an_outcome_with_a_winner_is_known_with_the_next_tick(self, db, stage, streaming):
        ready(stage, streaming)
        second(stage, streaming)
        listing = stage.world.listings[1]
        stage.exchange.fault("/v2/resolutions", "status", status=500)
        stage.world.end(listing, "resolved", (0, 1_000_000))
        second(stage, streaming, 2)

        fact = models.Resolution.objects.get(market__condition_id=listing.condition)
        assert (fact.status, fact.yes_payout, fact.tick_id) == (Status.RESOLVED, 0, 3)

    def test_a_draw_names_no_winner_and_http_is_asked_at_once(self, db, stage, streaming):
        ready(stage, streaming)
        second(stage, streaming)
        listing = stage.world.listings[1]
        asked = stage.exchange.requests["/v2/resolutions"]
        stage.world.end(listing, "resolved", (500_000, 500_000))
        second(stage, streaming, 2)

        assert stage.exchange.requests["/v2/resolutions"] > asked
        fact = models.Resolution.objects.get(market__condition_id=listing.condition)
        assert (fact.yes_payout, fact.no_payout) == (500_000, 500_000)

    def test_a_new_market_of_a_tracked_event_brings_the_sync_forward_once(
        self, db, stage, streaming, hints
    ):
        ready(stage, streaming)
        model = next(x for x in stage.world.listings if x.neg_risk)
        for index in (900, 901):
            new = replace(model, index=index, condition=f"0x{index:064x}", yes=f"{index}1", no="1")
            stage.world.listings.append(new)
            second(stage, streaming)

        assert hints == ["sync"]

    def test_a_new_market_too_young_to_track_is_no_reason(self, db, stage, streaming, hints):
        ready(stage, streaming)
        new = replace(stage.world.listings[5], event="5", condition=f"0x{9:064x}", yes="9", no="8")
        stage.world.listings.append(new)
        second(stage, streaming)

        assert hints == []


class TestStanding:
    def test_the_feed_says_how_the_stream_stands(self, db, stage, streaming):
        stage.socket.trouble = Trouble(refuse=503)
        streaming.cycle(stage.clock.ms)
        until(lambda: all("503" in line.why for line in stage.lines()))
        until(lambda: stage.source.shelf.faults["refused"] > 1)
        second(stage, streaming, 31)  # A state that lasts is noted twice a minute.
        [feed] = [feed for feed in feeds.feeds() if feed.name == stream.FEED]
        assert feed.state is FeedState.DOWN
        assert "503" in feed.reason
        assert dict(feed.failures)["refused"] > 1
        assert stages.position("collect") == 2

        stage.socket.trouble = Trouble()
        until(lambda: stage.source.standing()[0] is FeedState.OK)
        second(stage, streaming)
        [feed] = [feed for feed in feeds.feeds() if feed.name == stream.FEED]
        assert (feed.state, feed.reason) == (FeedState.OK, "")

    def test_a_cycle_another_worker_made_is_no_failure(self, db, stage, streaming):
        ready(stage, streaming)
        stages.tally("collect", 5)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(collect, "collect", self.overtaken)
            assert streaming.cycle(stage.clock.ms) == collect.Collected()

    def overtaken(self, *_: object) -> None:
        raise stages.Overtaken("collect")

    def test_without_a_list_of_markets_it_waits(self, db, stage, streaming, monkeypatch):
        def silent(at: int) -> None:
            raise SourceDown("The list cannot be read.")

        with monkeypatch.context() as patch:
            patch.setattr(stage.source.rest, "markets", silent)
            assert streaming.cycle(stage.clock.ms) == collect.Collected()
        assert streaming.cycle(stage.clock.ms).ticks == 1
        assert universe.STAGE == "sync"
