"""A long random life of one account, checked at every tick by code that shares nothing with it.

Takers, makers, baskets, splits, halts, ends of markets; every fill is held against what the tick
displayed and printed, and every posting against the ledger's rules.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from math import log
from zoneinfo import ZoneInfo

import numpy as np

from execution.core import engine, operations, portfolio
from execution.core.controls import Controls, apply, latch
from execution.core.engine import Setting
from execution.core.latency import Latency
from execution.core.paper import MODELS, PaperVenue
from execution.core.risk import LIMIT_NAMES, Limits
from execution.core.sizing import Sizing
from execution.core.types import (
    CASH_ASSET,
    OPEN_STATES,
    AccountName,
    Change,
    ChangeKind,
    Fact,
    Fill,
    JournalEntry,
    Order,
    OrderState,
    Portfolio,
    Side,
)
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, Market, Print, Resolution, Status, Token
from strategies.core.types import LEAVE_BOTH, Basket, Bet, Opinion, Plan, Quote, Signal
from tests.builders import NOON, book, market, micro, tick

ENDED = frozenset(set(OrderState) - set(OPEN_STATES))
NEXT = {
    None: {OrderState.PLACED},
    OrderState.PLACED: {OrderState.RESTING, *ENDED},
    OrderState.RESTING: {OrderState.RESTING, *ENDED - {OrderState.REJECTED}},
    **{state: set() for state in ENDED},
}
"""What an order may become; what has ended never speaks again."""

STEP = 10_000
STRATEGIES = ("alpha", "beta", "gamma")
QUOTER = "maker"
PLENTY = 10**15
HOLD = Plan(max_hold_ms=3 * STEP)
PATIENT = Plan(max_hold_ms=30 * STEP)


def limits() -> Limits:
    """Limits that bind now and then."""
    wide = dict.fromkeys(LIMIT_NAMES, PLENTY)
    return Limits(**{**wide, "max_drawdown": ONE, "max_capital_per_market": micro(4000)})


def world(markets: int, mirrored: bool) -> Universe:
    """Markets with different fees; the mirrored one has every market's tokens swapped."""
    rates = ("0.07", "0.05", "0.04", "0")
    made = [
        market(f"m-{n}", event=f"e-{n // 3}", neg_risk=True, fee_rate=rates[n % 4], min_size=5)
        for n in range(markets)
    ]
    return Universe(1, tuple(_swapped(m) if mirrored else m for m in made))


def _swapped(one: Market) -> Market:
    return replace(one, yes=Token(one.no.id, "No"), no=Token(one.yes.id, "Yes"))


@dataclass(slots=True)
class Scene:
    """One tick's worth of chance, told in terms of the token named yes-N whatever its place."""

    books: dict[str, tuple[tuple, tuple]]
    prints: tuple[Print, ...]
    ends: dict[str, int]
    bets: list[tuple]
    quotes: list[tuple]
    baskets: list[tuple]
    leave: frozenset[str]
    halt: str
    lapsed: bool
    split: str


def scene(luck: random.Random, names: Sequence[str], number: int) -> Scene:
    """Draw one tick."""
    books, prints = {}, []
    when = NOON + number * STEP
    for name in names:
        if luck.random() < 0.1:
            continue
        low, width = luck.randrange(8, 86), luck.randrange(1, 5)
        books[name] = (
            tuple((f"{(low - n) / 100:.2f}", _size(luck)) for n in range(luck.randrange(1, 4))),
            tuple(
                (f"{(low + width + n) / 100:.2f}", _size(luck)) for n in range(luck.randrange(1, 4))
            ),
        )
        for _ in range(luck.choice((0, 0, 1, 2))):
            token, price = luck.choice(("yes", "no")), low + luck.randrange(-3, 6)
            shown = price if token == "yes" else 100 - price
            prints.append(
                Print(
                    f"m-{name}", f"{token}-{name}", luck.choice(("buy", "sell")),
                    min(max(shown, 1), 99) * 10_000, micro(_size(luck)),
                    when - luck.randrange(1, 15_000), str(len(prints)),
                )
            )  # fmt: skip
    return Scene(
        books=books,
        prints=tuple(prints),
        ends={n: luck.choice((0, ONE // 2, ONE)) for n in names if luck.random() < 0.002},
        bets=[
            (s, n, luck.choice(("yes", "no")), luck.randrange(5, 96), luck.randrange(5, 400))
            for s in STRATEGIES
            for n in names
            if luck.random() < 0.5
        ],
        quotes=[
            (
                n,
                luck.randrange(10, 90) / 100,
                luck.choice((0.02, 0.05, 0.1)),
                luck.choice((0, 0, 40)),
            )
            for n in names
            if luck.random() < 0.6
        ],
        baskets=[
            (luck.randrange(40, 99), luck.randrange(5, 60), first)
            for first in range(0, len(names) - 2, 3)
            if luck.random() < 0.1
        ],
        leave=frozenset(n for n in names if luck.random() < 0.15),
        halt=luck.choice(names) if luck.random() < 0.03 else "",
        lapsed=luck.random() < 0.03,
        split=luck.choice(names) if luck.random() < 0.1 else "",
    )


def _size(luck: random.Random) -> float:
    return luck.choice((luck.randrange(1, 300), luck.randrange(100, 30_000) / 100, 0.5))


@dataclass
class Life:
    """One account living through scenes, with its checks."""

    names: tuple[str, ...]
    mirrored: bool = False
    model: AccountName = AccountName.BASE
    fills: int = 0
    makers: int = 0
    held: Portfolio = field(default_factory=lambda: Portfolio("base"))
    balances: dict = field(default_factory=lambda: defaultdict(int))
    ids: set = field(default_factory=set)
    orders: dict[str, Order] = field(default_factory=dict)
    taken: dict = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        self.universe = world(len(self.names), self.mirrored)
        self.venue = PaperVenue(Latency(250, 1200, 1), MODELS[self.model])
        self.control = Controls.of(frozenset((*STRATEGIES, QUOTER)), limits())
        self.setting = Setting(Sizing(ONE, ONE, ONE, 0), ZoneInfo("UTC"))
        self.held, facts = portfolio.deposit(self.held, micro(1_000_000), NOON - 1, "test")
        self._book(facts)

    def live(self, drawn: Scene, changes: Sequence[Change] = ()) -> list[Fact]:
        """One tick: act, people's decisions included, then check everything."""
        self.number += 1
        for change in changes:
            self.control = apply(self.control, change)
            if change.kind is ChangeKind.NEW_ACCOUNT:
                self.taken.clear()  # another account, which took nothing yet
        now = self._tick(drawn)
        opinions = {name: self._opinion(name, drawn) for name in (*STRATEGIES, QUOTER)}
        control = latch(self.control, f"market:m-{drawn.halt}", "t") if drawn.halt else self.control
        facts = self._split(drawn, now)
        self.held, news = engine.step(
            self.held, now, self._signals(drawn, now), opinions, control=control,
            venue=self.venue, setting=self.setting, lapsed=drawn.lapsed, changes=changes,
        )  # fmt: skip
        facts += news
        self._check(facts, now)
        return facts

    def _split(self, drawn: Scene, now: Tick) -> list[Fact]:
        if not drawn.split or self.held.cash < micro(50):
            return []
        one = self.universe.markets[self.universe.column[f"m-{drawn.split}"]]
        self.held, facts = operations.split(self.held, "beta", one, micro(20), PATIENT, now.at)
        return facts

    def _tick(self, drawn: Scene) -> Tick:
        when = NOON + self.number * STEP
        books = {}
        for name, (bids, asks) in drawn.books.items():
            if self.mirrored:
                bids, asks = _mirror(asks), _mirror(bids)
            yes = self.universe.markets[self.universe.column[f"m-{name}"]].yes.id
            books[yes] = book(yes, bids, asks, when)
        ends = [
            Resolution(f"m-{name}", Status.RESOLVED, when, self._payouts(pays))
            for name, pays in drawn.ends.items()
        ]
        return tick(
            self.universe, books, at=when, id=self.number, resolutions=ends, prints=drawn.prints
        )

    def _payouts(self, pays: int) -> tuple[int, int]:
        return (ONE - pays, pays) if self.mirrored else (pays, ONE - pays)

    def _opinion(self, name: str, drawn: Scene) -> Opinion:
        n = len(self.universe)
        close = np.zeros(n, dtype=np.int8)
        for left in drawn.leave:
            close[self.universe.column[f"m-{left}"]] = LEAVE_BOTH
        return Opinion(name, "1", (), close * 0, close.astype(np.int64), close)

    def _signals(self, drawn: Scene, now: Tick) -> list[Signal]:
        made: list[Signal] = [
            self._bet(s, n, token, limit, size, now) for s, n, token, limit, size in drawn.bets
        ]
        for name, fair, half, stock in drawn.quotes:
            middle = log(fair / (1 - fair)) * (-1 if self.mirrored else 1)
            made.append(
                Quote(
                    QUOTER, "1", now.at, f"m-{name}", middle, half, 0.001, micro(25), micro(200),
                    PATIENT, split=micro(stock),
                )
            )  # fmt: skip
        for limit, size, first in drawn.baskets:
            legs = tuple(
                replace(self._bet("alpha", self.names[first + k], "no", limit, size, now), leg=k)
                for k in range(3)
            )
            made.append(Basket("alpha", "1", now.at, legs, convert=True))
        return made

    def _bet(self, s: str, n: str, token: str, limit: int, size: int, now: Tick) -> Bet:
        return Bet(
            s, "1", now.at, f"m-{n}", f"{token}-{n}", token, 990_000, limit * 10_000, 20_000,
            micro(size), 1e-9, HOLD,
        )  # fmt: skip

    # Checks.

    def _check(self, facts: Iterable[Fact], now: Tick) -> None:
        self._book(facts)
        self._refresh(now)
        printed: dict = defaultdict(int)
        walks: dict[str, list[Fill]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Order):
                self._state(fact)
            elif isinstance(fact, Fill):
                assert fact.id not in self.ids, "a fill's id is used once"
                self.ids.add(fact.id)
                self.fills += 1
                if fact.liquidity == "taker":
                    walks[fact.order].append(fact)
                    self._taker(fact, now)
                elif fact.liquidity == "maker":
                    self.makers += 1
                    self._maker(fact, now, printed)
        for order, parts in walks.items():
            self._walk(self.orders[order], parts, now)
        self._agree()

    def _state(self, fact: Order) -> None:
        """An order moves through its states one way, and what is filled only grows."""
        known = self.orders.get(fact.id)
        before = known.state if known else None
        assert fact.state in NEXT[before], f"{before} became {fact.state}"
        assert known is None or known.filled <= fact.filled <= fact.size
        assert (fact.state is OrderState.FILLED) == (fact.filled == fact.size)
        assert fact.reserved == 0 or fact.state in OPEN_STATES
        self.orders[fact.id] = fact

    def _book(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, JournalEntry):
                assert fact.id not in self.ids, "a cause is booked once"
                self.ids.add(fact.id)
                for posting in fact.postings:
                    assert posting.amount > 0
                    assert posting.debit.asset == posting.credit.asset
                    self.balances[posting.debit] += posting.amount
                    self.balances[posting.credit] -= posting.amount
                    if posting.credit.kind in ("CASH", "RESERVED", "POSITION"):
                        assert self.balances[posting.credit] >= 0, posting

    def _agree(self) -> None:
        total: dict = defaultdict(int)
        shares: dict = defaultdict(int)
        assets: dict = defaultdict(int)
        for key, amount in self.balances.items():
            total[key.kind, key.asset] += amount
            assets[key.asset] += amount
            if key.kind in ("POSITION", "RESERVED") and key.asset != CASH_ASSET and amount:
                shares[key.strategy, key.asset] += amount
        assert not any(assets.values()), "every asset's postings sum to nothing"
        assert self.held.cash == total["CASH", CASH_ASSET]
        assert self.held.reserved == total["RESERVED", CASH_ASSET]
        assert self.held.fees == total["FEES", CASH_ASSET]
        assert shares == {key: p.size for key, p in self.held.positions.items()}

    def _refresh(self, now: Tick) -> None:
        """Our own memory of what was taken, kept by its own code."""
        for key in list(self.taken):
            shown = _shown(now, *key)
            taken, before = self.taken[key]
            if shown is None:
                continue
            if shown == 0 or shown > before:
                del self.taken[key]
            else:
                self.taken[key] = (min(taken, shown), shown)

    def _take(self, fact: Fill, price: int, now: Tick) -> None:
        key = (fact.token, fact.side is Side.BUY, price)
        shown = _shown(now, *key)
        assert shown, "filled against a level that is not displayed"
        mirror = _mirrored_key(now, *key)
        known = self.taken.get(key) or self.taken.get(mirror) or (0, shown)
        assert known[0] + fact.size <= shown, "more was taken than was displayed"
        self.taken.pop(mirror, None)
        self.taken[key] = (known[0] + fact.size, shown)

    def _taker(self, fact: Fill, now: Tick) -> None:
        order = self.orders[fact.order]
        assert (fact.price <= order.price) if fact.side is Side.BUY else fact.price >= order.price
        column, _ = now.universe.token[fact.token]
        assert now.observed_at[column] >= order.arrives_at, "a book from before it arrived"
        self._take(fact, fact.price, now)
        fee = now.universe.markets[column].terms.fee
        assert fact.fee == _fee(fact.size, fact.price, fee.rate)

    def _walk(self, order: Order, parts: list[Fill], now: Tick) -> None:
        """Never better than walking the displayed book from its best level."""
        size, paid = sum(p.size for p in parts), sum(p.notional for p in parts)
        side = now.book(order.token).asks if order.side is Side.BUY else now.book(order.token).bids
        left, best = size, 0
        for level in side:
            took = min(left, level.size)
            best += took * level.price
            left -= took
        assert left == 0
        assert (paid * ONE >= best) if order.side is Side.BUY else (paid * ONE <= best)

    def _maker(self, fact: Fill, now: Tick, printed: dict) -> None:
        order = self.orders[fact.order]
        assert fact.price == order.price
        assert fact.fee == 0
        if fact.evidence.startswith("book through us"):
            return
        match = next(
            p
            for p in now.prints
            if p.at == fact.book_at and p.market == fact.market and p.at > order.arrives_at
            and printed[p] + fact.size <= p.size and _ours(order, p)
        )  # fmt: skip
        printed[match] += fact.size


def _ours(order: Order, print_: Print) -> bool:
    """Whether a print's taker met our side at our price or beyond, reckoned for this token."""
    direct = print_.token == order.token
    price = print_.price if direct else ONE - print_.price
    if order.side is Side.BUY:
        return (print_.side == "sell") == direct and price <= order.price
    return (print_.side == "buy") == direct and price >= order.price


def _shown(now: Tick, token: str, buy: bool, price: int) -> int | None:
    column, _ = now.universe.token[token]
    if not now.coherent[column]:
        return None
    book_ = now.book(token)
    return sum(level.size for level in (book_.asks if buy else book_.bids) if level.price == price)


def _mirrored_key(now: Tick, token: str, buy: bool, price: int) -> tuple[str, bool, int]:
    column, side = now.universe.token[token]
    return now.universe.markets[column].tokens[1 - side].id, not buy, ONE - price


def _fee(size: int, price: int, rate: int) -> int:
    """C * r * p * (1 - p) in decimals: half up to five places, below 0.00001 nothing."""
    c, p, r = (Decimal(each) / ONE for each in (size, price, rate))
    exact = c * r * p * (1 - p)
    if exact < Decimal("0.00001"):
        return 0
    return int(exact.quantize(Decimal("0.00001"), ROUND_HALF_UP) * ONE)


def _mirror(levels: tuple) -> tuple:
    return tuple((f"{1 - float(price):.2f}", size) for price, size in levels)
