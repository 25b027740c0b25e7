"""Terms follow what is said of outcomes at once, and need not wait for the next listing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markets import models
from markets.core import types
from markets.core.tick import Tick
from markets.core.types import Status
from markets.selectors import universes
from markets.services import catalogue

SYNC = "sync"
"""The cursor of the sync of the markets: holding its row keeps a sync from coming in between."""

OVER = frozenset({Status.RESOLVED, Status.CLOSED})
SPOKEN = frozenset({Status.PROPOSED, Status.DISPUTED}) | OVER
"""States that a listing may lag behind with."""


def follow(ticks: Sequence[Tick]) -> None:
    """Put what stored ticks said of outcomes into the terms in force, from the next tick on.

    Runs in the transaction that stores the ticks: new terms, and a new version of the universe
    where a tracked market is concerned.
    """
    said = {fact.market: fact for tick in ticks for fact in tick.resolutions}
    if not said:
        return
    models.Cursor.objects.select_for_update().filter(name=SYNC).first()
    known = universes.markets_in_force(said)
    changed = [
        moved
        for name, market in known.items()
        if (moved := shown(market, said[name])) is not market
    ]
    if not changed:
        return
    at = ticks[-1].at
    catalogue.store(changed, at)
    _replace({market.id for market in changed}, at)


def shown(market: types.Market, fact: types.Resolution) -> types.Market:
    """The market under the state a fact gives it; the same object where that changes nothing."""
    accepting = market.terms.accepting_orders and fact.status not in OVER
    if (market.terms.status, market.terms.accepting_orders) == (fact.status, accepting):
        return market
    terms = replace(market.terms, status=fact.status, accepting_orders=accepting)
    return replace(market, terms=terms)


def overlaid(markets: Sequence[types.Market]) -> list[types.Market]:
    """Listed markets under what was last said of their outcomes, where that says more.

    The catalogue is minutes behind the word on outcomes; a listing that says "open" of a market
    whose outcome is proposed does not take that back.
    """
    facts = _newest()
    return [
        shown(market, facts[market.id])
        if market.id in facts and facts[market.id].status in SPOKEN
        else market
        for market in markets
    ]


def _newest() -> Mapping[str, types.Resolution]:
    """What was last said of each market ever spoken of."""
    rows = models.Resolution.objects.order_by("tick_id", "at", "id")
    found = rows.values_list("market__condition_id", "status", "at")
    return {name: types.Resolution(name, Status(status), at) for name, status, at in found}


def _replace(names: set[str], at: int) -> None:
    """The newest universe again, with the newest terms of the named markets."""
    newest = models.Universe.objects.order_by("-pk").first()
    if newest is None:
        return
    terms = {row.market_id: row.pk for row in universes.current_terms(names).values()}
    old = models.Terms.objects.filter(pk__in=[member[0] for member in newest.members])
    instead = {
        pk: terms[market]
        for pk, market in old.filter(market_id__in=list(terms)).values_list("pk", "market_id")
        if terms[market] != pk
    }
    if not instead:
        return
    newest.members = [[instead.get(member[0], member[0]), *member[1:]] for member in newest.members]
    newest.pk, newest.effective_at = None, at
    newest._state.adding = True
    newest.save(force_insert=True)
