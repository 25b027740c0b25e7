"""Catalogue rows: events, markets, tokens, and the terms in force from one instant on."""

from collections.abc import Iterable, Mapping, Sequence

from markets import models
from markets.core import types
from markets.core.ranking import Standing
from markets.selectors import universes

_EVENT = ("slug", "title", "neg_risk", "augmented")
_MARKET = (
    "slug",
    "question",
    "category",
    "tags",
    "event_id",
    "created_at_ms",
    "game_start_at_ms",
    "volume_24h",
    "liquidity",
    "spread",
    "price",
    "starts_at_ms",
    "version",
    "reason",
    "rank",
)


def store(
    markets: Sequence[types.Market], at: int, standings: Mapping[str, Standing] | None = None
) -> dict[str, int]:
    """Bring the catalogue up to date with what was listed at `at`; the key of each one's terms.

    Rows are written only where something changed; terms are never edited, only followed.
    """
    events = _events({market.event.id: market.event for market in markets}.values())
    keys = _markets(markets, events, standings or {}, at)
    _tokens(markets, keys)
    return _terms(markets, keys, at)


def _events(events: Iterable[types.Event]) -> Mapping[str, int]:
    wanted = {
        event.id: (event.slug, event.title, event.neg_risk, event.augmented) for event in events
    }
    held = models.Event.objects.filter(event_id__in=wanted)
    before = {row[0]: row[1:] for row in held.values_list("event_id", *_EVENT)}
    models.Event.objects.bulk_create(
        [
            models.Event(event_id=name, **dict(zip(_EVENT, values, strict=True)))
            for name, values in wanted.items()
            if before.get(name) != values
        ],
        update_conflicts=True,
        unique_fields=["event_id"],
        update_fields=list(_EVENT),
    )
    rows = models.Event.objects.filter(event_id__in=wanted)
    return dict(rows.values_list("event_id", "pk"))


def seen(condition_ids: Iterable[str], at: int) -> None:
    """Note that the given markets were listed at `at`."""
    rows = models.Market.objects.filter(condition_id__in=list(condition_ids))
    rows.update(last_seen_at_ms=at)


def _markets(
    markets: Sequence[types.Market],
    events: Mapping[str, int],
    standings: Mapping[str, Standing],
    at: int,
) -> Mapping[str, int]:
    wanted = {
        market.id: (
            market.slug,
            market.question,
            market.category,
            list(market.tags),
            events[market.event.id],
            market.created_at,
            market.game_start_at,
            market.volume_24h,
            market.liquidity,
            market.spread,
            market.price,
            market.starts_at,
            market.version,
            standings[market.id].reason.value if market.id in standings else "",
            standings[market.id].rank if market.id in standings else None,
        )
        for market in markets
    }
    held = models.Market.objects.filter(condition_id__in=wanted)
    before = {row[0]: row[1:] for row in held.values_list("condition_id", *_MARKET)}
    models.Market.objects.bulk_create(
        [
            models.Market(
                condition_id=name, first_seen_at_ms=at, **dict(zip(_MARKET, values, strict=True))
            )
            for name, values in wanted.items()
            if before.get(name) != values
        ],
        update_conflicts=True,
        unique_fields=["condition_id"],
        update_fields=[name.replace("event_id", "event") for name in _MARKET],
    )
    return universes.market_keys(wanted)


def _tokens(markets: Sequence[types.Market], keys: Mapping[str, int]) -> None:
    """The two sides of markets seen for the first time; they never change."""
    held = models.Token.objects.filter(market_id__in=list(keys.values()))
    known = set(held.values_list("market_id", flat=True))
    models.Token.objects.bulk_create(
        models.Token(token_id=side.id, market_id=key, outcome=side.outcome, index=index)
        for market in markets
        if (key := keys[market.id]) not in known
        for index, side in enumerate(market.tokens)
    )


def _terms(markets: Sequence[types.Market], keys: Mapping[str, int], at: int) -> dict[str, int]:
    newest = universes.current_terms(keys)
    for market in markets:
        row = newest.get(market.id)
        if row is None or universes.terms_to_core(row) != market.terms:
            since = at if row is None else max(at, row.effective_at + 1)
            newest[market.id] = _new_terms(market.terms, keys[market.id], since)
    added = [row for row in newest.values() if row.pk is None]
    models.Terms.objects.bulk_create(added)
    return {name: row.pk for name, row in newest.items()}


def follow(changed: Mapping[str, tuple[models.Terms, types.Terms]], at: int) -> dict[int, int]:
    """Let new terms follow the rows in force from `at` on; the key of each old row's successor."""
    added = {
        row.pk: _new_terms(terms, row.market_id, max(at, row.effective_at + 1))
        for row, terms in changed.values()
    }
    models.Terms.objects.bulk_create(added.values())
    return {old: row.pk for old, row in added.items()}


def _new_terms(terms: types.Terms, key: int, since: int) -> models.Terms:
    fee = terms.fee
    return models.Terms(
        market_id=key,
        effective_at=since,
        end_at=terms.end_at,
        tick_size=terms.tick_size,
        min_size=terms.min_size,
        fee_rate=fee.rate if fee else None,
        fee_exponent=fee.exponent if fee else 1,
        rebate_rate=fee.rebate_rate if fee else 0,
        status=terms.status,
        accepting_orders=terms.accepting_orders,
        taker_delay_ms=terms.taker_delay_ms,
    )
