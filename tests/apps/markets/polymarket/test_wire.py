"""Numbers and times at the door, and payloads nobody would send."""

import copy
import os
import random
from decimal import Decimal
from typing import Any

import pytest

from markets.core.types import Event
from markets.sources import wire, wire_clob, wire_data, wire_gamma
from markets.sources.wire import Unreadable
from tests.exchange.payloads import own

EVENT = Event("1", "an-event", "An event?")
AT = 1_790_000_000_000


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "units"),
        [("0.5", 500_000), (".48", 480_000), ("5", 5_000_000), (1, 1_000_000), ("0.0001", 100)],
    )
    def test_are_exact_micro_units(self, written, units):
        assert wire.micro(written) == units

    def test_one_that_no_decimal_holds_costs_only_its_field(self):
        absurd = wire.decode(b'{"tick": 1e99999999999999999999, "size": 0.5}')

        assert absurd["size"] == Decimal("0.5")
        with pytest.raises(ValueError, match="sensible"):
            wire.exact(absurd["tick"])

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
