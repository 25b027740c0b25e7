"""What was learnt, by its digest, as rules are told it."""

import logging
from collections.abc import Mapping

from strategies.core import learnt
from strategies.models import Learnt

log = logging.getLogger("pqap.strategies")


def inputs(digests: Mapping[str, str]) -> dict[str, object]:
    """The knowledge of each name by its digest; "" is none, and so is what cannot be read.

    The latter is told in the log: a rule that knows nothing is silent, which harms nobody.
    """
    wanted = [digest for digest in digests.values() if digest]
    rows = Learnt.objects.filter(digest__in=wanted).values_list("name", "digest", "body")
    bodies = {(name, digest): body for name, digest, body in rows}
    found: dict[str, object] = {}
    for name, digest in digests.items():
        if not digest:
            continue
        try:
            found[name] = learnt.load(name, bodies[name, digest])
        except (KeyError, learnt.Unreadable) as fault:
            log.error("Rules go without %s %s, which cannot be read: %s", name, digest[:12], fault)
    return found


def known_by(at: int) -> dict[str, str]:
    """The digest of the newest knowledge of each name that was fitted by an instant (ms UTC)."""
    rows = Learnt.objects.filter(fitted_at__lte=at).order_by("fitted_at", "pk")
    return dict(rows.values_list("name", "digest"))


def newest(name: str) -> Learnt | None:
    """The newest knowledge of a name."""
    return Learnt.objects.filter(name=name).order_by("-fitted_at", "-pk").first()


def sources(digest: str) -> Mapping[str, int]:
    """Counts of what a state of knowledge rests on, empty where it is not known."""
    found = Learnt.objects.filter(digest=digest).values_list("sources", flat=True).first()
    return found or {}
