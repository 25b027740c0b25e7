"""Payloads become exact facts at the door, or are refused there, one item at a time."""

import copy
import os
import random
from decimal import Decimal
from typing import Any

import pytest

from markets.core import book as books
from markets.core.types import ONE, Event, FeeSchedule, Level, Status
from markets.sources import categories, wire, wire_clob, wire_data, wire_gamma
from markets.sources.wire import Unreadable
from tests.exchange.payloads import own, shared

EVENT = Event("700001", "who-wins-the-harbor-vote", "Who wins the harbor vote?", True, True)
AT = 1_790_000_000_000


def ann(**changes: Any) -> dict[str, Any]:
    """The tradable market of our own event, with changes; None takes a field away."""
    item = copy.deepcopy(own("gamma_event")["markets"][0]) | changes
    return {key: value for key, value in item.items() if value is not GONE}


GONE = object()


def listed(**changes: Any) -> wire_gamma.Listed:
    return wire_gamma.market(ann(**changes), EVENT, ("politics",))


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "units"),
        [("0.5", 500_000), (".48", 480_000), ("5", 5_000_000), (1, ONE), ("0.0001", 100)],
    )
    def test_are_exact_micro_units(self, written, units):
        assert wire.micro(written) == units

    def test_fractions_never_pass_through_a_float(self):
        read = wire.decode(b'{"tick": 0.005, "large": 9007199254740993.5}')

        assert wire.micro(read["tick"]) == 5_000
        assert read["large"] == Decimal("9007199254740993.5")

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "nan",
            "Infinity",
            "1e5",
            "1_0",
            " 1",
            "٣",
            "0x10",
            None,
            True,
            [],
            {},
            0.5,
            "1" * 41,
            Decimal("NaN"),
            Decimal("-Infinity"),
            Decimal("1E999999"),
            Decimal("1e14"),
        ],
    )
    def test_anything_else_is_refused(self, written):
        with pytest.raises(ValueError):
            wire.micro(written)

    def test_a_seventh_decimal_is_refused_in_a_price_and_dropped_from_a_volume(self):
        with pytest.raises(ValueError):
            wire.micro("0.1234567")

        assert wire.micro_down("15200.123456789") == 15_200_123_456


class TestTimes:
    def test_three_notations_mean_one_instant(self):
        iso, spaced, seconds = "2026-07-24T00:00:16Z", "2026-07-24 00:00:16+00", "1784851216"

        assert wire.iso_ms(iso) == wire.iso_ms(spaced) == 1_784_851_216_000
        assert wire.any_ms(iso) == wire.any_ms(seconds) == 1_784_851_216_000
        assert wire.unix_ms("1784851216000") == 1_784_851_216_000

    def test_fractions_of_a_second_are_cut_to_milliseconds(self):
        assert wire.iso_ms("2026-06-23T07:57:35.630868Z") % 1000 == 630
        assert wire.iso_ms("2024-03-07 20:44:01.258+00") % 1000 == 258

    def test_a_placeholder_year_is_no_time(self):
        assert wire.iso_ms("0001-01-01T00:00:00Z") is None
        assert wire.iso_ms("") is None

    @pytest.mark.parametrize("written", ["soon", "2026-07-24", 5, "2026-07-24T00:00:16"])
    def test_a_time_without_a_zone_is_refused(self, written):
        with pytest.raises(ValueError):
            wire.iso_ms(written)


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


class TestBook:
    def test_is_best_first_whatever_the_order_sent(self):
        no, yes = [wire_clob.book(item, AT)[1] for item in own("clob_books")]

        assert no.bids == (Level(690_000, 120_500_000), Level(685_000, 40_000_000))
        assert no.asks[0] == Level(700_000, 33_250_000)
        assert yes.bids[0] == Level(300_000, 33_250_000)
        assert yes.venue_at == 1_767_268_799_500
        assert yes.observed_at == AT

    def test_keeps_only_the_stated_depth(self):
        book = wire_clob.book(own("clob_books")[0], AT, depth=1)[1]

        assert [len(book.bids), len(book.asks)] == [1, 1]
        assert book.asks[0].price == 700_000

    def test_is_refused_when_its_hash_does_not_match(self):
        item = own("clob_books")[0]
        item["bids"][0]["size"] = "41"

        with pytest.raises(Unreadable, match="hash"):
            wire_clob.book(item, AT)

    def test_is_not_judged_by_a_hash_of_other_fields(self):
        older, newer = own("clob_books")
        del older["tick_size"]
        newer["future_field"] = "1"
        older["bids"][0]["size"] = newer["bids"][0]["size"] = "41"

        assert wire_clob.book(older, AT)[1].bids[1].size == 41_000_000
        assert wire_clob.book(newer, AT)

    @pytest.mark.parametrize(
        "level",
        [
            {"price": "1", "size": "5"},
            {"price": "0", "size": "5"},
            {"price": "1.2", "size": "5"},
            {"price": "-0.2", "size": "5"},
            {"price": "NaN", "size": "5"},
            {"price": "0.2", "size": "0"},
            {"price": "0.2", "size": "-1"},
            {"price": "0.2", "size": "1e400"},
            {"price": True, "size": "5"},
            {"price": None, "size": "5"},
            {"price": ["0.2"], "size": "5"},
            {"price": "0.69", "size": "5"},
            {"price": "0.2"},
            "0.2",
        ],
    )
    def test_is_refused_with_one_absurd_level(self, level):
        item = own("clob_books")[0] | {"hash": ""}
        item["bids"].append(level)

        with pytest.raises(Unreadable):
            wire_clob.book(item, AT)

    @pytest.mark.parametrize(
        "changes",
        [{"timestamp": "soon"}, {"asset_id": 7}, {"asset_id": "x"}, {"bids": None}, {"asks": {}}],
    )
    def test_is_refused_with_a_field_that_lies(self, changes):
        with pytest.raises(Unreadable):
            wire_clob.book(own("clob_books")[0] | {"hash": ""} | changes, AT)

    def test_history_is_sorted_and_says_each_time_once(self):
        points = wire_clob.history(own("clob_prices_history"), "7")

        assert [p.at // 1000 for p in points] == [1767268300, 1767268600, 1767268900]
        assert [p.price for p in points] == [300_000, 305_000, 310_000]


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


class TestRecorded:
    """Bodies the live hosts sent."""

    def test_fed_books_are_mirrors_with_matching_hashes(self):
        pairs: dict[str, list[Any]] = {}
        for item in shared("clob-books-negrisk-fed-june-2026"):
            assert wire_clob.digest(item) == item["hash"]
            market, book = wire_clob.book(item, AT)
            pairs.setdefault(market, []).append(book)

        assert len(pairs) == 5
        for yes, no in pairs.values():
            spread = yes.asks[0].price - yes.bids[0].price
            assert yes.asks[0].price + no.asks[0].price == ONE + spread
            assert books.mirror(yes, no.token).bids == no.bids
            assert books.mirror(yes, no.token).asks == no.asks

    def test_fed_event(self):
        item = shared("gamma-event-negrisk-fed-june-2026")
        event, tags = wire_gamma.event(item)
        markets = [wire_gamma.market(m, event, tags).market for m in item["markets"]]

        assert event.neg_risk
        assert not event.augmented
        assert {m.terms.fee for m in markets} == {FeeSchedule(50_000, 1, 250_000)}
        assert {m.terms.tick_size for m in markets} == {1_000}
        assert {m.category for m in markets} == {"economics"}
        assert {m.terms.status for m in markets} == {Status.OPEN}
        tokens = {item["asset_id"] for item in shared("clob-books-negrisk-fed-june-2026")}
        assert {t.id for m in markets for t in m.tokens} == tokens

    def test_clob_terms_agree_with_gamma(self):
        rows = shared("clob-clobmarkets-fed-june-2026")

        assert {wire_clob.fee(row, row["c"]) for row in rows} == {FeeSchedule(50_000)}

    def test_five_minute_crypto_is_open_at_even_odds_and_not_resolved(self):
        (item,) = shared("gamma-event-crypto-5m")
        event, tags = wire_gamma.event(item)
        market = wire_gamma.market(item["markets"][0], event, tags).market

        assert [t.outcome for t in market.tokens] == ["Up", "Down"]
        assert market.terms.fee == FeeSchedule(70_000, 1, 200_000)
        assert market.volume_24h == 0
        assert market.game_start_at is None
        resolution = wire_gamma.resolution(shared("gamma-market-crypto-5m-preopen"), AT)
        assert resolution.status is Status.OPEN

    def test_augmented_event_without_fees(self):
        (item,) = shared("gamma-events-negrisk-dem-nominee-2028")
        event, tags = wire_gamma.event(item)
        found = [wire_gamma.market(m, event, tags) for m in item["markets"]]

        assert event.augmented
        assert {x.market.terms.fee for x in found} == {FeeSchedule(0)}

    @pytest.mark.parametrize(
        ("name", "payouts"),
        [
            ("gamma-market-closed-resolved-no", (0, ONE)),
            ("gamma-market-crypto-5m-resolved-up", (ONE, 0)),
            ("gamma-market-sports-moneyline-resolved", (ONE, 0)),
        ],
    )
    def test_resolved_markets(self, name, payouts):
        found = wire_gamma.resolution(shared(name), AT)

        assert (found.status, found.payouts) == (Status.RESOLVED, payouts)
        assert found.at < AT

    def test_sports_terms(self):
        item = shared("gamma-market-sports-moneyline-resolved")
        found = wire_gamma.market(item, EVENT, ()).market

        assert found.terms.taker_delay_ms == 3_000
        assert found.game_start_at == 1_775_401_800_000
        assert found.category == "sports"
        assert "sports" in found.tags
        assert found.terms.status is Status.RESOLVED

    def test_listed_markets_stand_alone(self):
        for item in shared("gamma-markets-list-two-open"):
            found = wire_gamma.market(item, EVENT, ()).market

            assert found.terms.fee == FeeSchedule(50_000, 1, 250_000)

    def test_old_and_never_traded_books(self):
        old = wire_clob.book(shared("clob-book-2024-old-shape"), AT)[1]
        fresh = wire_clob.book(shared("clob-book-crypto-5m-never-traded"), AT)[1]

        assert (old.bids[0].price, old.asks[0].price) == (100_000, 140_000)
        assert (fresh.bids[0].price, fresh.asks[0].price) == (490_000, 510_000)

    def test_history_and_resolution(self):
        assert len(wire_clob.history(shared("clob-priceshistory-crypto-5m"), "1")) == 2
        (row,) = shared("data-v2-resolutions-resolved")["data"]
        assert wire_data.resolution(row, AT).payouts == (ONE, 0)


VALUES = [None, True, 0, -1, "", "x", "NaN", "1e999", [], {}, [[]], "[", Decimal("NaN"), "9" * 400]
VALUES += [Decimal("1E+999999"), "\ud800", 10**30, ["1", "2"], '["a"]', "0001-01-01T00:00:00Z"]


class TestMutatedPayloads:
    """Whatever a payload holds, the door answers with a value or with Unreadable."""

    def test_nothing_but_a_refusal_escapes(self):
        seed = int(os.environ.get("SEED", random.randrange(10**6)))
        print(f"seed {seed}: set SEED to repeat")
        draw = random.Random(seed)
        event = own("gamma_event")
        readers = [
            (event["markets"][0], lambda x: wire_gamma.market(x, EVENT, ())),
            (event["markets"][1], lambda x: wire_gamma.resolution(x, AT)),
            (event["markets"][2], wire_gamma.idle),
            (event, wire_gamma.event),
            (own("clob_books")[0] | {"hash": ""}, lambda x: wire_clob.book(x, AT)),
            (own("clob_books")[1], lambda x: wire_clob.book(x, AT)),
            (own("clob_market"), lambda x: wire_clob.fee(x, own("clob_market")["c"])),
            (own("clob_prices_history"), lambda x: wire_clob.history(x, "1")),
            (own("data_resolutions")["data"][1], lambda x: wire_data.resolution(x, AT)),
        ]
        refused = 0
        for _ in range(1_500):
            item, reader = draw.choice(readers)
            try:
                reader(mutated(item, draw))
            except Unreadable:
                refused += 1
        assert refused > 300

    def test_a_body_that_is_not_json_is_a_value_error(self):
        for body in (b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b"1" * 5_000, b'{"a":'):
            with pytest.raises(ValueError):
                wire.decode(body)


def mutated(item: Any, draw: random.Random) -> Any:
    """A copy with one value, at any depth, removed or replaced."""
    root = copy.deepcopy(item)
    node = root
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw.choice(keys)
        inner = node[key]
        if isinstance(inner, dict | list) and inner and draw.random() < 0.8:
            node = inner
            continue
        if draw.random() < 0.2:
            del node[key]
        else:
            node[key] = draw.choice(VALUES)
        return root
