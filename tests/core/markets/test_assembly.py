"""Which books a tick takes, which it carries, and what it says of the rest."""

from dataclasses import replace

import numpy as np
import pytest

from markets.core import book as books
from markets.core.assembly import COLUMNS, Flaw, assemble, carried
from markets.core.book import Anomaly
from markets.core.tick import Tick, Universe, empty
from markets.core.types import ONE, Book, Level, Resolution, Status
from tests.builders import NOON, book, levels, market, micro, universe

LATER = NOON + 10_000


def pair(yes: Book, *, no_venue_at: int | None = None) -> dict[str, Book]:
    """A YES book and its mirror, by token."""
    no = books.mirror(yes, yes.token.replace("yes", "no"))
    if no_venue_at is not None:
        no = replace(no, venue_at=no_venue_at)
    return {yes.token: yes, no.token: no}


def made(
    given: dict[str, Book],
    *,
    world: Universe | None = None,
    previous: Tick | None = None,
    refused: dict[str, Anomaly] | None = None,
    said: tuple[Resolution, ...] = (),
    depth_levels: int = 10,
) -> tuple[Tick | None, tuple[Flaw, ...]]:
    world = world or (previous.universe if previous else universe())
    return assemble(
        world,
        previous or empty(world),
        books=given,
        refused=refused or {},
        resolutions=said,
        depth_levels=depth_levels,
    )


def first(**changes: object) -> Tick:
    """The tick of one market read at noon."""
    tick, _ = made(pair(book("yes-1", venue_at=NOON)), **changes)
    assert tick is not None
    return tick


class TestGoodBooks:
    def test_fill_the_columns_with_the_yes_touch(self):
        yes = book("yes-1", [("0.40", 7), ("0.39", 9)], [("0.42", 3)], at=NOON, venue_at=NOON - 5)

        tick, flaws = made(pair(yes))

        assert flaws == ()
        assert (tick.id, tick.at) == (1, NOON)
        row = {name: getattr(tick, name)[0].item() for name in COLUMNS}
        assert row == {
            "bid": 400_000,
            "ask": 420_000,
            "bid_size": micro(7),
            "ask_size": micro(3),
            "bid_valid": True,
            "ask_valid": True,
            "observed_at": NOON,
            "venue_at": NOON - 5,
            "coherent": True,
        }
        assert tick.book("yes-1") == yes
        assert tick.book("no-1").asks == (
            Level(600_000, micro(7)),
            Level(610_000, micro(9)),
        )
        assert tick.no_depth == {}

    def test_keep_only_the_levels_asked_for(self):
        deep = [(f"0.{40 - n}", 1) for n in range(5)]

        tick, _ = made(pair(book("yes-1", deep)), depth_levels=2)

        assert tick.book("yes-1").bids == levels(*deep[:2])
        assert tick.no_depth == {}

    @pytest.mark.parametrize(
        ("bids", "asks", "expected"),
        [
            ([], [("0.42", 3)], (0, 420_000, 0, micro(3), False, True)),
            ([("0.40", 7)], [], (400_000, ONE, micro(7), 0, True, False)),
        ],
    )
    def test_show_a_missing_side_as_zero_or_one_and_invalid(self, bids, asks, expected):
        tick, _ = made(pair(book("yes-1", bids, asks)))

        assert tuple(getattr(tick, name)[0].item() for name in COLUMNS[:6]) == expected

    def test_a_deeper_difference_keeps_no_apart(self):
        given = pair(book("yes-1", [("0.40", 7), ("0.39", 9)]))
        given["no-1"] = replace(given["no-1"], asks=levels(("0.60", 7), ("0.61", 8)))

        tick, flaws = made(given)

        assert flaws == ()
        assert tick.coherent.all()
        assert tick.book("no-1").asks == given["no-1"].asks

    def test_no_is_the_mirror_again_once_it_agrees(self):
        given = pair(book("yes-1", [("0.40", 7), ("0.39", 9)]))
        given["no-1"] = replace(given["no-1"], asks=levels(("0.60", 7), ("0.61", 8)))
        before, _ = made(given)

        tick, _ = made(pair(book("yes-1", at=LATER)), previous=before)

        assert before.no_depth.keys() == {0}
        assert tick.no_depth == {}


class TestTime:
    def test_is_the_latest_observation_and_never_the_schedule(self):
        world = universe(market("m-1"), market("m-2"))
        given = pair(book("yes-1", at=NOON)) | pair(book("yes-2", at=NOON + 70))

        tick, _ = made(given, world=world)

        assert tick.at == NOON + 70
        assert tick.observed_at.tolist() == [NOON, NOON + 70]

    def test_a_pair_is_as_old_as_its_older_read(self):
        given = pair(book("yes-1", at=NOON))
        given["no-1"] = replace(given["no-1"], observed_at=NOON - 30)

        tick, _ = made(given)

        assert tick.at == NOON - 30

    def test_there_is_no_tick_without_a_newer_observation(self):
        tick, flaws = made(pair(book("yes-1", at=NOON)), previous=first())

        assert tick is None
        assert flaws == ()

    @pytest.mark.parametrize("at", [NOON - 1, NOON - 10_000])
    def test_a_reply_older_than_what_is_held_is_stale(self, at):
        tick, flaws = made(pair(book("yes-1", [("0.10", 1)], at=at)), previous=first())

        assert tick is None
        assert flaws == (Flaw("m-1", Anomaly.STALE),)

    def test_there_is_no_tick_when_another_market_is_only_as_new_as_the_last(self):
        world = universe(market("m-1"), market("m-2"))
        before, _ = made(pair(book("yes-1", at=NOON)), world=world)

        tick, _ = made(pair(book("yes-2", at=NOON)), previous=before)

        assert tick is None

    def test_there_is_no_tick_when_nothing_was_read(self):
        assert made({}) == (None, ())


class TestCarrying:
    def test_an_unread_market_keeps_all_it_had(self):
        world = universe(market("m-1"), market("m-2"))
        before, _ = made(pair(book("yes-1", [("0.30", 5)], at=NOON, venue_at=3)), world=world)

        tick, flaws = made(pair(book("yes-2", at=LATER)), previous=before)

        assert flaws == ()
        for name in COLUMNS:
            assert getattr(tick, name)[0] == getattr(before, name)[0]
        assert tick.depth[0] == before.depth[0]
        assert tick.observed_at.tolist() == [NOON, LATER]
        assert tick.id == 2

    def test_leaves_the_tick_before_untouched(self):
        before = first()
        kept = {name: getattr(before, name).copy() for name in COLUMNS}

        made(pair(book("yes-1", [("0.10", 1)], at=LATER, venue_at=LATER)), previous=before)

        for name, column in kept.items():
            assert np.array_equal(getattr(before, name), column)

    def test_one_token_alone_is_not_an_observation(self):
        given = pair(book("yes-1", at=LATER))
        del given["no-1"]

        assert made(given, previous=first()) == (None, ())


class TestAbsurdBooks:
    @pytest.mark.parametrize(
        ("bids", "asks", "code"),
        [
            ([("0.42", 1)], [("0.42", 1)], Anomaly.CROSSED),
            ([("0.01", 1)], [("0.99", 1)], Anomaly.GHOST),
            ([("0.405", 1)], [("0.42", 1)], Anomaly.OFF_GRID),
            ([], [], Anomaly.EMPTY),
        ],
    )
    def test_are_refused_counted_once_and_carried(self, bids, asks, code):
        world = universe(market("m-1"), market("m-2"))
        before, _ = made(pair(book("yes-1")) | pair(book("yes-2")), world=world)
        given = pair(book("yes-1", bids, asks, at=LATER)) | pair(book("yes-2", at=LATER))

        tick, flaws = made(given, previous=before)

        assert flaws == (Flaw("m-1", code),)
        assert tick.observed_at.tolist() == [NOON, LATER]
        assert tick.bid[0] == 400_000

    def test_are_counted_even_when_there_is_no_tick(self):
        given = pair(book("yes-1", [("0.42", 1)], [("0.42", 1)], at=LATER))

        assert made(given, previous=first()) == (None, (Flaw("m-1", Anomaly.CROSSED),))

    def test_what_the_source_refused_is_carried_and_counted(self):
        given = pair(book("yes-1", at=LATER))

        tick, flaws = made(given, previous=first(), refused={"no-1": Anomaly.BAD_PAYLOAD})

        assert tick is None
        assert flaws == (Flaw("m-1", Anomaly.BAD_PAYLOAD),)

    def test_a_market_that_takes_no_orders_may_lack_its_books(self):
        closed = market()
        closed = replace(closed, terms=replace(closed.terms, accepting_orders=False))
        missing = dict.fromkeys(("yes-1", "no-1"), Anomaly.MISSING)

        assert made({}, world=universe(closed), refused=missing) == (None, ())
        assert made({}, refused=missing) == (None, (Flaw("m-1", Anomaly.MISSING),))

    def test_a_book_changed_before_the_one_held_is_backwards(self):
        before = first()

        tick, flaws = made(pair(book("yes-1", at=LATER, venue_at=NOON - 1)), previous=before)

        assert tick is None
        assert flaws == (Flaw("m-1", Anomaly.BACKWARDS),)

    def test_a_book_that_does_not_say_when_it_changed_is_not_backwards(self):
        tick, flaws = made(pair(book("yes-1", at=LATER, venue_at=0)), previous=first())

        assert tick is not None
        assert flaws == ()

    @pytest.mark.parametrize("stated", ["0.001", "0.1"])
    def test_a_book_that_states_another_grid_is_off_it(self, stated):
        yes = replace(book("yes-1", at=LATER), tick_size=micro(stated))

        assert made(pair(yes), previous=first()) == (None, (Flaw("m-1", Anomaly.OFF_GRID),))
        same = replace(yes, tick_size=micro("0.01"), min_size=micro(5))
        assert made(pair(same), previous=first())[1] == ()


class TestOneSidedBooks:
    BIDS = ("yes-1", [("0.97", 9)], [])

    def test_are_observed_incoherent_and_said_when_they_become_so(self):
        tick, flaws = made(pair(book(*self.BIDS, at=LATER)), previous=first())

        assert flaws == (Flaw("m-1", Anomaly.ONE_SIDED),)
        assert (tick.coherent[0], tick.observed_at[0]) == (False, LATER)
        again, flaws = made(pair(book(*self.BIDS, at=LATER + 1)), previous=tick)
        assert flaws == ()
        assert (again.coherent[0], again.observed_at[0]) == (False, LATER + 1)

    def test_are_said_again_after_both_sides_were_shown(self):
        lopsided, _ = made(pair(book(*self.BIDS)))
        whole, flaws = made(pair(book("yes-1", at=LATER)), previous=lopsided)
        assert flaws == ()
        assert whole.coherent[0]

        _, flaws = made(pair(book(*self.BIDS, at=LATER + 1)), previous=whole)

        assert flaws == (Flaw("m-1", Anomaly.ONE_SIDED),)


class TestIncoherentPairs:
    def test_torn_books_are_observed_and_flagged(self):
        given = pair(book("yes-1", at=LATER, venue_at=NOON), no_venue_at=NOON + 501)

        tick, flaws = made(given, previous=first())

        assert flaws == (Flaw("m-1", Anomaly.TORN),)
        assert tick.observed_at.tolist() == [LATER]
        assert tick.coherent.tolist() == [False]

    def test_a_mirror_gap_keeps_the_no_book(self):
        given = pair(book("yes-1"))
        given["no-1"] = book("no-1", [("0.50", 4)], [("0.60", 4)])

        tick, flaws = made(given)

        assert flaws == (Flaw("m-1", Anomaly.MIRROR_GAP),)
        assert not tick.coherent[0]
        assert tick.book("no-1").bids == levels(("0.50", 4))

    def test_are_whole_again_when_the_next_read_agrees(self):
        torn, _ = made(pair(book("yes-1", venue_at=NOON), no_venue_at=NOON + 501))

        tick, flaws = made(pair(book("yes-1", at=LATER, venue_at=NOON)), previous=torn)

        assert flaws == ()
        assert tick.coherent.all()


class TestResolutions:
    def test_come_in_an_order_that_does_not_depend_on_the_source(self):
        said = tuple(
            Resolution(name, status, at)
            for name, status, at in [
                ("m-2", Status.PROPOSED, 5),
                ("m-1", Status.RESOLVED, 7),
                ("m-1", Status.PROPOSED, 5),
            ]
        )

        tick, _ = made(pair(book("yes-1")), said=said)

        assert tick.resolutions == (said[2], said[1], said[0])


class TestUniverseChange:
    def test_follows_markets_by_condition_id(self):
        old = universe(market("m-1"), market("m-2"), market("m-3"))
        given = {}
        for number, bid in ((1, "0.10"), (2, "0.20"), (3, "0.30")):
            given |= pair(book(f"yes-{number}", [(bid, 1)]))
        given["no-3"] = replace(given["no-3"], asks=levels(("0.70", 1), ("0.71", 8)))
        before, _ = made(given, world=old)
        new = universe(market("m-3"), market("m-4"), market("m-1"), version=2)

        tick = carried(new, before)

        assert tick.universe is new
        assert tick.at == before.at
        assert tick.bid.tolist() == [300_000, 0, 100_000]
        assert tick.ask.tolist() == [420_000, ONE, 420_000]
        assert tick.observed_at.tolist() == [NOON, 0, NOON]
        assert tick.depth == (before.depth[2], b"", before.depth[0])
        assert tick.no_depth == {0: before.no_depth[2]}

    def test_shares_nothing_with_a_wholly_new_universe(self):
        new = universe(market("m-7"), version=2)

        tick = carried(new, first())

        assert tick.observed_at.tolist() == [0]
        assert tick.depth == (b"",)
