"""Which markets to track: exclusions first, then rank by volume, with patience for members."""

from collections.abc import Collection, Iterable, Sequence

from markets.core import venue
from markets.core.types import Market, Status

PATIENCE = 2
"""A member stays while it ranks within this many times the size."""


def choose(
    markets: Sequence[Market],
    *,
    at: int,
    current: Collection[str] = (),
    size: int,
    exclude: Collection[str] = (),
    pinned: Collection[str] = (),
    kept: Collection[str] = (),
    rerank: bool = True,
) -> tuple[Market, ...]:
    """The markets to track from `at` on, ordered by condition id.

    `current`, `pinned` and `kept` are condition ids. Pins and kept markets are always in and use
    no place. Of the rest, those that may be traded and are of no excluded kind are ranked by
    24-hour volume: a member stays while it ranks within PATIENCE times `size` (between two daily
    re-rankings, `rerank` false, wherever it ranks), and the best others fill the free places.
    """
    always = {market.id: market for market in markets if market.id in {*pinned, *kept}}
    excluded = frozenset(exclude)
    ranked = sorted(
        (m for m in markets if m.id not in always and tradable(m) and not _of(m, excluded, at)),
        key=lambda market: (-market.volume_24h, market.id),
    )
    reach = PATIENCE * size if rerank else len(ranked)
    stay = [market for market in ranked[:reach] if market.id in current][:size]
    staying = {market.id for market in stay}
    best = [market for market in ranked if market.id not in staying]
    chosen = [*always.values(), *stay, *best[: size - len(stay)]]
    return tuple(sorted(chosen, key=lambda market: market.id))


def tradable(market: Market) -> bool:
    """Whether orders are taken and everything a trade needs to know is known."""
    terms = market.terms
    known = terms.fee is not None and terms.end_at is not None
    return known and terms.accepting_orders and terms.status is Status.OPEN


def pinned_ids(pinned: Iterable[str], markets: Iterable[Market]) -> frozenset[str]:
    """Condition ids named by a person's pins: a condition id, a slug, or a page's address.

    An event's slug or address names all its markets.
    """
    names = {_name(pin) for pin in pinned} - {""}
    return frozenset(
        market.id for market in markets if names & {market.id, market.slug, market.event.slug}
    )


def _of(market: Market, excluded: frozenset[str], at: int) -> bool:
    return bool(venue.kinds(market, at) & excluded)


def _name(pin: str) -> str:
    """The last part of an address's path; a bare id or slug is its own name."""
    return pin.strip().split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]
