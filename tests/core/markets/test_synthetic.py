"""The simulated exchange as its callers see it: repeatable, populated, resolving, flawed."""

from collections import Counter
from collections.abc import Iterator

import pytest

from markets.core import book as books
from markets.core.book import Anomaly, Pair
from markets.core.ports import SourceDown
from markets.core.types import ONE, Market, Resolution, Status
from markets.core.venue import CRYPTO_SHORT, LIVE_SPORTS, YOUNG, kinds
from markets.sources.synthetic import SyntheticSource
from markets.sources.synthetic.checkpoint import ForeignCheckpoint
from tests import builders as b

STEP = 300_000
SECOND = 1_000


def tokens_of(source: SyntheticSource, at: int = b.NOON) -> list[str]:
    return [token.id for market in source.markets(at) for token in market.tokens]


def walk(source: SyntheticSource, steps: int, every: int = STEP) -> Iterator[int]:
    """Ask for no book at each step: the world moves all the same."""
    for number in range(steps):
        at = b.NOON + number * every
        source.books([], at)
        yield at


def days(source: SyntheticSource, count: int) -> list[Market]:
    """Every market ever on show in `count` days."""
    known: dict[str, Market] = {}
    for at in walk(source, count * 24, 3_600_000):
        known |= {market.id: market for market in source.markets(at)}
    return list(known.values())


def test_one_seed_is_one_world_and_another_seed_another() -> None:
    def answers(seed: int) -> object:
        source = SyntheticSource(seed=seed)
        tokens = tokens_of(source)
        return [source.books(tokens, at) for at in (b.NOON, b.NOON + STEP, b.NOON + 2 * STEP)]

    assert answers(5) == answers(5)
    assert answers(5) != answers(6)


def test_other_reads_between_ticks_change_nothing_later() -> None:
    quiet, asked = SyntheticSource(seed=5), SyntheticSource(seed=5)
    tokens = tokens_of(quiet)
    ids = [market.id for market in quiet.markets(b.NOON)]
    for at in walk(quiet, 40):
        asked.markets(at - 7_001)
        asked.books(tokens, at)
        asked.markets(at + 4_000)
        list(asked.prints(ids, 0, at + 4_000))
        list(asked.resolutions(ids, at + 4_000))
        assert asked.checkpoint() == quiet.checkpoint()


def test_the_world_names_the_same_markets_before_and_after_its_first_tick() -> None:
    early = SyntheticSource(seed=5).markets(b.NOON)
    source = SyntheticSource(seed=5)
    source.books([], b.NOON + 40 * SECOND)

    assert source.markets(b.NOON + 40 * SECOND) == early


def test_a_worker_killed_in_mid_tick_goes_on_with_the_same_world() -> None:
    source = SyntheticSource(seed=8)
    tokens = tokens_of(source)
    kept = b""
    for number in range(60):
        at = b.NOON + number * 6 * STEP
        killed = SyntheticSource(seed=8, checkpoint=kept)
        killed.books(tokens, at)
        again = SyntheticSource(seed=8, checkpoint=kept)
        assert again.books(tokens, at) == source.books(tokens, at)
        kept = source.checkpoint()
        assert again.checkpoint() == killed.checkpoint() == kept


def test_it_refuses_to_go_back_in_time() -> None:
    source = SyntheticSource(seed=5)
    source.books([], b.NOON)

    with pytest.raises(SourceDown, match="cannot go back"):
        source.books([], b.NOON - 1)


def test_a_foreign_checkpoint_is_refused() -> None:
    source = SyntheticSource(seed=5)
    source.books([], b.NOON)
    kept = source.checkpoint()

    with pytest.raises(ForeignCheckpoint, match="seed 5"):
        SyntheticSource(seed=6, checkpoint=kept)
    with pytest.raises(ForeignCheckpoint, match="no checkpoint"):
        SyntheticSource(seed=5, checkpoint=b"{}")
    with pytest.raises(ForeignCheckpoint, match="damaged"):
        SyntheticSource(seed=5, checkpoint=kept[:-9])


def test_a_checkpoint_stays_small() -> None:
    source = SyntheticSource(seed=5)
    for _ in walk(source, 40 * 24, 3_600_000):
        pass

    assert len(source.checkpoint()) < 6_000


def test_there_are_always_enough_markets_of_every_kind() -> None:
    source = SyntheticSource(seed=5)
    for at in walk(source, 14 * 24, 3_600_000):
        found = source.markets(at)
        unwanted = [m for m in found if kinds(m, at) & {LIVE_SPORTS, CRYPTO_SHORT, YOUNG}]
        fees = {m.terms.fee.rate for m in found if m.terms.fee and m not in unwanted}
        assert fees == {0, 40_000, 50_000, 70_000}
        assert len(found) - len(unwanted) >= 55
        assert {k for m in unwanted for k in kinds(m, at)} >= {LIVE_SPORTS, CRYPTO_SHORT}
        assert {m.terms.tick_size for m in found} == {1_000, 10_000}


def test_every_market_says_that_it_is_simulated() -> None:
    for market in days(SyntheticSource(seed=5), 10):
        assert market.question.endswith("(simulated)")
        assert market.event.title.endswith("(simulated)")
        assert "{" not in market.question + market.event.title
        assert 1_000 * ONE <= market.volume_24h <= 500_000 * ONE


def outcomes(source: SyntheticSource, count: int) -> tuple[dict[str, Market], list[Resolution]]:
    known = {market.id: market for market in days(source, count)}
    at = b.NOON + count * b.DAY
    return known, list(source.resolutions(list(known), at))


def test_events_end_at_or_before_their_scheduled_end() -> None:
    known, said = outcomes(SyntheticSource(seed=5), 14)
    paid = [each for each in said if each.status is Status.RESOLVED]
    early = [each for each in paid if each.at < (known[each.market].terms.end_at or 0)]

    assert len(paid) > 60
    assert len(early) > len(paid) / 2
    assert all(each.at <= (known[each.market].terms.end_at or 0) + b.DAY for each in paid)


def test_a_proposal_tells_what_is_paid_later() -> None:
    source = SyntheticSource(seed=5)
    known: set[str] = set()
    proposed: dict[str, Resolution] = {}
    paid: dict[str, Resolution] = {}
    for at in walk(source, 10 * 24, 3_600_000):
        known |= {market.id for market in source.markets(at)}
        for each in source.resolutions(list(known), at):
            (proposed if each.payouts is None else paid)[each.market] = each
    both = proposed.keys() & paid.keys()

    assert len(both) > 10
    assert {m: proposed[m].proposed for m in both} == {m: paid[m].payouts for m in both}


def test_one_outcome_of_a_neg_risk_event_wins_and_only_single_markets_split() -> None:
    splits, events = 0, 0
    for seed in (5, 6, 7):
        known, said = outcomes(SyntheticSource(seed=seed), 14)
        won: Counter[str] = Counter()
        for each in said:
            if each.payouts is None:
                continue
            event = known[each.market].event
            if event.neg_risk:
                assert each.payouts in {(ONE, 0), (0, ONE)}
                won[event.id] += each.payouts[0] // ONE
            splits += each.payouts == (ONE // 2, ONE // 2)
        events += len(won)
        assert set(won.values()) == {1}
    assert events > 20
    assert splits > 0


def test_a_replaced_market_never_comes_back() -> None:
    source = SyntheticSource(seed=5)
    gone: set[str] = set()
    before: set[str] = set()
    for at in walk(source, 10 * 24, 3_600_000):
        now = {market.id for market in source.markets(at)}
        gone |= before - now
        assert not now & gone
        before = now
    assert len(gone) > 30


def test_no_is_the_mirror_of_yes_but_for_bad_reads() -> None:
    source = SyntheticSource(seed=5)
    faults: Counter[Anomaly] = Counter()
    reads = 0
    for at in (b.NOON + number * STEP for number in range(250)):
        tokens = tokens_of(source)
        found = source.books(tokens, at)
        faults.update(source.refused.values())
        for market in source.markets(at):
            yes, no = found.get(market.yes.id), found.get(market.no.id)
            reads += 1
            if not yes or not no:
                continue
            fault = books.incoherence(Pair(yes, no), market.terms.tick_size)
            if fault:
                faults[fault] += 1
            else:
                assert no == books.mirror(yes, no.token)
    assert set(faults) >= {
        Anomaly.TORN,
        Anomaly.GHOST,
        Anomaly.CROSSED,
        Anomaly.MISSING,
        Anomaly.MIRROR_GAP,
    }
    assert faults[Anomaly.TORN] + faults[Anomaly.MIRROR_GAP] < 0.005 * reads


def test_bad_reads_do_not_depend_on_what_else_is_read() -> None:
    source, other = SyntheticSource(seed=5), SyntheticSource(seed=5)
    tokens = tokens_of(source)
    refused = 0
    for at in (b.NOON + number * 10 * SECOND for number in range(120)):
        source.books(tokens, at)
        expected = {t: f for t, f in source.refused.items() if t in tokens[10:60]}
        other.books(tokens[10:60], at)
        assert other.refused == expected
        refused += len(expected)
    assert refused


def test_books_are_deep_tight_and_quiet_between_changes() -> None:
    source = SyntheticSource(seed=5)
    source.books([], b.NOON)
    before: dict[str, object] = {}
    asked = seen = thin = kept = 0
    for at in (b.NOON + number * 10 * SECOND for number in range(1, 40)):
        markets = source.markets(at)
        found = source.books([market.yes.id for market in markets], at)
        for market in markets:
            asked += 1
            book = found.get(market.yes.id)
            if book is None:
                continue
            seen += 1
            gap = (book.asks[0].price - book.bids[0].price) // market.terms.tick_size
            assert 1 <= gap <= 5
            assert len(book.bids) <= 10
            thin += min(books.near_depth(book.bids), books.near_depth(book.asks)) < 100 * ONE
            kept += before.get(market.id) == (book.bids, book.asks, book.venue_at)
            before[market.id] = (book.bids, book.asks, book.venue_at)
    assert seen > 0.99 * asked
    assert thin < 0.15 * seen
    assert 0.5 * seen < kept < 0.95 * seen


def test_prints_take_at_most_what_the_book_showed() -> None:
    source = SyntheticSource(seed=5)
    count = 0
    for at in (b.NOON + number * STEP for number in range(20)):
        markets = source.markets(at)
        found = source.books([market.yes.id for market in markets], at)
        for each in source.prints([market.id for market in markets], at - 1, at):
            count += 1
            book = found.get(each.token)
            if book is None:
                continue
            touch = book.asks[0] if each.side == "buy" else book.bids[0]
            assert (each.price, each.at) == (touch.price, at)
            assert 0 < each.size <= touch.size
    assert count > 100
