"""Which market a person means: by id, slug, address, or words of its question."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from markets.core import ranking
from markets.models import Market

SHOWN = 8
SHORTEST = 3
"""Letters a word needs to be looked for when no market has all the words."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A market that may be meant."""

    id: str
    slug: str
    question: str


class Unclear(LookupError):
    """No market, or more than one, is meant; `candidates` are the likeliest, most traded first."""

    def __init__(self, text: str, candidates: Iterable[Candidate], count: int) -> None:
        self.candidates = tuple(candidates)
        found = f"{count} markets match" if count else "No market has the id, slug or words"
        super().__init__(f"{found} '{text}'.")


def meant(text: str) -> Candidate:
    """The one market with this id, slug or address, or with all these words in its question.

    An address of an event means its market where it has but one. Raises Unclear otherwise.
    """
    name = ranking.name(text)
    for wanted in (Q(condition_id=name), Q(slug=name), Q(event__slug=name), _all(text.split())):
        rows = Market.objects.filter(wanted)
        found = _candidates(rows)
        if len(found) == 1:
            return found[0]
        if found:
            raise Unclear(text, found, rows.count())
    raise Unclear(text, _near(text.split()), 0)


def _all(words: list[str]) -> Q:
    wanted = Q(pk__gt=0) if words else Q(pk=0)
    for word in words:
        wanted &= Q(question__icontains=word)
    return wanted


def _near(words: list[str]) -> list[Candidate]:
    """Markets with the most of the words."""
    long = [word for word in words if len(word) >= SHORTEST]
    for fewer in range(len(long) - 1, 0, -1):
        wanted = Q(pk=0)
        for start in range(len(long)):
            kept = [long[(start + step) % len(long)] for step in range(fewer)]
            wanted |= _all(kept)
        found = _candidates(Market.objects.filter(wanted))
        if found:
            return found
    return []


def _candidates(rows: QuerySet[Market]) -> list[Candidate]:
    best = rows.order_by("-volume_24h", "pk")[:SHOWN]
    return [Candidate(*row) for row in best.values_list("condition_id", "slug", "question")]
