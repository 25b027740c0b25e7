"""Damaged payloads: refused with a declared error, or read as something that can be true.

`PARSERS` is the list to add a parser to; each gets its part of the same number of payloads.
"""

import contextlib
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest

from markets.core import assembly
from markets.core.book import Anomaly
from markets.core.ports import SourceDown
from markets.core.tick import Universe, empty
from markets.core.types import ONE, Event, Market, Status
from markets.sources import transport as http
from markets.sources import wire, wire_clob, wire_data, wire_gamma
from markets.sources.catalogue import Catalogue
from markets.sources.contracts import CONTRACTS
from markets.sources.drift import Watch
from markets.sources.orderbooks import OrderBooks
from markets.sources.outcomes import Outcomes
from markets.sources.stream import messages
from markets.sources.transport import Transport
from markets.sources.wire import Unreadable
from tests.exchange import World, shapes
from tests.exchange.mutations import Mutator, to_bytes
from tests.exchange.payloads import OWN, own

AT = 1_790_000_000_000
EVENT = Event("1", "an-event", "An event?")
CONDITION = "0x" + "a1" * 32
TOKENS = tuple("7" + "0" * 75 + f"{number}" for number in range(9))
SEED = os.environ["PQAP_TEST_SEED"]
SOME, MANY = 20_000, 200_000


@dataclass(frozen=True)
class Parser:
    """A function that reads payloads, healthy ones to damage, and what must hold of its answer."""

    name: str
    healthy: Callable[[], list[Any]]
    read: Callable[[Any], Any]
    sane: Callable[[Any], bool]


def _whole(value: Any, low: int = 0, high: int = 10**19) -> bool:
    return type(value) is int and low <= value <= high


def _sane_market(listed: Any) -> bool:
    market, terms = listed.market, listed.market.terms
    fee = terms.fee
    return (
        isinstance(market.id, str)
        and market.yes.id != market.no.id
        and all(token.id.isdigit() for token in market.tokens)
        and _whole(terms.tick_size, 1, ONE - 1)
        and ONE % terms.tick_size == 0
        and _whole(terms.min_size)
        and _whole(market.volume_24h)
        and _whole(terms.taker_delay_ms)
        and (fee is None or (_whole(fee.rate, 0, ONE) and _whole(fee.exponent, 0, 4)))
        and (terms.end_at is None or _whole(terms.end_at))
    )


def _sane_book(found: Any) -> bool:
    _, book = found
    bids, asks = [x.price for x in book.bids], [x.price for x in book.asks]
    return (
        all(_whole(x.price, 1, ONE - 1) and _whole(x.size, 1) for x in (*book.bids, *book.asks))
        and bids == sorted(bids, reverse=True)
        and asks == sorted(asks)
        and _whole(book.venue_at)
    )


def _sane_resolution(found: Any) -> bool:
    paid = found.payouts
    settled = paid is not None and sum(paid) == ONE and min(paid) >= 0
    return _whole(found.at) and (settled if found.status is Status.RESOLVED else paid is None)


def _sane_points(points: Any) -> bool:
    times = [point.at for point in points]
    return times == sorted(set(times)) and all(_whole(point.price, 0, ONE) for point in points)


def _sane_fee(fee: Any) -> bool:
    return fee is None or (_whole(fee.rate, 0, ONE) and _whole(fee.exponent, 0, 4))


def _sane_trade(made: Any) -> bool:
    return made is None or (
        _whole(made.price, 1, ONE - 1)
        and _whole(made.size, 1)
        and _whole(made.at)
        and made.side in ("buy", "sell")
    )


def _sane_messages(said: Any) -> bool:
    """Whole books and changes hold possible prices and sizes; all else is told as flawed."""
    levels = [x for one in said if isinstance(one, messages.Whole) for x in (*one.bids, *one.asks)]
    changes = [one for one in said if isinstance(one, messages.Delta)]
    return all(_whole(x.price, 1, ONE - 1) and _whole(x.size, 1) for x in levels) and all(
        _whole(x.price, 1, ONE - 1) and _whole(x.size) for x in changes
    )


def _replies(route: str) -> list[Any]:
    """Healthy replies of every route whose name begins so."""
    found = wire.decode((OWN / "replies.json").read_bytes())
    return [
        reply for name, one in found.items() if name.startswith(route) for reply in one["replies"]
    ]


def _markets() -> list[Any]:
    return own("gamma_event")["markets"] + _replies("gamma/markets/slug")


def _books() -> list[Any]:
    """Books with their hash, and more of an older shape, whose hash proves nothing."""
    whole = own("clob_books")
    old = [{k: v for k, v in book.items() if k != "neg_risk"} for book in whole]
    return whole + old * 4


PARSERS = (
    Parser("gamma.market", _markets, lambda x: wire_gamma.market(x, EVENT, ()), _sane_market),
    Parser("gamma.idle", _markets, wire_gamma.idle, lambda x: isinstance(x, str)),
    Parser("gamma.event", lambda: [own("gamma_event")], wire_gamma.event, lambda x: bool(x[0].id)),
    Parser("gamma.resolution", _markets, lambda x: wire_gamma.resolution(x, AT), _sane_resolution),
    Parser("clob.book", _books, lambda x: wire_clob.book(x, AT), _sane_book),
    Parser(
        "clob.fee", lambda: [own("clob_market")], lambda x: wire_clob.fee(x, CONDITION), _sane_fee
    ),
    Parser(
        "clob.history",
        lambda: [own("clob_prices_history")],
        lambda x: wire_clob.history(x, "1"),
        _sane_points,
    ),
    Parser(
        "data.resolution",
        lambda: own("data_resolutions")["data"],
        lambda x: wire_data.resolution(x, AT),
        _sane_resolution,
    ),
    Parser(
        "data.trade",
        lambda: [row for reply in _replies("data/v2/trades") for row in reply["data"]],
        wire_data.trade,
        _sane_trade,
    ),
    Parser(
        "data.history",
        lambda: _replies("data/v2/prices-history"),
        lambda x: wire_data.history(x, "1")[0],
        _sane_points,
    ),
    Parser(
        "clob.histories",
        lambda: _replies("clob/batch-prices-history"),
        lambda x: wire_clob.histories(x, TOKENS),
        lambda found: all(map(_sane_points, found.values())),
    ),
    Parser(
        "stream",
        lambda: _replies("stream/"),
        lambda x: messages.read(to_bytes(x), AT),
        _sane_messages,
    ),
)


def parse(parser: Parser, count: int) -> Counter[str]:
    """Damage and read `count` payloads; how many were read and refused, by the field at fault."""
    mutator = Mutator(random.Random(f"{SEED}-{parser.name}"))
    healthy = parser.healthy()
    met: Counter[str] = Counter()
    for number in range(count):
        item = mutator.damage(healthy[number % len(healthy)])
        if number % 5 == 0:
            try:
                item = wire.decode(mutator.tear(to_bytes(item)))
            except ValueError:
                met["not JSON"] += 1
                continue
        try:
            found = parser.read(item)
        except Unreadable as refused:
            met[str(refused).split(":")[0].split(".")[0][:30]] += 1
            continue
        assert parser.sane(found), (parser.name, number, found)
        met["read"] += 1
    return met


def judge(count: int) -> Counter[str]:
    """Hold `count` damaged replies against their contracts: never an exception, always a line."""
    mutator = Mutator(random.Random(f"{SEED}-drift"))
    replies = wire.decode((OWN / "replies.json").read_bytes())
    met: Counter[str] = Counter()
    watch = Watch(CONTRACTS)
    for number in range(count):
        route = list(CONTRACTS)[number % len(CONTRACTS)]
        reply = mutator.damage(replies[route]["replies"][0])
        watch.see(route, reply, replies[route]["asked"])
        met["drift" if watch.reason(route) else "as agreed"] += 1
        assert "\n" not in watch.reason(route)
    return met


class Wired:
    """The real transport over a client that answers with whatever bytes were put into it."""

    def __init__(self) -> None:
        self.body, self.ms = b"[]", AT
        client = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.transport = Transport(client, clock=self.seconds, sleep=self.sleep, share=1e6)
        self.host = http.clob("http://clob.test")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self.body)

    def seconds(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)

    def now(self) -> int:
        return self.ms


def listed(world: World) -> tuple[Market, ...]:
    found = []
    for row in shapes.events(world):
        event, tags = wire_gamma.event(row)
        for item in row["markets"]:
            if not wire_gamma.idle(item):
                found.append(wire_gamma.market(wire.decode(to_bytes(item)), event, tags).market)
    return tuple(found)


def collect(count: int) -> Counter[str]:
    """Read `count` damaged `/books` replies into ticks.

    A market with a refused book keeps every column of the tick before; one whose reply was left
    whole is observed; and every token asked for is either read or refused for a reason.
    """
    wired, mutator = Wired(), Mutator(random.Random(f"{SEED}-books"))
    world = World(seed=4, markets=4, now=lambda: AT)
    markets = listed(world)
    universe = Universe(1, markets)
    reader = OrderBooks(wired.transport, wired.host, wired.now)
    reader.learn(markets)
    tokens = [token.id for market in markets for token in market.tokens]
    healthy = [shapes.book(world, token) for token in tokens]
    tick, met = empty(universe), Counter[str]()
    for _ in range(count):
        wired.ms += 1_000 + 61_000 * bool(wired.transport._breaker("clob/books").left())
        reply = mutator.damage(healthy)
        if mutator.rng.random() < 0.3:
            reply = _lie(healthy, mutator.rng)
        if mutator.rng.random() < 0.6:
            _sign(reply)
        wired.body = to_bytes(reply)
        if mutator.rng.random() < 0.1:
            wired.body = mutator.tear(wired.body)
        try:
            books = reader.read(tokens)
        except SourceDown:
            met["SourceDown"] += 1
            continue
        assert set(books) | set(reader.refused) == set(tokens)
        assert not set(books) & set(reader.refused)
        assert all(isinstance(code, Anomaly) for code in reader.refused.values())
        met.update(reader.refused.values())
        before = tick
        after, flaws = assembly.assemble(
            universe, tick, books=books, refused=reader.refused, depth_levels=10
        )
        tick = after or tick
        refused = {flaw.market for flaw in flaws} | _of(markets, reader.refused)
        _check_columns(before, tick, markets, refused, flaws)
        met.update(f"tick {flaw.code}" for flaw in flaws)
        met["ticks"] += after is not None
    return met


def _lie(healthy: list[Any], rng: random.Random) -> list[Any]:
    """A well-formed reply in which one market's books cannot be, though they agree."""
    books = wire.decode(to_bytes(healthy))
    first = rng.randrange(0, len(books), 2)
    kind = rng.choice(("crossed", "ghost", "off grid", "empty", "twice"))
    for book in books[first : first + 2]:
        if kind == "crossed":
            book["bids"] = book["asks"] = [{"price": "0.5", "size": "7"}]
        elif kind == "ghost":
            book["bids"] = [{"price": "0.01", "size": "7"}]
            book["asks"] = [{"price": "0.99", "size": "7"}]
        elif kind == "off grid":
            book["bids"], book["asks"] = [{"price": "0.50003", "size": "7"}], []
        elif kind == "empty":
            book["bids"] = book["asks"] = []
        else:
            other = book | {"bids": [*book["bids"], {"price": "0.00004", "size": "7"}]}
            books.append(other | {"hash": wire_clob.digest(other)})
        book["hash"] = wire_clob.digest(book)
    return books


def _sign(reply: Any) -> None:
    """Give damaged books the hash of what they say now, so that no check is spared."""
    for book in reply if isinstance(reply, list) else ():
        if isinstance(book, dict) and book.keys() == set(wire_clob.HASHED):
            with contextlib.suppress(TypeError, ValueError):
                book["hash"] = wire_clob.digest(book)


FLAGGED = {Anomaly.TORN, Anomaly.MIRROR_GAP}
"""Observed all the same, and marked incoherent: nothing trades on them."""


def _check_columns(before: Any, after: Any, markets: Any, refused: set[str], flaws: Any) -> None:
    flagged = {flaw.market for flaw in flaws if flaw.code in FLAGGED}
    for column, market in enumerate(markets):
        if market.id in flagged:
            assert not after.coherent[column]
        elif market.id in refused:
            for name in assembly.COLUMNS:
                was, now = getattr(before, name)[column], getattr(after, name)[column]
                assert np.array_equal(was, now), (market.id, name)
            assert before.depth[column] == after.depth[column]


def _of(markets: Any, refused: Any) -> set[str]:
    return {m.id for m in markets if any(token.id in refused for token in m.tokens)}


def walk(count: int) -> Counter[str]:
    """Read `count` damaged catalogue pages, and as many rows of outcomes."""
    wired, mutator = Wired(), Mutator(random.Random(f"{SEED}-catalogue"))
    gamma, data = http.gamma("http://gamma.test"), http.data("http://data.test")
    page = {"events": [own("gamma_event")] * 3}
    rows = own("data_resolutions")
    asked = [row["condition_id"] for row in rows["data"]]
    met: Counter[str] = Counter()
    for number in range(count):
        wired.ms += 61_000
        catalogue = Catalogue(wired.transport, gamma, wired.host)
        outcomes = Outcomes(wired.transport, data, gamma)
        if number % 2:
            wired.body = to_bytes(mutator.damage(rows))
            facts = outcomes.read(asked, AT)
            assert all(_sane_resolution(fact) and fact.market in asked for fact in facts)
            met["outcomes"] += len(facts)
            continue
        wired.body = to_bytes(mutator.damage(page))
        try:
            found = catalogue.read()
        except SourceDown:
            met["SourceDown"] += 1
            continue
        assert found
        assert all(isinstance(market, Market) for market in found)
        met["markets"] += len(found)
        met["refused"] += len(catalogue.last.unreadable)
    return met


def fuzz(total: int) -> Counter[str]:
    """All of it, `total` payloads together; prints the figures."""
    each = total * 7 // 10 // len(PARSERS)
    found = {parser.name: parse(parser, each) for parser in PARSERS}
    found["contracts"] = judge(total * 2 // 10)
    found["books into ticks"] = collect(total * 8 // 100)
    found["catalogue and outcomes"] = walk(total * 2 // 100)
    for name, met in found.items():
        print(f"{name}: {', '.join(f'{what} {n}' for what, n in met.most_common(8))}")
    return Counter({name: sum(met.values()) for name, met in found.items()})


def test_damaged_payloads_are_refused_or_true():
    assert len(fuzz(SOME)) == len(PARSERS) + 3


@pytest.mark.slow
def test_many_damaged_payloads_are_refused_or_true():
    assert len(fuzz(MANY)) == len(PARSERS) + 3


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_healthy_payloads_are_not_damaged_by_the_fuzzer(parser):
    before = to_bytes(parser.healthy())
    healthy = parser.healthy()
    mutator = Mutator(random.Random(1))
    for item in healthy * 5:
        mutator.damage(item)

    assert to_bytes(healthy) == before
