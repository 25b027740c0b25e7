"""Which markets to track and why: exclusions first, then rank by volume, patient with members."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markets.core import criteria
from markets.core.criteria import PATIENCE, TRACKED, Filters, Reason
from markets.core.types import Market, Status

EVERYTHING = Filters()
OVER = (Status.CLOSED, Status.RESOLVED)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration asks for: how many, which kinds not, which figures, and how many
    further outcomes of their neg-risk events at most."""

    size: int
    exclude: frozenset[str] = frozenset()
    filters: Filters = EVERYTHING
    max_event_markets: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Why one market is in or out; `rank` by 24-hour volume among all that may be ranked.

    `note` says what pinned or kept it, or whose outcome it is.
    """

    reason: Reason
    rank: int | None = None
    note: str = ""

    @property
    def tracked(self) -> bool:
        """Whether the market is in."""
        return self.reason in TRACKED

    @property
    def told(self) -> str:
        """The reason in a few words: "volume rank 7", "kept: held"."""
        if self.reason in (Reason.RANK, Reason.OUTRANKED):
            return f"volume rank {self.rank}"
        if self.reason is Reason.OUTCOME:
            return f"outcome of {self.note}"
        name = self.reason.replace("_", " ")
        return f"{name}: {self.note}" if self.note else name


@dataclass(frozen=True, slots=True)
class Choice:
    """The markets to track, ordered by condition id, and the standing of every market seen.

    `cutoff` is the least 24-hour volume among the ranked ones in; `incomplete` names the neg-risk
    events whose further outcomes found no room.
    """

    markets: tuple[Market, ...]
    standings: Mapping[str, Standing] = field(repr=False)
    cutoff: int = 0
    incomplete: tuple[str, ...] = ()

    def count(self, reason: Reason) -> int:
        """How many markets stand so."""
        return sum(standing.reason is reason for standing in self.standings.values())

    def exclusions(self) -> dict[str, int]:
        """How many are out for each reason, the most frequent first."""
        out = Counter(s.reason.value for s in self.standings.values() if not s.tracked)
        return dict(sorted(out.items(), key=lambda pair: (-pair[1], pair[0])))


def choose(
    markets: Sequence[Market],
    *,
    at: int,
    rules: Rules,
    members: Mapping[str, Reason] | None = None,
    pinned: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
    rerank: bool = True,
) -> Choice:
    """The markets to track from `at` on, and why each other one is not.

    `members` says why those tracked now are; `pinned` and `kept` map condition ids to what asked
    for them. Kept markets are always in, pinned ones until they have ended; both use no place. Of
    the rest, those that break no rule are ranked by 24-hour volume: a member by rank stays while
    it ranks within PATIENCE times `size` (between two daily re-rankings, `rerank` false, wherever
    it ranks), and the best others fill the free places.
    """
    held, wanted, before = kept or {}, pinned or {}, members or {}
    standings: dict[str, Standing] = {}
    able = []
    for market in markets:
        if market.id in held:
            standings[market.id] = Standing(Reason.KEPT, note=held[market.id])
        elif market.id in wanted:
            reason = Reason.CLOSED if market.terms.status in OVER else Reason.PINNED
            standings[market.id] = Standing(reason, note=wanted[market.id])
        elif fault := criteria.fault(judged(market, at=at, rules=rules, members=before)):
            standings[market.id] = Standing(fault)
        else:
            able.append(market)
    able.sort(key=lambda market: (-market.volume_24h, market.id))
    stayers = {id for id, reason in before.items() if reason is Reason.RANK}
    best = _best(able, stayers, size=rules.size, rerank=rerank)
    chosen = {market.id for market in best}
    for place, market in enumerate(able, 1):
        reason = Reason.RANK if market.id in chosen else Reason.OUTRANKED
        standings[market.id] = Standing(reason, rank=place)
    incomplete = _complete(markets, best, standings, before, rules.max_event_markets)
    return Choice(
        markets=tuple(
            sorted((m for m in markets if standings[m.id].tracked), key=lambda market: market.id)
        ),
        standings=standings,
        cutoff=min((market.volume_24h for market in best), default=0),
        incomplete=incomplete,
    )


def judged(
    market: Market, *, at: int, rules: Rules, members: Collection[str] = ()
) -> criteria.Case:
    """A market as `choose` judges it; `criteria.checks` tells the same case in words."""
    return criteria.case(
        market,
        at=at,
        filters=rules.filters,
        exclude=rules.exclude,
        member=market.id in members,
    )


def _best(
    able: Sequence[Market], stayers: Collection[str], *, size: int, rerank: bool
) -> list[Market]:
    reach = PATIENCE * size if rerank else len(able)
    stay = [market for market in able[:reach] if market.id in stayers][:size]
    staying = {market.id for market in stay}
    others = [market for market in able if market.id not in staying]
    return [*stay, *others[: size - len(stay)]]


def _complete(
    markets: Iterable[Market],
    best: Sequence[Market],
    standings: dict[str, Standing],
    before: Mapping[str, Reason],
    room: int,
) -> tuple[str, ...]:
    """Bring in the other open outcomes of the ranked markets' neg-risk events, whole or not at all.

    Events that were complete come first, then those of the best ranks; returns those without room.
    """
    missing: dict[str, list[Market]] = {
        market.event.id: [] for market in _by_rank(best, standings) if market.event.neg_risk
    }
    if not missing:
        return ()
    for market in markets:
        open_ = market.terms.status not in OVER
        if open_ and market.event.id in missing and not standings[market.id].tracked:
            missing[market.event.id].append(market)
    known = {id for id, reason in before.items() if reason is Reason.OUTCOME}
    rows = sorted(missing.values(), key=lambda row: not any(m.id in known for m in row))
    left_out = []
    for outcomes in filter(None, rows):
        if len(outcomes) > room:
            left_out.append(outcomes[0].event.slug)
            continue
        room -= len(outcomes)
        for market in outcomes:
            rank = standings[market.id].rank
            standings[market.id] = Standing(Reason.OUTCOME, rank, market.event.title)
    return tuple(left_out)


def _by_rank(best: Sequence[Market], standings: Mapping[str, Standing]) -> list[Market]:
    return sorted(best, key=lambda market: standings[market.id].rank or 0)


def pinned_ids(pinned: Iterable[str], markets: Iterable[Market]) -> dict[str, str]:
    """Condition id -> the pin that names it: a condition id, a slug, or a page's address.

    An event's slug or address names all its markets.
    """
    names = {name(pin): pin.strip() for pin in pinned}
    names.pop("", None)
    found: dict[str, str] = {}
    for market in markets if names else ():
        for own in (market.id, market.slug, market.event.slug):
            if own in names:
                found.setdefault(market.id, names[own])
    return found


def matching(markets: Iterable[Market], names: Collection[str]) -> list[Market]:
    """The markets that have one of the names: a condition id, a slug or an event's slug."""
    wanted = set(names)
    return [m for m in markets if not wanted.isdisjoint((m.id, m.slug, m.event.slug))]


def name(pin: str) -> str:
    """What a pin names: the last part of an address's path; a bare id or slug is its own name."""
    return pin.strip().split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]
