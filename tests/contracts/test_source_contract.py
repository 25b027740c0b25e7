"""What every Source promises, asked of each of them: see `markets/core/ports.py`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from markets import archive
from markets.core import book as books
from markets.core.book import Anomaly
from markets.core.ports import Source
from markets.core.tick import Tick
from markets.core.types import ONE, Book, Market, Resolution, Status
from markets.sources.replay import ReplaySource
from markets.sources.synthetic import SyntheticSource
from tests import builders as b

SECOND = 1_000


@dataclass(frozen=True)
class Case:
    """One source under test: how to open it (again), and the instants it is asked at."""

    name: str
    open: Callable[[bytes], Source]
    ats: tuple[int, ...]


def synthetic(seed: int) -> Case:
    """Long steps first, so that events end and markets are replaced, then short ones."""
    long = [b.NOON + n * 6 * 3_600_000 for n in range(12)]
    short = [long[-1] + n * 10 * SECOND for n in range(1, 12)]
    return Case(
        f"synthetic {seed}",
        lambda checkpoint: SyntheticSource(seed=seed, checkpoint=checkpoint, events=9),
        (*long, *short),
    )


def replay(path: Path, speed: float) -> Case:
    """The same recording at its own pace and faster."""
    archive.write_recording(path, recorded())
    return Case(
        f"replay x{speed}",
        lambda checkpoint: ReplaySource(recording=path, speed=speed, checkpoint=checkpoint),
        tuple(b.NOON + b.DAY + int(n * 10 * SECOND / speed) for n in range(6)),
    )


def recorded() -> Iterator[Tick]:
    """Six ticks: one market read each time, the other every second time and then paid."""
    world = b.universe(b.market("m-1"), b.market("m-2", tick_size="0.001"))
    for n in range(6):
        at = b.NOON + n * 10 * SECOND
        seen = {"yes-1": b.book("yes-1", [("0.40", 10 + n)], [("0.42", 7)], at, venue_at=at - 300)}
        if n % 2:
            seen["yes-2"] = b.book("yes-2", [("0.401", 30)], [("0.403", 20), ("0.404", 1)], at)
        paid = Resolution("m-2", Status.RESOLVED, at, (ONE, 0)) if n == 4 else None
        yield b.tick(world, seen, at=at, id=n + 1, resolutions=[paid] if paid else [])


@pytest.fixture(params=["synthetic 3", "synthetic 11", "replay x1", "replay x7.5"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    kind, detail = request.param.split()
    if kind == "synthetic":
        return synthetic(int(detail))
    return replay(tmp_path / "ticks.parquet", float(detail.removeprefix("x")))


def all_tokens(markets: list[Market]) -> list[str]:
    return [token.id for market in markets for token in market.tokens]


def seen(case: Case) -> Iterator[tuple[Source, list[Market], list[str], int]]:
    """The source after each of its instants, with what was asked of it there."""
    source = case.open(b"")
    for at in case.ats:
        markets = list(source.markets(at))
        tokens = all_tokens(markets)
        yield source, markets, tokens, at


def test_markets_are_distinct_and_have_sound_terms(case: Case) -> None:
    for source, markets, tokens, at in seen(case):
        assert markets
        assert len({market.id for market in markets}) == len(markets)
        assert len(set(tokens)) == len(tokens) == 2 * len(markets)
        for market in markets:
            assert market.terms.tick_size > 0
            assert ONE % market.terms.tick_size == 0
            assert market.terms.min_size > 0
            assert market.terms.fee is None or 0 <= market.terms.fee.rate < ONE
            assert market.created_at <= at
        source.books(tokens, at)


def test_markets_are_found_by_their_names(case: Case) -> None:
    for source, markets, tokens, at in seen(case):
        first = markets[0]
        assert list(source.lookup([market.id for market in markets[:3]], at)) != []
        assert first.id in {market.id for market in source.lookup([first.slug], at)}
        rivals = {market.id for market in markets if market.event == first.event}
        assert rivals <= {market.id for market in source.lookup([first.event.slug], at)}
        assert list(source.lookup(["nobody-knows-this"], at)) == []
        assert list(source.lookup([], at)) == []
        source.books(tokens, at)


def test_each_asked_token_is_answered_once_or_refused_by_name(case: Case) -> None:
    answered = 0
    for source, _, tokens, at in seen(case):
        found = source.books(tokens, at)
        answered += len(found)
        assert set(found).isdisjoint(source.refused)
        assert set(found) | set(source.refused) == set(tokens)
        assert all(book.token == token for token, book in found.items())
        assert all(isinstance(fault, Anomaly) for fault in source.refused.values())
    assert answered


def test_books_are_sorted_sound_and_on_the_grid(case: Case) -> None:
    for source, markets, tokens, at in seen(case):
        grid = {token.id: m.terms.tick_size for m in markets for token in m.tokens}
        for token, book in source.books(tokens, at).items():
            assert books.absurdity(book, grid[token]) is None
            assert list(book.bids) == sorted(book.bids, key=lambda level: -level.price)
            assert list(book.asks) == sorted(book.asks, key=lambda level: level.price)
            prices = [level.price for level in (*book.bids, *book.asks)]
            assert len(set(prices)) == len(prices)


def test_no_time_lies_in_the_future(case: Case) -> None:
    for source, _, tokens, at in seen(case):
        for book in source.books(tokens, at).values():
            assert 0 < book.observed_at <= at
            assert 0 <= book.venue_at <= at


def test_the_same_instant_twice_gives_the_same_answer(case: Case) -> None:
    for source, markets, tokens, at in seen(case):
        ids = [market.id for market in markets]
        first = source.books(tokens, at), dict(source.refused), *others(source, ids, at)
        second = source.books(tokens, at), dict(source.refused), *others(source, ids, at)
        assert first == second


def others(source: Source, ids: list[str], at: int) -> tuple[object, ...]:
    prints, said = source.prints(ids, at - SECOND, at), source.resolutions(ids, at)
    return list(source.markets(at)), list(prints), list(said)


def test_what_is_asked_of_one_market_does_not_depend_on_the_others(case: Case) -> None:
    whole, single = case.open(b""), case.open(b"")
    for at in case.ats:
        tokens = all_tokens(list(whole.markets(at)))
        found = whole.books(tokens, at)
        asked = {t: found[t] for t in tokens[2:4] if t in found}
        assert unsigned(single.books(tokens[2:4], at)) == unsigned(asked)


def test_unknown_tokens_and_markets_are_absent(case: Case) -> None:
    source, at = case.open(b""), case.ats[0]
    assert source.books(["123"], at) == {}
    assert set(source.refused) == {"123"}
    assert source.books([], at) == {}
    assert dict(source.refused) == {}
    assert list(source.resolutions(["nobody"], at)) == []
    assert list(source.prints(["nobody"], 0, at)) == []
    assert list(source.history(["123"], 0, at)) == []


def test_final_outcomes_pay_one_dollar_in_all(case: Case) -> None:
    asked: set[str] = set()
    final: dict[str, Resolution] = {}
    for source, markets, tokens, at in seen(case):
        asked |= {market.id for market in markets}
        source.books(tokens, at)
        for said in source.resolutions(sorted(asked), at):
            assert said.market in asked
            assert said.at <= at
            assert (said.payouts is not None) == (said.status is Status.RESOLVED)
            if said.payouts:
                assert sum(said.payouts) == ONE
                assert min(said.payouts) >= 0
                assert final.setdefault(said.market, said) == said
    assert final


def test_prints_are_of_the_asked_markets_and_span(case: Case) -> None:
    before = 0
    for source, markets, tokens, at in seen(case):
        source.books(tokens, at)
        asked = {market.id: market for market in markets[::2]}
        for each in source.prints(list(asked), before, at):
            assert each.token in {token.id for token in asked[each.market].tokens}
            assert each.side in {"buy", "sell"}
            assert 0 < each.price < ONE
            assert each.size > 0
            assert before < each.at <= at
        before = at


def test_history_is_of_the_asked_tokens_and_in_order(case: Case) -> None:
    for source, _, tokens, at in seen(case):
        source.books(tokens, at)
        points = list(source.history(tokens[:2], at - b.DAY, at))
        assert [point.at for point in points] == sorted(point.at for point in points)
        for point in points:
            assert point.token in tokens[:2]
            assert at - b.DAY <= point.at <= at


def test_a_checkpoint_goes_on_where_it_was_taken(case: Case) -> None:
    source = case.open(b"")
    for now, then in zip(case.ats, case.ats[1:], strict=False):
        source.books(all_tokens(list(source.markets(now))), now)
        kept = source.checkpoint()
        tokens = all_tokens(list(source.markets(now)))
        fresh = case.open(kept)
        assert list(fresh.markets(then)) == list(source.markets(then))
        assert answer(fresh, tokens, then) == answer(source, tokens, then)
        assert fresh.checkpoint() == source.checkpoint()


def answer(source: Source, tokens: list[str], at: int) -> tuple[dict[str, Book], object]:
    return unsigned(source.books(tokens, at)), dict(source.refused)


def unsigned(found: Mapping[str, Book]) -> dict[str, Book]:
    """The books without the exchange's hash: who builds a book from changes may not know it."""
    return {token: replace(book, hash="") for token, book in found.items()}
