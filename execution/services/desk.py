"""The desk stage: new ticks through opinions, orders, fills and ledger, in one transaction."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from execution.core import desk as core
from execution.core.types import Fill, Halt, Refusal, Suspension
from execution.services import changes, restoring, saving, statefile, stops
from markets import stages
from markets.core.tick import Tick
from markets.selectors import ticks as market_ticks

log = logging.getLogger("pqap.desk")

STAGE = "desk"
BATCH = 50
LATE_POLLS = 3


@dataclass(slots=True)
class _Warm:
    """The desk kept warm between calls, and the cursor it stands at."""

    position: int
    digest: str
    desk: core.Desk


_warm: _Warm | None = None


def advance(*, now: datetime, late_allowed: bool = False, batch: int = BATCH) -> int:
    """Take the desk through the ticks after its cursor; the number of ticks done.

    One call does at most `batch` ticks. Ticks more than three polls behind the wall clock lapse
    unless `late_allowed` (fast-forward, replay). Being overtaken by another process is normal:
    nothing is written and the warm state is dropped.
    """
    position = stages.position(STAGE)
    batch_ticks = market_ticks.ticks_after(position, batch)
    if not batch_ticks:
        return 0
    desk = _at(position)
    waiting = changes.unseen()
    decided = [*waiting, *stops.found(desk, waiting)]
    late = [] if late_allowed else _late(batch_ticks, now)
    try:
        turns = [
            core.turn(desk, tick, changes=decided if index == 0 else (), lapsed=tick.id in late)
            for index, tick in enumerate(batch_ticks)
        ]
        with stages.advance(STAGE, from_=position, to=batch_ticks[-1].id):
            saving.save(desk, turns, changes=decided, lapsed=late, now=now)
    except stages.Overtaken:
        forget()
        return 0
    except Exception:
        forget()
        raise
    _keep_warm(batch_ticks[-1].id, desk)
    statefile.keep(desk.portfolios, batch_ticks[-1].at)
    for turn in turns:
        _tell(turn)
    return len(turns)


def forget() -> None:
    """Drop the warm state; the next call rebuilds it from rows."""
    global _warm
    _warm = None


def _at(position: int) -> core.Desk:
    """The desk at the cursor, warm when this process left it there, else rebuilt."""
    warm = _warm
    if warm and warm.position == position and warm.digest == settings.PQAP.digest:
        return warm.desk
    return restoring.restore(position)


def _keep_warm(position: int, desk: core.Desk) -> None:
    global _warm
    _warm = _Warm(position, settings.PQAP.digest, desk)


def _late(batch: list[Tick], now: datetime) -> list[int]:
    """Ids of ticks that came to the desk too late to trade on."""
    poll_ms = settings.PQAP.collection.poll_seconds * 1000
    newest_fair = int(now.timestamp() * 1000) - LATE_POLLS * poll_ms
    return [tick.id for tick in batch if tick.at < newest_fair]


def _tell(turn: core.Turn) -> None:
    """One line a tick, one for each new signal, trade and halt."""
    counts = ", ".join(
        f"{count.strategy} saw {count.seen} signalled {count.signalled}"
        for count in turn.page.counts
    )
    log.info("on_orderbook_update tick %s: %s", turn.tick.id, counts)
    for bet in turn.page.opened:
        log.info(
            "Signal %s: buy %s of %s up to %.4f, fair %.4f", bet.strategy, bet.outcome,
            bet.market, bet.limit / 1e6, bet.fair / 1e6,
        )  # fmt: skip
    for one in turn.page.quoted:
        log.info(
            "Signal %s: quote %s at %.4f to %.4f, fair %.4f", one.quote.strategy,
            one.quote.market, one.bid / 1e6, one.ask / 1e6, one.fair / 1e6,
        )  # fmt: skip
    for fact in turn.facts:
        if isinstance(fact, Fill) and fact.account == "base":
            log.info(
                "Trade executed %s: %s %.2f %s of %s at %.4f, fee %.5f (%s)", fact.strategy,
                fact.side, fact.size / 1e6, fact.outcome, fact.market, fact.price / 1e6,
                fact.fee / 1e6, fact.liquidity,
            )  # fmt: skip
        elif isinstance(fact, Halt):
            log.critical("Kill switch latched for %s: %s", fact.scope, fact.reason)
        elif isinstance(fact, Suspension):
            log.warning("Strategy %s switched off by rule: %s", fact.strategy, fact.reason)
        elif isinstance(fact, Refusal) and not fact.strategy:
            log.warning(
                "Refused %s in the %s account: %s, limit %s, value %s", fact.token, fact.account,
                fact.code, fact.limit, fact.value,
            )  # fmt: skip
