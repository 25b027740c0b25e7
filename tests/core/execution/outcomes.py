"""An account that holds shares of m-1, and ticks that tell what became of it."""

from dataclasses import replace

from execution.core import engine, state
from execution.core.controls import Controls
from execution.core.types import JournalEntry, Portfolio, Position
from markets.core.tick import Tick, Universe
from markets.core.types import ONE, Resolution, Status
from tests.builders import NOON, book, market, micro, tick, universe
from tests.trading import LIMITS, PLAN, SETTING, VENUE, account, opinions

YES, NO, HALF = (ONE, 0), (0, ONE), (ONE // 2, ONE // 2)
WAIT = 15 * 60_000
KEY = ("tester", "yes-1")
WORLD = universe(market(), market("m-2"))
PATIENT = Controls.of(
    frozenset({"tester"}), replace(LIMITS, daily_loss_limit=micro(9999), max_drawdown=micro(99))
)
"""Breakers out of the way: a corrected payout is a loss like any other."""


def world(status: Status) -> Universe:
    """Both markets, the first one in the given state."""
    first = WORLD.markets[0]
    taking = status not in (Status.CLOSED, Status.RESOLVED, Status.HALTED)
    terms = replace(first.terms, status=status, accepting_orders=taking)
    return universe(replace(first, terms=terms), WORLD.markets[1], version=2)


def moment(
    at: int, *words: Resolution, status: Status = Status.OPEN, bid: str = "0.60", size: int = 500
) -> Tick:
    """The tick `at` ms after noon that tells `words`; every token is bid for."""
    low = ((bid, size),)
    ask = ((str(round(float(bid) + 0.02, 2)), 500),)
    where = world(status)
    books = {m.yes.id: book(m.yes.id, low, ask, NOON + at) for m in where.markets}
    return tick(where, books, at=NOON + at, id=at // 1000 + 1, resolutions=words)


def final(pays: tuple[int, int], at: int = 0) -> Resolution:
    return Resolution("m-1", Status.RESOLVED, NOON + at, pays)


def said(status: Status, at: int = 0, proposed: tuple[int, int] | None = None) -> Resolution:
    return Resolution("m-1", status, NOON + at, proposed=proposed)


def run(held: Portfolio, now: Tick, *bets, leave=None, **options) -> tuple[Portfolio, list]:
    setting = replace(SETTING, redeem_ms=options.pop("redeem_ms", WAIT))
    said_by = opinions(now, leave)
    said_by["other"] = said_by["tester"]
    return engine.step(
        held, now, bets, said_by, control=PATIENT, venue=VENUE, setting=setting,
        **options,
    )  # fmt: skip


def holding(
    token: str = "yes-1", size: int = 100, price: str = "0.70", cash: str | int = 1000
) -> Portfolio:
    """An account that holds shares of m-1, bought at `price` out of `cash`."""
    index = 0 if token.startswith("yes") else 1
    cost = micro(price) * size
    bought = Position(
        "tester", "m-1", token, "Yes", index, micro(size), cost, NOON, PLAN, fair_cost=cost
    )
    opened = account(cash=cash)
    return replace(opened, cash=opened.cash - cost, positions={("tester", token): bought})


def after(held: Portfolio, *ticks: Tick, **options) -> tuple[Portfolio, list]:
    """The account after several ticks, with a restart before each, and all facts."""
    facts: list = []
    for now in ticks:
        held = state.load(state.dump(held))
        held, news = run(held, now, **options)
        facts += news
    return held, facts


def pick(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


def kinds(facts) -> list[str]:
    return [entry.kind for entry in pick(facts, JournalEntry)]


def closes(held: Portfolio) -> bool:
    """Whether the account's gain is exactly what was realized and what is still held."""
    unrealized = sum(p.value - p.cost for p in held.positions.values())
    return held.equity - held.deposits == held.realized + unrealized
