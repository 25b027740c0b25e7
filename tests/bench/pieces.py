"""The pieces that are measured. Each `build` prepares, outside the clock, and returns the work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING

from markets.core import book as books
from markets.core import venue
from markets.core.bars import BAR_MS
from markets.core.tick import empty
from markets.core.types import FeeSchedule, PastBar
from markets.core.window import WEEK, Window
from tests import builders
from tests.bench import streaming, worlds

if TYPE_CHECKING:
    from execution.core.desk import Desk

HOUR_OF_TICKS = 360
DAY_OF_BARS = 288
MARKETS_LEARNT = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """A name, how to prepare the work, and how many units one call of it does."""

    name: str
    build: Callable[[], Callable[[], object]]
    each: int = 1


def fee() -> Callable[[], object]:
    schedule = FeeSchedule(50_000)
    return lambda: venue.taker_fee(22_840_000, 520_000, schedule)


def pack() -> Callable[[], object]:
    book = worlds.book(1, 1, builders.NOON)
    return lambda: books.pack(book, worlds.LEVELS)


def unpack() -> Callable[[], object]:
    blob = books.pack(worlds.book(1, 1, builders.NOON), worlds.LEVELS)
    return lambda: books.unpack(blob, "yes-1", builders.NOON)


def walk() -> Callable[[], object]:
    """An order through ten levels of a later book."""
    from execution.core.paper import Latency, PaperVenue
    from execution.core.types import Order, OrderType, Purpose, Side

    tick = worlds.tick(worlds.universe(), 1, builders.NOON)
    market = tick.universe.markets[0]
    order = Order(
        id="o-1", account="base", strategy="s", market=market.id, token=market.yes.id,
        outcome="Yes", side=Side.BUY, type=OrderType.FAK, price=990_000, size=2_000_000_000,
        purpose=Purpose.ENTRY, placed_at=tick.at - 10_000, arrives_at=tick.at - 9_000,
    )  # fmt: skip
    venue_of_base = PaperVenue(Latency(250, 1200, 1), 500_000)
    return lambda: venue_of_base.match([order], tick, {})


def assembly() -> Callable[[], object]:
    """One read of 50 markets, both tokens, ten levels, to a tick."""
    from markets.core.assembly import assemble

    world = worlds.universe()
    read = worlds.read(world, 3, builders.NOON)
    before = empty(world)
    return lambda: assemble(world, before, books=read, refused={}, depth_levels=worlds.LEVELS)


def advance() -> Callable[[], object]:
    """The panel through an hour of ten-second ticks: twelve bar closes, one hourly refit."""
    from markets.core.panel import Panel

    panel, ticks = Panel(), worlds.stream(worlds.universe())

    def work() -> None:
        for tick in islice(ticks, HOUR_OF_TICKS):
            panel.advance(tick)

    return work


def bar_closes() -> Callable[[], object]:
    """The panel through a day of five-minute ticks: every tick closes a bar."""
    from markets.core.panel import Panel

    panel, ticks = Panel(), worlds.stream(worlds.universe(), every=worlds.BAR_MS)

    def work() -> None:
        for tick in islice(ticks, DAY_OF_BARS):
            panel.advance(tick)

    return work


def turn() -> Callable[[], object]:
    """An hour of ticks through a whole desk: panel, every strategy, three accounts, no database."""
    from execution.core.desk import turn as take

    world = worlds.universe()
    desk = a_desk()
    for tick in islice(worlds.stream(world, every=worlds.BAR_MS), 2 * DAY_OF_BARS):
        take(desk, tick)
    ticks = worlds.stream(world, after=desk.panel.tick.at)

    def work() -> None:
        for tick in islice(ticks, HOUR_OF_TICKS):
            take(desk, tick)

    return work


def a_desk() -> "Desk":
    """A desk of 1,000 dollars with every built strategy enabled, default parameters."""
    from execution.core import portfolio
    from execution.core.controls import Controls
    from execution.core.desk import ACCOUNTS, Desk
    from execution.core.engine import Setting
    from execution.core.paper import PHANTOM, Latency, PaperVenue
    from execution.core.risk import Limits
    from execution.core.sizing import Sizing
    from execution.core.types import Portfolio
    from markets.core.panel import Panel
    from strategies.core.journal import Journal
    from strategies.library import REGISTRY

    built = {name: entry.built for name, entry in REGISTRY.items() if entry.built}
    limits = Limits(
        max_capital_per_market=100_000_000,
        max_capital_per_strategy=400_000_000,
        daily_loss_limit=100_000_000,
        max_drawdown=100_000,
        max_event_loss=100_000_000,
        max_cluster_loss=200_000_000,
        max_total_exposure=600_000_000,
        max_orders_per_minute=120_000_000,
        max_book_age=15_000_000,
    )
    opened = {
        name: portfolio.deposit(Portfolio(name), 1_000_000_000, builders.NOON, "opening")[0]
        for name in ACCOUNTS
    }
    return Desk(
        panel=Panel(),
        journal=Journal(),
        portfolios=opened,
        control=Controls.of(frozenset(built), limits),
        strategies=[kind(kind.params()) for kind in built.values()],
        venues={name: PaperVenue(Latency(250, 1200, 1), PHANTOM[name]) for name in ACCOUNTS},
        setting=Setting(Sizing(100_000, 100_000, 100_000, 200_000), UTC),
    )


def past() -> Callable[[], object]:
    """Markets of which a tick brings the seven days before."""
    newest = builders.NOON // BAR_MS * BAR_MS
    bars = [
        PastBar(f"m-{market}", newest - back * BAR_MS, 400_000 + back % 7 * 10_000)
        for market in range(MARKETS_LEARNT)
        for back in reversed(range(WEEK))
    ]

    def learn() -> None:
        window = Window()
        window.roll(newest // BAR_MS - 1)
        window.learn(bars)

    return learn


PIECES = (
    Piece("fee of one fill", fee),
    Piece("pack a book, 20 levels", pack),
    Piece("unpack a book, 20 levels", unpack),
    Piece("walk one order through 10 levels", walk),
    Piece("assemble a tick, 50 markets", assembly),
    Piece("panel: a 10 s tick, 50 markets", advance, each=HOUR_OF_TICKS),
    Piece("panel: a bar close, 50 markets", bar_closes, each=DAY_OF_BARS),
    Piece("panel: learn seven days of one market", past, each=MARKETS_LEARNT),
    Piece("a turn of the desk, 50 markets, no database", turn, each=HOUR_OF_TICKS),
    Piece("stream: one frame, both tokens of a market", streaming.frames, each=streaming.FRAMES),
    Piece("stream: the books of 200 markets, 20 changed", streaming.view),
)
