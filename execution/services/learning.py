"""What rules learn, fitted anew and written down as decisions that take effect on the next tick."""

import logging
from collections.abc import Mapping

from execution.core.types import ChangeKind
from execution.models import Change
from execution.services import changes
from markets.selectors import ticks
from strategies.selectors import learnt
from strategies.services import learning

log = logging.getLogger("pqap.desk")

WHO = "pqap"


def refit(now: int | None = None) -> list[str]:
    """Fit everything as of `now` (ms UTC, by default the newest tick's time) and record what is
    new; the names of that. Nothing happens before the first tick."""
    newest = ticks.last_tick()
    at = newest.at if now is None and newest else now
    if at is None:
        return []
    before, news = _last(), []
    for name, digest in learning.fit(at):
        if digest == before.get(name, ""):
            continue
        why = _why(learnt.sources(digest)) if digest else "nothing is known any more"
        changes.record(kind=ChangeKind.LEARNT, scope=name, value=digest, who=WHO, why=why)
        log.info("Rules learn %s: %s", name, why)
        news.append(name)
    return news


def begin() -> list[str]:
    """Refit where nothing was ever learnt: soon after the first start with data, then no more."""
    return [] if Change.objects.filter(kind=ChangeKind.LEARNT).exists() else refit()


def _last() -> dict[str, str]:
    """The newest recorded digest of each name, applied yet or not."""
    rows = Change.objects.filter(kind=ChangeKind.LEARNT).order_by("pk")
    return dict(rows.values_list("scope", "value"))


def _why(sources: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {what}" for what, count in sources.items())
    return f"refitted from {told}" if told else "refitted"
