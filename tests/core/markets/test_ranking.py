"""Which markets are tracked."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from markets.core import ranking, venue
from markets.core.criteria import Reason
from markets.core.ranking import Choice, Rules
from markets.core.types import Market, Status
from tests.builders import NOON, market


def ranked(count: int) -> list[Market]:
    """m-1 is the busiest, m-2 the next, and so on."""
    return [market(f"m-{n}", volume_24h=1000 - n) for n in range(1, count + 1)]


def choice(
    markets: list[Market],
    *,
    current: Collection[str] = (),
    pinned: Collection[str] = (),
    kept: Collection[str] = (),
    rerank: bool = True,
    **rules: object,
) -> Choice:
    """Two places unless told otherwise, `current` being members by rank."""
    return ranking.choose(
        markets,
        at=NOON,
        rules=Rules(**{"size": 2} | rules),
        members=dict.fromkeys(current, Reason.RANK),
        pinned=dict.fromkeys(pinned, "slug"),
        kept=dict.fromkeys(kept, "held"),
        rerank=rerank,
    )


def chosen(markets: list[Market], **how: object) -> list[str]:
    found = [m.id for m in choice(markets, **how).markets]
    assert found == sorted(found)
    return found


def with_terms(each: Market, **changes: object) -> Market:
    return replace(each, terms=replace(each.terms, **changes))


class TestChoose:
    def test_takes_the_busiest(self):
        assert chosen(ranked(5)) == ["m-1", "m-2"]

    def test_breaks_a_tie_by_condition_id(self):
        same = [market(name, volume_24h=5) for name in ("m-3", "m-1", "m-2")]

        assert chosen(same) == ["m-1", "m-2"]

    @pytest.mark.parametrize(
        "change",
        [
            {"fee": None},
            {"end_at": None},
            {"accepting_orders": False},
            {"status": Status.HALTED},
            {"status": Status.PROPOSED},
        ],
    )
    def test_passes_over_what_cannot_be_traded(self, change):
        first, *rest = ranked(4)

        assert chosen([with_terms(first, **change), *rest]) == ["m-2", "m-3"]

    def test_excluded_kinds_drop_out_before_the_ranking(self):
        first, *rest = ranked(4)
        young = replace(first, created_at=NOON - 1000)

        assert chosen([young, *rest], exclude=frozenset({venue.YOUNG})) == ["m-2", "m-3"]
        assert chosen([young, *rest]) == ["m-1", "m-2"]


class TestMembers:
    def test_stay_while_they_rank_within_twice_the_size(self):
        assert chosen(ranked(6), current={"m-4"}) == ["m-1", "m-4"]

    def test_go_when_they_rank_below(self):
        assert chosen(ranked(6), current={"m-5"}) == ["m-1", "m-2"]

    def test_stay_wherever_they_rank_between_two_rankings(self):
        assert chosen(ranked(6), current={"m-6"}, rerank=False) == ["m-1", "m-6"]

    def test_go_at_once_when_they_cannot_be_traded(self):
        first, *rest = ranked(4)
        closed = with_terms(first, accepting_orders=False)

        found = chosen([closed, *rest], current={"m-1", "m-3"}, rerank=False)

        assert found == ["m-2", "m-3"]


class TestPinsAndKept:
    def test_are_always_in_and_use_no_place(self):
        assert chosen(ranked(6), pinned={"m-5"}, kept={"m-6"}) == ["m-1", "m-2", "m-5", "m-6"]

    def test_are_in_even_when_excluded_or_closed(self):
        first, *rest = ranked(4)
        closed = with_terms(replace(first, created_at=NOON), accepting_orders=False)

        found = chosen([closed, *rest], kept={"m-1"}, exclude=frozenset({venue.YOUNG}))

        assert found == ["m-1", "m-2", "m-3"]


class TestPinnedIds:
    @pytest.mark.parametrize(
        "pin",
        [
            "m-2",
            "slug-m-2",
            "https://polymarket.com/event/slug-e-1/slug-m-2?tid=17#book",
            " https://polymarket.com/market/slug-m-2/ ",
        ],
    )
    def test_names_one_market_by_id_slug_or_address(self, pin):
        assert ranking.pinned_ids([pin], ranked(3)) == {"m-2": pin.strip()}

    def test_an_event_names_all_its_markets(self):
        mine = [market(f"m-{n}", event="e-7") for n in (1, 2)]

        found = ranking.pinned_ids(
            ["https://polymarket.com/event/slug-e-7"], [*mine, market("m-3")]
        )

        assert set(found) == {"m-1", "m-2"}

    @pytest.mark.parametrize("pin", ["nothing", "", "/"])
    def test_an_unknown_pin_names_nothing(self, pin):
        nameless = replace(market("m-4"), slug="")

        assert ranking.pinned_ids([pin], [*ranked(3), nameless]) == {}
