"""Whether the desk is alive: one pure judgement over a few facts."""

from dataclasses import dataclass
from enum import StrEnum

from markets.core.types import Feed, FeedState

OK_POLLS, ERROR_POLLS, ERROR_MS = 3, 10, 120_000
BEHIND_TICKS = 3
FEED_MS = 1_800_000
"""A feed not noted for so long is asked no more: what it once was is no news."""

UNREAD_SHARE = 5
"""With more than one in so many tracked markets not confirmed, something is wrong with reading."""


class Status(StrEnum):
    """Each is worse than the one before."""

    OK = "ok"
    DEGRADED = "degraded"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the desk; wall-clock times in ms UTC, None where nothing happened yet.

    `tick_at` is when the newest tick was recorded, `ticks` and `desk` are the two stages'
    positions (tick ids), `desk_moved_at` when the desk last committed. `still_since` is since
    when no tracked book changed although all are confirmed, where that is suspicious;
    `unconfirmed` of the `tracked` markets were not confirmed by the last looks.
    """

    now: int
    started_at: int
    poll_ms: int
    tick_at: int | None
    ticks: int
    desk: int
    desk_moved_at: int | None
    ledger: str = ""
    mismatch: str = ""
    halted: str = ""
    failing: tuple[str, ...] = ()
    unreadable: bool = False
    feeds: tuple[Feed, ...] = ()
    still_since: int | None = None
    tracked: int = 0
    unconfirmed: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Something to know about the desk's health, as a code and a sentence."""

    code: str
    message: str
    status: Status


@dataclass(frozen=True, slots=True)
class Report:
    """The worst status of all reasons, and the reasons."""

    status: Status
    reasons: tuple[Reason, ...]


def judge(facts: Facts) -> Report:
    """How the desk is. A halt is a person's (or a limit's) decision: told, but no illness."""
    if facts.unreadable:
        found = [Reason("database", "The database does not answer.", Status.ERROR)]
    else:
        found = [
            reason
            for reason in (
                _ledger(facts), _mismatch(facts), _tick(facts), _desk(facts), *_feeds(facts),
                _still(facts), _unread(facts), _strategies(facts), _halt(facts),
            )
            if reason
        ]  # fmt: skip
    order = list(Status)
    worst = max((reason.status for reason in found), key=order.index, default=Status.OK)
    return Report(worst, tuple(found))


def patience(poll_ms: int) -> int:
    """How long a stage may stand still before that is an error, ms."""
    return max(ERROR_POLLS * poll_ms, ERROR_MS)


def _tick(facts: Facts) -> Reason | None:
    limit = patience(facts.poll_ms)
    fresh = facts.tick_at is not None and facts.tick_at >= facts.started_at
    if not fresh and facts.now - facts.started_at <= limit:
        quiet = facts.tick_at is None or facts.now - facts.tick_at > OK_POLLS * facts.poll_ms
        return Reason("starting", "Waiting for the first tick.", Status.DEGRADED) if quiet else None
    age = facts.now - (facts.tick_at if facts.tick_at is not None else facts.started_at)
    if age <= OK_POLLS * facts.poll_ms:
        return None
    since = f"No new prices for {span(age)}; one look every {span(facts.poll_ms)} is expected."
    if age > limit:
        return Reason("no_fresh_tick", since, Status.ERROR)
    return Reason("late_tick", since, Status.DEGRADED)


def _feeds(facts: Facts) -> list[Reason | None]:
    """One reason for all feeds that are down and one for all that are degraded, the newest told."""
    asked = [feed for feed in facts.feeds if facts.now - feed.seen_at <= FEED_MS]
    down = [feed for feed in asked if feed.state is FeedState.DOWN]
    poor = [feed for feed in asked if feed.state is FeedState.DEGRADED]
    return [
        Reason("feed_down", _told("does not answer", down), Status.DEGRADED) if down else None,
        Reason("feed_degraded", _told("is not as agreed", poor), Status.DEGRADED) if poor else None,
    ]


def _told(what: str, feeds: list[Feed]) -> str:
    names, newest = ", ".join(feed.name for feed in feeds), max(feeds, key=lambda one: one.since)
    why = f": {newest.reason.rstrip('.')}" if newest.reason else ""
    return f"The exchange's {names} {what}{why}."


def _still(facts: Facts) -> Reason | None:
    if facts.still_since is None:
        return None
    calm = span(facts.now - facts.still_since)
    message = f"The exchange answers, but no tracked book has changed for {calm}."
    return Reason("books_still", message, Status.DEGRADED)


def _unread(facts: Facts) -> Reason | None:
    if facts.unconfirmed * UNREAD_SHARE <= facts.tracked:
        return None
    message = f"{facts.unconfirmed} of {facts.tracked} tracked books are not confirmed."
    return Reason("books_unread", message, Status.DEGRADED)


def _desk(facts: Facts) -> Reason | None:
    behind = facts.ticks - facts.desk
    if behind <= 0:
        return None
    moved = max(facts.desk_moved_at or 0, facts.started_at)
    still = facts.now - moved
    text = f"The desk is {behind} tick{'s' if behind != 1 else ''} behind"
    if still > patience(facts.poll_ms):
        message = f"{text} and has not moved for {span(still)}; its worker does not consume."
        return Reason("worker_not_consuming", message, Status.ERROR)
    if behind > BEHIND_TICKS:
        return Reason("desk_behind", f"{text} and catching up.", Status.DEGRADED)
    return None


def _ledger(facts: Facts) -> Reason | None:
    if not facts.ledger:
        return None
    return Reason("ledger_broken", f"The ledger cannot be trusted: {facts.ledger}.", Status.ERROR)


def _mismatch(facts: Facts) -> Reason | None:
    if not facts.mismatch:
        return None
    message = f"Accounts and ledger do not agree: {facts.mismatch}."
    return Reason("ledger_mismatch", message, Status.ERROR)


def _strategies(facts: Facts) -> Reason | None:
    if not facts.failing:
        return None
    names = ", ".join(facts.failing)
    return Reason("strategy_error", f"Failed on the newest tick: {names}.", Status.DEGRADED)


def _halt(facts: Facts) -> Reason | None:
    if not facts.halted:
        return None
    return Reason("halted", f"The kill switch is on: {facts.halted}", Status.OK)


def span(ms: int) -> str:
    """A length of time for people: "12 s", "4 min", "3 h", "2 d"."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * size:
            return f"{ms // size} {unit}"
    return f"{max(ms, 0) // 1000} s"
