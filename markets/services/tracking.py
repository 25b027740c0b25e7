"""A person's pins, and why a market is tracked or not, for the command line."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from markets import models
from markets.core import criteria, ranking
from markets.core.criteria import Check, Reason
from markets.core.ports import SourceDown
from markets.core.ranking import Standing
from markets.core.types import Market
from markets.selectors import universes
from markets.services import sources, universe

log = logging.getLogger(__name__)

SYNC = "markets.sync_markets"
BELL_SECONDS = 60
NAME = re.compile(r"[A-Za-z0-9_.~%-]{1,300}")


class Unusable(Exception):
    """What was given names nothing that can be tracked; the text says why and what is allowed."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """One pin: what it names, whose it is, since when (ms UTC, 0 for the configuration's)."""

    name: str
    who: str
    why: str
    at: int
    markets: tuple[Market, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """One market's standing as of a look at the list (`at`, ms UTC), with every rule applied.

    `place` says in words how it ranks.
    """

    market: Market
    standing: Standing
    checks: tuple[Check, ...]
    place: str
    at: int


def named(given: str) -> str:
    """The condition id or slug in what a person gave; Unusable where it holds none."""
    text = given.strip()
    if "/" in text:
        host = urlsplit(text if "://" in text else f"https://{text}").hostname or ""
        if host.removeprefix("www.") != "polymarket.com" and not host.endswith(".polymarket.com"):
            raise Unusable(f"{text} is not an address of polymarket.com")
    found = ranking.name(text)
    if not NAME.fullmatch(found):
        raise Unusable(f"{text or 'nothing'}: give a condition id, a slug or a Polymarket address")
    return found


def pin(given: Iterable[str], *, who: str, why: str, at: int) -> list[Pinned]:
    """Track what each given name stands for, from the next sync on; Unusable changes nothing."""
    found = []
    for text in given:
        name = named(text)
        markets = tuple(_markets_of(name, at))
        if not markets:
            raise Unusable(f"{name} is no market and no event that the exchange knows")
        found.append(Pinned(name, who, why, at, markets))
    rows = [models.Wish(name=each.name, who=who, why=why, at=at) for each in found]
    models.Wish.objects.bulk_create(rows, ignore_conflicts=True)
    return found


def unpin(given: Iterable[str]) -> list[str]:
    """Withdraw pins made with `pin`, from the next sync on; Unusable changes nothing."""
    names = [named(text) for text in given]
    wished = set(models.Wish.objects.values_list("name", flat=True))
    written = {ranking.name(pin) for pin in settings.PQAP.collection.pinned}
    for name in names:
        if name not in wished and name in written:
            raise Unusable(f"{name} is pinned by the configuration: take it out there")
        if name not in wished:
            told = ", ".join(sorted(wished)) or "nothing"
            raise Unusable(f"{name} is not pinned; pinned with track: {told}")
    models.Wish.objects.filter(name__in=names).delete()
    return names


def pins() -> list[Pinned]:
    """Every pin with the markets it names as far as the catalogue holds them."""
    written = [(text, "configuration", "", 0) for text in settings.PQAP.collection.pinned]
    wished = models.Wish.objects.order_by("at", "name")
    rows = [*written, *wished.values_list("name", "who", "why", "at")]
    return [
        Pinned(ranking.name(text), who, why, at, tuple(_held(ranking.name(text))))
        for text, who, why, at in rows
    ]


def why(given: str, *, at: int) -> list[Why]:
    """Why what the name stands for is tracked or not, rule by rule; Unusable if unknown."""
    name = named(given)
    sync = universes.newest_sync()
    held = _held(name)
    followed = universes.followed(market.id for market in held) if sync else {}
    if held and all(market.id in followed for market in held):
        return [_why(market, followed[market.id], sync.at) for market in held]
    found = _markets_of(name, at, ask=True)
    if not found:
        raise Unusable(f"{name} is no market and no event that the exchange knows")
    return [_why(market, followed.get(market.id), at) for market in found]


def ask_for_sync() -> bool:
    """Ring for a sync now; False where no bell could be rung and the next one must do."""
    try:
        current_app.send_task(SYNC, expires=BELL_SECONDS)
    except (OperationalError, OSError) as problem:
        log.warning("The bell for %s was not rung: %s", SYNC, problem)
        return False
    return True


def _held(name: str) -> list[Market]:
    """The catalogue's markets of a name, under their newest terms."""
    rows = models.Market.objects.all()
    found = rows.filter(condition_id=name) | rows.filter(slug=name) | rows.filter(event__slug=name)
    ids = sorted(found.values_list("condition_id", flat=True))
    held = universes.markets_in_force(ids)
    return [held[id] for id in ids if id in held]


def _markets_of(name: str, at: int, *, ask: bool = False) -> list[Market]:
    """The markets of a name: the catalogue's, or (when it has none, or on `ask`) the exchange's."""
    held = _held(name)
    if held and not ask:
        return held
    try:
        found = list(sources.current(settings.PQAP).lookup([name], at))
    except SourceDown as down:
        raise Unusable(f"{name} cannot be looked up now: {down.reason}") from down
    return found or held


def _why(market: Market, standing: Standing | None, at: int) -> Why:
    rules = universe.rules(settings.PQAP.collection)
    judged = ranking.judged(market, at=at, rules=rules, members=universes.standings())
    checks = tuple(criteria.checks(judged))
    told = standing or Standing(criteria.fault(judged) or Reason.OUTRANKED)
    return Why(market, told, checks, _place(market, told, rules), at)


def _place(market: Market, standing: Standing, rules: ranking.Rules) -> str:
    """How a market ranks, in a sentence; "" where it is not ranked at all."""
    if standing.reason not in (Reason.RANK, Reason.OUTRANKED, Reason.OUTCOME):
        return ""
    least = criteria.PATIENCE * rules.size
    wanted = f"{rules.size} are tracked, and a tracked one stays while it ranks within {least}"
    if standing.rank is not None:
        return f"Its rank by 24-hour volume is {standing.rank}; {wanted}."
    if standing.reason is Reason.OUTCOME:
        return ""
    sync = universes.newest_sync()
    cutoff = criteria.dollars(sync.cutoff) if sync else "unknown"
    volume = criteria.dollars(market.volume_24h)
    return f"Its 24-hour volume is {volume} dollars, the least of those ranked in {cutoff}."
