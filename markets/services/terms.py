"""Terms that change between two readings of the list of markets take effect at once."""

from collections.abc import Mapping

from markets import models
from markets.core import types
from markets.selectors import universes
from markets.services import catalogue


def renew(wanted: Mapping[str, types.Terms], at: int) -> tuple[str, ...]:
    """Put markets of the catalogue under new terms from `at` (ms UTC) on; those that changed.

    Runs in the transaction of whoever holds the sync's cursor. Where a tracked market is concerned
    the universe gets a new version: the same members for the same reasons.
    """
    held = universes.current_terms(wanted)
    changed = {
        name: row for name, row in held.items() if universes.terms_to_core(row) != wanted[name]
    }
    newer = catalogue.follow({name: (row, wanted[name]) for name, row in changed.items()}, at)
    _replace(newer, at)
    return tuple(changed)


def _replace(newer: Mapping[int, int], at: int) -> None:
    """The newest universe again, with newer keys of terms in the place of older ones."""
    newest = models.Universe.objects.order_by("-pk").first()
    if newest is None or not any(member[0] in newer for member in newest.members):
        return
    newest.members = [[newer.get(member[0], member[0]), *member[1:]] for member in newest.members]
    newest.pk, newest.effective_at = None, at
    newest.save(force_insert=True)
