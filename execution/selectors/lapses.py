"""Ticks the desk came to too late: what a replay of a session must be told."""

from execution.models import Lapse


def lapsed() -> frozenset[int]:
    """Ids of every tick that lapsed."""
    spans = Lapse.objects.values_list("from_tick", "to_tick")
    return frozenset(tick for begin, end in spans for tick in range(begin, end + 1))
