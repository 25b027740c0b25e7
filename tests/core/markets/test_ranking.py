"""Which markets are tracked."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from markets.core import ranking, venue
from markets.core.criteria import Filters, Reason
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


class TestEvents:
    """m-1 and m-2 are the busiest; the others are outcomes of m-1's neg-risk event."""

    def markets(self, outcomes: int = 3) -> list[Market]:
        first, second = ranked(2)
        event = replace(first.event, id="e-9", slug="race", title="The race", neg_risk=True)
        rest = [market(f"n-{k}", volume_24h=k) for k in range(1, outcomes + 1)]
        return [replace(m, event=event) for m in (first, *rest)] + [second]

    def test_the_other_outcomes_of_a_ranked_market_come_in_beside_the_number(self):
        found = choice(self.markets(), max_event_markets=3)

        assert [m.id for m in found.markets] == ["m-1", "m-2", "n-1", "n-2", "n-3"]
        assert found.count(Reason.OUTCOME) == 3
        assert found.standings["n-2"].told == "outcome of The race"

    def test_an_event_that_is_no_set_of_exclusive_outcomes_brings_nothing(self):
        markets = [replace(m, event=replace(m.event, neg_risk=False)) for m in self.markets()]

        assert chosen(markets, max_event_markets=9) == ["m-1", "m-2"]

    def test_outcomes_come_in_whatever_rule_they_break_unless_they_are_over(self):
        first, young, closed, cheap, last = self.markets()
        markets = [
            first,
            replace(young, created_at=NOON),
            with_terms(closed, status=Status.RESOLVED, accepting_orders=False),
            replace(cheap, price=1_000),
            last,
        ]

        found = chosen(
            markets,
            max_event_markets=9,
            exclude=frozenset({venue.YOUNG}),
            filters=Filters(min_price=50_000),
        )

        assert found == ["m-1", "m-2", "n-1", "n-3"]

    def test_an_event_without_room_is_left_as_it_is_and_named(self):
        found = choice(self.markets(), max_event_markets=2)

        assert [m.id for m in found.markets] == ["m-1", "m-2"]
        assert found.incomplete == ("race",)
        assert found.standings["n-1"].reason is Reason.OUTRANKED

    def test_a_smaller_event_uses_the_room_a_larger_one_could_not(self):
        large, small = self.markets(4), ranked(3)[1:]
        pair = replace(small[0].event, id="e-8", slug="duel", title="The duel", neg_risk=True)
        markets = [*large[:-1], *(replace(m, event=pair) for m in small)]

        found = choice(markets, max_event_markets=2)

        assert [m.id for m in found.markets] == ["m-1", "m-2", "m-3"]
        assert found.incomplete == ("race",)

    def test_an_event_that_was_complete_keeps_its_room(self):
        large = self.markets()[:-1]
        second, third = ranked(3)[1:]
        pair = replace(second.event, id="e-8", slug="duel", title="The duel", neg_risk=True)
        markets = [*large, replace(second, event=pair), replace(third, event=pair)]
        members = {"m-2": Reason.RANK, "m-3": Reason.OUTCOME}

        found = ranking.choose(
            markets, at=NOON, rules=Rules(size=2, max_event_markets=3), members=members
        )

        assert [m.id for m in found.markets] == ["m-1", "m-2", "m-3"]

    def test_an_outcome_is_no_member_by_rank(self):
        """Or a set's cheap outcomes would take the places of the busiest markets."""
        members = dict.fromkeys(("n-1", "n-2"), Reason.OUTCOME)

        found = ranking.choose(self.markets(), at=NOON, rules=Rules(size=2), members=members)

        assert [m.id for m in found.markets] == ["m-1", "m-2"]


class TestStandings:
    def test_every_market_has_one(self):
        first, *rest = ranked(5)
        found = choice([with_terms(first, fee=None), *rest], kept={"m-2"}, pinned={"m-3"}, size=1)

        assert {id: standing.told for id, standing in found.standings.items()} == {
            "m-1": "fee unknown",
            "m-2": "kept: held",
            "m-3": "pinned: slug",
            "m-4": "volume rank 1",
            "m-5": "volume rank 2",
        }
        assert found.exclusions() == {"fee_unknown": 1, "outranked": 1}
        assert found.cutoff == ranked(4)[3].volume_24h

    def test_a_pinned_market_that_is_over_leaves_and_a_kept_one_stays(self):
        over = [with_terms(m, status=Status.RESOLVED, accepting_orders=False) for m in ranked(2)]

        assert chosen(over, pinned={"m-1"}, kept={"m-2"}) == ["m-2"]


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
