"""Forecasts from elsewhere: what a file may say, and when a claim counts."""

import pytest

from markets.core.types import ONE
from strategies.core.forecasts import Claim, ForecastFault, Forecasts, parse
from tests import builders as b

HEADER = "market,probability,error,at,until\n"
GOOD = "m-1,0.62,0.03,2026-01-01T00:00:00Z,2026-02-01T00:00:00+00:00\n"


def test_a_row_becomes_a_claim():
    assert parse(HEADER + GOOD).claims == (
        Claim("m-1", 620_000, 30_000, 1_767_225_600_000, 1_769_904_000_000),
    )


def test_columns_may_stand_in_any_order_and_blank_lines_are_left_out():
    text = (
        "until,market,error,probability,at\n\n2026-02-01T00:00Z,m-1,0.03,0.62,2026-01-01T00:00Z\n"
    )

    assert parse(text) == parse(HEADER + GOOD)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (GOOD.replace("0.62", "62"), "row 2: probability must be a number between 0 and 1"),
        (GOOD.replace("0.62", "nan"), "found 'nan'"),
        (GOOD.replace("0.62", "1"), "both exclusive; found '1'"),
        (GOOD.replace("0.62", "a"), "found 'a'"),
        (GOOD.replace("0.03", "0"), "row 2: error must be"),
        (GOOD.replace("00:00Z,", "00:00,", 1).replace(":00Z", ":00"), "at must be an ISO 8601"),
        (GOOD.replace("2026-02-01", "2025-02-01"), "until must be after at"),
        (GOOD.replace("m-1", ""), "market must be a condition id or a slug"),
        ("m-1,0.62\n", "row 2: must have 5 fields; found 2"),
        (GOOD + GOOD.replace("0.62", "-1") + GOOD.replace("0.03", "x"), "row 3: probability"),
    ],
)
def test_a_bad_row_is_named_with_what_is_allowed(row, words):
    with pytest.raises(ForecastFault, match=words):
        parse(HEADER + row)


def test_all_bad_rows_are_told_at_once_but_not_a_thousand():
    with pytest.raises(ForecastFault) as told:
        parse(HEADER + GOOD.replace("0.62", "2") * 1_000)

    lines = str(told.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 980 more"


def test_a_wrong_header_is_refused():
    with pytest.raises(ForecastFault, match="row 1: the columns must be market, probability"):
        parse("market,p\n")
    with pytest.raises(ForecastFault, match="row 1"):
        parse("")


def test_a_claim_counts_from_its_time_until_it_is_void_and_the_newest_wins():
    world = b.universe(b.market("m-1"), b.market("m-2"))
    old, new = Claim("m-1", 400_000, 1, 100, 1_000), Claim("slug-m-1", 500_000, 1, 200, 900)
    known = Forecasts((new, old, Claim("elsewhere", 1, 1, 0, 1_000)))

    assert known.standing(world, 99) == {}
    assert known.standing(world, 100) == {0: old}
    assert known.standing(world, 200) == {0: new}
    assert known.standing(world, 900) == {0: old}
    assert known.standing(world, 1_000) == {}


def test_a_mirrored_claim_is_about_the_other_token():
    known = Forecasts((Claim("m-1", 620_000, 30_000, 0, 1),))

    assert known.mirrored().claims[0].probability == ONE - 620_000
    assert known.mirrored().mirrored() == known
    assert Forecasts().digest == ""
