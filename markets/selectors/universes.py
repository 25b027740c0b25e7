"""Universes as core values: built once for each version from its terms, then shared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from markets import models
from markets.core import types
from markets.core.criteria import Reason
from markets.core.ranking import Standing
from markets.core.tick import Universe


@dataclass(frozen=True, eq=False, slots=True)
class Tracked:
    """A universe and the local key of each of its markets, in column order."""

    universe: Universe
    keys: tuple[int, ...]


@lru_cache(maxsize=64)
def load(version: int) -> Tracked:
    """One version; every caller in this process gets the same object."""
    members = models.Universe.objects.values_list("members", flat=True).get(pk=version)
    found = _markets([key for key, _ in members])
    rows = [(found[key], volume) for key, volume in members]
    markets = tuple(to_core(terms, sides, volume) for (terms, sides), volume in rows)
    return Tracked(Universe(version, markets), tuple(terms.market_id for (terms, _), _ in rows))


def newest() -> Tracked | None:
    """The universe in force, None before the first `sync_markets`."""
    version = models.Universe.objects.order_by("-pk").values_list("pk", flat=True).first()
    return load(version) if version else None


def effective_at(version: int) -> int:
    """From when on a version was in force, ms UTC."""
    return models.Universe.objects.values_list("effective_at", flat=True).get(pk=version)


def standings(version: int | None = None) -> Mapping[str, Standing]:
    """Why each market of a version (the newest when none is given) is in, by condition id."""
    rows = models.Universe.objects.order_by("-pk")
    found = (rows.filter(pk=version) if version else rows).first()
    if found is None:
        return {}
    columns = load(found.pk).universe.markets
    reasons = found.reasons or [[Reason.RANK, None, ""]] * len(columns)
    return {
        market.id: Standing(Reason(reason), rank, note)
        for market, (reason, rank, note) in zip(columns, reasons, strict=True)
    }


def membership() -> Mapping[str, str]:
    """Why each tracked market is in, in a few words ("volume rank 7"), by condition id.

    Ranks are those of the newest sync; `standings` has them as of the choice.
    """
    now = standings()
    return {id: standing.told for id, standing in (now | followed(now)).items()}


def standing(market: str) -> Standing | None:
    """How a market (condition id) stood in the newest sync, None where that did not follow it."""
    return followed([market]).get(market)


def followed(markets: Iterable[str]) -> Mapping[str, Standing]:
    """How the given markets stood in the newest sync, as far as that followed them."""
    sync = newest_sync()
    if sync is None:
        return {}
    wanted = set(markets)
    rows = models.Market.objects.filter(condition_id__in=wanted, last_seen_at_ms=sync.at)
    rows = rows.exclude(reason="")
    tracked = standings()
    found = {name: tracked[name] for name in wanted & tracked.keys()}
    for name, reason, rank in rows.values_list("condition_id", "reason", "rank"):
        said = tracked.get(name) or Standing(Reason(reason))
        found[name] = replace(said, rank=rank)
    return found


def newest_sync() -> models.Sync | None:
    """The newest look at the exchange's list, None before the first."""
    return models.Sync.objects.order_by("-pk").first()


def exclusions() -> tuple[tuple[str, int], ...]:
    """(reason, count) of the markets the newest sync left out, the most frequent first."""
    found = newest_sync()
    pairs = found.exclusions.items() if found else ()
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def forget() -> None:
    """Drop what was kept in memory; needed only where the database itself is replaced."""
    load.cache_clear()


def current_terms(condition_ids: Iterable[str]) -> dict[str, models.Terms]:
    """The newest terms row of each given market that is in the catalogue."""
    rows = models.Terms.objects.filter(market__condition_id__in=list(condition_ids))
    ordered = rows.select_related("market__event").order_by("effective_at")
    return {row.market.condition_id: row for row in ordered}


def markets_in_force(condition_ids: Iterable[str]) -> dict[str, types.Market]:
    """The given markets under their newest terms, with what the listing last said of them."""
    rows = current_terms(condition_ids)
    sides = _sides([row.market_id for row in rows.values()])
    return {
        name: replace(
            to_core(row, sides[row.market_id], row.market.volume_24h),
            liquidity=row.market.liquidity,
            spread=row.market.spread,
            price=row.market.price,
        )
        for name, row in rows.items()
    }


def condition_ids(keys: Iterable[int]) -> dict[int, str]:
    """The condition id behind each local key."""
    rows = models.Market.objects.filter(pk__in=list(keys))
    return dict(rows.values_list("pk", "condition_id"))


def market_keys(ids: Iterable[str]) -> dict[str, int]:
    """The local key behind each condition id that the catalogue knows."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = models.Market.objects.filter(condition_id__in=wanted)
    return dict(rows.values_list("condition_id", "pk"))


def to_core(
    terms: models.Terms, sides: tuple[types.Token, types.Token], volume: int
) -> types.Market:
    """A market as the core knows it, under the given terms row; nothing that moves with prices."""
    market, event = terms.market, terms.market.event
    return types.Market(
        id=market.condition_id,
        slug=market.slug,
        question=market.question,
        category=market.category,
        event=types.Event(event.event_id, event.slug, event.title, event.neg_risk, event.augmented),
        yes=sides[0],
        no=sides[1],
        terms=terms_to_core(terms),
        tags=tuple(market.tags),
        created_at=market.created_at_ms,
        game_start_at=market.game_start_at_ms,
        volume_24h=volume,
        starts_at=market.starts_at_ms,
        version=market.version,
    )


def terms_to_core(row: models.Terms) -> types.Terms:
    """A terms row as the core knows it."""
    fee = None
    if row.fee_rate is not None:
        fee = types.FeeSchedule(row.fee_rate, row.fee_exponent, row.rebate_rate)
    return types.Terms(
        end_at=row.end_at,
        tick_size=row.tick_size,
        min_size=row.min_size,
        fee=fee,
        status=types.Status(row.status),
        accepting_orders=row.accepting_orders,
        taker_delay_ms=row.taker_delay_ms,
    )


def _markets(
    terms_keys: list[int],
) -> Mapping[int, tuple[models.Terms, tuple[types.Token, types.Token]]]:
    rows = models.Terms.objects.select_related("market__event").in_bulk(terms_keys)
    sides = _sides([row.market_id for row in rows.values()])
    return {key: (row, sides[row.market_id]) for key, row in rows.items()}


def _sides(market_keys: list[int]) -> dict[int, tuple[types.Token, types.Token]]:
    """The YES and the NO token of each market."""
    found: dict[int, list[types.Token]] = {}
    rows = models.Token.objects.filter(market_id__in=market_keys).order_by("market_id", "index")
    for market, token, outcome in rows.values_list("market_id", "token_id", "outcome"):
        found.setdefault(market, []).append(types.Token(token, outcome))
    return {key: (sides[0], sides[1]) for key, sides in found.items()}
