"""The panel as it stood before an instant, from wherever the week before it lies."""

from markets import models
from markets.core.bars import BAR_MS
from markets.core.panel import Panel
from markets.selectors import bars, days, spans
from markets.selectors.ticks import WEEK_MS


def panel_before(since: int) -> Panel:
    """The panel of a desk that has taken every tick before `since` (ms UTC); fresh without any.

    Bars come from the tables. Where part of that week has been pruned from them, its ticks are
    read from the archive instead, which takes longer and gives the same bars.
    """
    week = since // BAR_MS * BAR_MS - WEEK_MS
    if any(day.pruned for day in days.sealed(week, since)):
        panel = Panel()
        for tick in spans.ticks_between(week, since, depth=False):
            panel.skip(tick)
        return panel
    return _from_tables(since)


def _from_tables(since: int) -> Panel:
    rows = models.Tick.objects.filter(at__lt=since).order_by("-at")
    newest = list(rows.values_list("pk", "at")[:2])
    if not newest:
        return Panel()
    position, last = newest[0]
    until = last // BAR_MS * BAR_MS
    after = until - WEEK_MS
    return Panel.rebuild(
        bars.sealed(after=after, until=until),
        list(spans.ticks_between(min(until, newest[-1][1]), since)),
        bars.past(position, after=after, until=until),
    )
