"""The catalogue's payloads become markets with terms and outcomes, or are refused."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from markets.core.types import ONE, Event, FeeSchedule, Status
from markets.sources import categories, wire_clob, wire_data, wire_gamma
from markets.sources.wire import Unreadable
from tests.exchange.payloads import own

EVENT = Event("700001", "who-wins-the-harbor-vote", "Who wins the harbor vote?", True, True)
AT = 1_790_000_000_000


def ann(**changes: Any) -> dict[str, Any]:
    """The tradable market of our own event, with changes; None takes a field away."""
    item = copy.deepcopy(own("gamma_event")["markets"][0]) | changes
    return {key: value for key, value in item.items() if value is not GONE}


GONE = object()


def listed(**changes: Any) -> wire_gamma.Listed:
    return wire_gamma.market(ann(**changes), EVENT, ("politics",))


class TestFiguresForChoosing:
    """They help to choose markets and never to trade: garbage is unknown and refuses nothing."""

    def figures(self, **changes: Any) -> tuple[int, int | None, int | None]:
        found = listed(**changes).market
        return found.liquidity, found.spread, found.price

    def test_are_read_from_numbers_and_texts(self):
        shown = {"bestBid": Decimal("0.41"), "bestAsk": Decimal("0.43")}

        assert self.figures(liquidityNum=Decimal("12.5"), **shown) == (12_500_000, 20_000, 420_000)
        assert self.figures(liquidityNum=GONE, liquidity="12.5", **shown)[0] == 12_500_000

    @pytest.mark.parametrize(
        ("bid", "ask"), [(GONE, "0.4"), (None, "0.4"), (0, "0.4"), ("0.999", 1), ("0.5", "0.5")]
    )
    def test_an_empty_side_has_no_spread_and_the_stated_price(self, bid, ask):
        told = {"outcomePrices": '["0.9995", "0.0005"]'}

        assert self.figures(bestBid=bid, bestAsk=ask, **told)[1:] == (None, 999_500)

    @pytest.mark.parametrize("junk", ["", "lots", [], {}, True, None, "1e400", -5])
    def test_garbage_is_unknown(self, junk):
        told = {"liquidityNum": junk, "liquidity": junk, "bestBid": junk, "bestAsk": junk}

        assert self.figures(outcomePrices=None, **told) == (0, None, None)

    def test_the_window_a_question_asks_about_is_kept(self):
        assert listed(eventStartTime="2026-06-24T07:50:00Z").market.starts_at == 1_782_287_400_000
        assert listed(eventStartTime="soon").market.starts_at is None


class TestVersion:
    def test_two_has_its_own_token_ids(self):
        found = listed(version="v2", positionIds=["11", "12"]).market

        assert ([t.id for t in found.tokens], found.version) == (["11", "12"], "v2")

    @pytest.mark.parametrize("version", [GONE, None, "v1"])
    def test_one_keeps_the_old_ones_whatever_stands_beside_them(self, version):
        found = listed(version=version, positionIds=["11", "12"]).market

        assert found.yes.id.endswith("01")
        assert found.version == "v1"

    @pytest.mark.parametrize("changes", [{"version": "v3"}, {"version": "v2", "positionIds": GONE}])
    def test_ids_are_never_guessed(self, changes):
        with pytest.raises(Unreadable, match=r"version|token ids"):
            listed(**changes)


class TestOwnEvent:
    def test_a_market_carries_its_event_and_its_tags(self):
        parent = {"id": "7", "slug": "s", "title": "t", "negRisk": True, "negRiskAugmented": None}
        item = ann(events=[parent], tags=[{"slug": "crypto"}, {"slug": None}, 5])

        event, tags = wire_gamma.own_event(item)

        assert (event, tags) == (Event("7", "s", "t", True, False), ("crypto",))

    @pytest.mark.parametrize("events", [GONE, None, [], {}, [{"slug": "no id"}], ["text"]])
    def test_without_one_it_is_refused(self, events):
        with pytest.raises(Unreadable):
            wire_gamma.own_event(ann(events=events))


class TestMarket:
    def test_carries_identity_and_terms(self):
        found = listed().market

        assert found.id == "0x" + "a1" * 32
        assert [t.outcome for t in found.tokens] == ["Yes", "No"]
        assert found.yes.id.endswith("01")
        assert found.terms.tick_size == 5_000
        assert found.terms.min_size == 5_000_000
        assert found.terms.end_at == 1_798_718_400_000
        assert found.terms.fee == FeeSchedule(40_000, 1, 250_000)
        assert found.volume_24h == 15_200_123_456
        assert found.created_at == 1_772_359_200_500
        assert found.category == "politics"

    @pytest.mark.parametrize(
        "field",
        [
            "conditionId",
            "slug",
            "question",
            "outcomes",
            "clobTokenIds",
            "acceptingOrders",
            "enableOrderBook",
            "orderPriceMinTickSize",
            "orderMinSize",
            "active",
            "closed",
        ],
    )
    def test_is_refused_without_a_needed_field(self, field):
        with pytest.raises(Unreadable):
            listed(**{field: GONE})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("conditionId", ""),
            ("conditionId", "0x" + "a1" * 31),
            ("clobTokenIds", '["1"]'),
            ("clobTokenIds", '["1", "1"]'),
            ("clobTokenIds", "[1, 2]"),
            ("clobTokenIds", "not json"),
            ("clobTokenIds", '["1", "2", "3"]'),
            ("outcomes", '["Yes"]'),
            ("active", "true"),
            ("acceptingOrders", 1),
            ("orderPriceMinTickSize", Decimal("0.3")),
            ("orderPriceMinTickSize", 0),
            ("orderMinSize", "many"),
            ("endDate", "later"),
        ],
    )
    def test_is_refused_with_a_field_that_lies(self, field, value):
        with pytest.raises(Unreadable) as refusal:
            listed(**{field: value})

        assert str(refusal.value)

    def test_real_arrays_and_number_strings_are_read_as_well(self):
        found = listed(outcomes=["Up", "Down"], orderMinSize="15", orderPriceMinTickSize="0.01")

        assert found.market.yes.outcome == "Up"
        assert found.market.terms.min_size == 15_000_000

    def test_protocol_two_uses_position_ids_by_version_not_by_presence(self):
        ids = {"positionIds": ["11", "22"]}

        assert listed(**ids).market.yes.id.endswith("01")
        assert listed(**ids, version="v2").market.yes.id == "11"

    def test_garbage_in_a_time_we_can_do_without_costs_only_that_time(self):
        found = listed(gameStartTime="whenever", createdAt="then", startDate=GONE).market

        assert found.game_start_at is None
        assert found.created_at == 0

    def test_an_unknown_end_is_none(self):
        assert listed(endDate=GONE).market.terms.end_at is None


class TestFees:
    SCHEDULE = {"rate": Decimal("0.07"), "exponent": 1, "takerOnly": True, "rebateRate": 0}

    @pytest.mark.parametrize(
        ("changes", "fee"),
        [
            ({"feesEnabled": False, "feeSchedule": SCHEDULE}, FeeSchedule(0)),
            ({"feeSchedule": SCHEDULE}, FeeSchedule(70_000)),
            ({"feesEnabled": GONE, "feeSchedule": SCHEDULE}, FeeSchedule(70_000)),
            ({"feeSchedule": GONE}, None),
            ({"feesEnabled": GONE, "feeSchedule": None}, None),
            ({"feeSchedule": SCHEDULE | {"rate": "lots"}}, None),
            ({"feeSchedule": SCHEDULE | {"rate": Decimal("-0.01")}}, None),
            ({"feeSchedule": SCHEDULE | {"exponent": Decimal("1.5")}}, None),
            ({"feeSchedule": SCHEDULE | {"takerOnly": False}}, None),
        ],
    )
    def test_follow_the_precedence_and_never_the_base_fee(self, changes, fee):
        found = listed(**changes)

        assert found.market.terms.fee == fee
        assert found.fee_unknown == (fee is None)

    def test_come_from_the_clob_where_gamma_is_silent(self):
        item = own("clob_market")

        assert wire_clob.fee(item, item["c"]) == FeeSchedule(40_000)
        assert wire_clob.fee({"c": item["c"]}, item["c"]) is None
        with pytest.raises(Unreadable):
            wire_clob.fee(item, "0x" + "b2" * 32)


class TestStatus:
    @pytest.mark.parametrize(
        ("changes", "status", "accepting"),
        [
            ({}, Status.OPEN, True),
            ({"acceptingOrders": False}, Status.HALTED, False),
            ({"enableOrderBook": False}, Status.HALTED, False),
            ({"umaResolutionStatus": "requested"}, Status.OPEN, True),
            ({"umaResolutionStatus": "proposed"}, Status.PROPOSED, True),
            ({"umaResolutionStatus": "disputed"}, Status.DISPUTED, True),
            ({"umaResolutionStatuses": '["proposed", "disputed"]'}, Status.DISPUTED, True),
            ({"closed": True}, Status.CLOSED, False),
        ],
    )
    def test_tells_an_argued_outcome_from_a_pause(self, changes, status, accepting):
        terms = listed(**changes).market.terms

        assert (terms.status, terms.accepting_orders) == (status, accepting)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({}, ""),
            ({"closed": True}, "closed"),
            ({"active": False}, "inactive"),
            ({"archived": True}, "archived"),
        ],
    )
    def test_idle_markets_are_named(self, changes, reason):
        assert wire_gamma.idle(ann(**changes)) == reason


class TestOutcome:
    RESOLVED = {"closed": True, "umaResolutionStatus": "resolved"}

    @pytest.mark.parametrize(
        ("changes", "payouts"),
        [
            (RESOLVED | {"outcomePrices": '["1", "0"]'}, (ONE, 0)),
            (RESOLVED | {"outcomePrices": '["0.5", "0.5"]'}, (ONE // 2, ONE // 2)),
            ({"closed": True, "outcomePrices": '["0", "1"]', "resolvedBy": "0x1"}, (0, ONE)),
            ({"closed": True, "outcomePrices": '["0.5", "0.5"]', "resolvedBy": "0x1"}, None),
            ({"closed": True, "outcomePrices": '["0", "1"]'}, None),
            (RESOLVED | {"outcomePrices": '["0.485", "0.515"]'}, None),
            (RESOLVED | {"outcomePrices": '["0", "0"]'}, None),
            (RESOLVED | {"outcomePrices": None}, None),
            ({"outcomePrices": '["0.5", "0.5"]', "umaResolutionStatus": "resolved"}, None),
        ],
    )
    def test_pays_only_on_closed_and_resolved_evidence(self, changes, payouts):
        assert wire_gamma.resolution(ann(**changes), AT).payouts == payouts

    def test_data_rows_follow_their_status(self):
        rows = [wire_data.resolution(row, AT) for row in own("data_resolutions")["data"]]

        assert [row.status for row in rows] == [
            Status.PROPOSED,
            Status.RESOLVED,
            Status.RESOLVED,
            Status.OPEN,
        ]
        assert [row.payouts for row in rows] == [None, (0, ONE), (ONE // 2, ONE // 2), None]
        assert rows[0].at == 1_777_711_216_000
        assert rows[3].at == AT

    @pytest.mark.parametrize(
        "changes",
        [
            {"payouts": None},
            {"payouts": [1_000_000]},
            {"payouts": [1_000_000, 1]},
            {"payouts": [2_000_000, -1_000_000]},
            {"payouts": ["1000000", "0"]},
            {"status": "finished"},
            {"condition_id": "0x1"},
        ],
    )
    def test_a_resolved_row_without_one_dollar_of_payouts_is_refused(self, changes):
        row = own("data_resolutions")["data"][1] | changes

        with pytest.raises(Unreadable):
            wire_data.resolution(row, AT)


class TestCategory:
    @pytest.mark.parametrize(
        ("fee_type", "tags", "sport", "found"),
        [
            ("crypto_fees_v2", ("politics",), None, "crypto"),
            ("general_fees", ("pop-culture",), None, "culture"),
            (None, ("fed", "politics", "economy"), None, "economics"),
            (None, ("games",), "moneyline", "sports"),
            (None, ("hide-from-new",), None, "other"),
        ],
    )
    def test_is_the_fee_type_else_the_most_telling_tag(self, fee_type, tags, sport, found):
        assert categories.category(fee_type, tags, sport) == found
