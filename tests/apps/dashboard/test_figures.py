"""How integers look on pages and on the wire, and back."""

import pytest

from dashboard import query, wire
from dashboard.templatetags import figures
from markets.selectors.keyset import Place
from tests.builders import NOON


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (415_000, "0.415"),
        (-12_450_000, "-12.45"),
        (1_000_000_000, "1000"),
        (9_223_372_036_854_775_807, "9223372036854.775807"),
    ],
)
def test_decimals_are_plain_and_exact(micro, text):
    assert wire.decimal(micro) == text
    if abs(micro) < 10**18:
        assert wire.micro(text) == micro


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "5.", "1e3", "nan", "inf", "1,000", " 1", "0.0000001", "٣", "+1", "--1"]
)
def test_other_text_is_not_a_decimal(text):
    with pytest.raises(ValueError):
        wire.micro(text)


def test_instants_go_there_and_back():
    assert wire.instant(NOON + 7) == "2026-01-01T12:00:00.007Z"
    assert wire.at(wire.instant(NOON + 7)) == NOON + 7
    assert wire.at("2026-01-01") == NOON - 43_200_000
    assert wire.at("2026-01-01T14:00:00+02:00") == NOON


def test_places_go_there_and_back():
    for place in (Place(NOON, "a:b"), Place(-5, "é", backwards=True)):
        assert query.decode(query.encode(place), str) == place
    assert query.decode(query.encode(Place(3, 9)), int) == Place(3, 9)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (figures.cents(415_000), "41.5¢"),
        (figures.cents(420_000), "42.0¢"),
        (figures.cents(4_500), "0.45¢"),
        (figures.cents(995_500), "99.55¢"),
        (figures.cents(1_000_000), "100.0¢"),
        (figures.cents(None), "–"),
        (figures.dollars(987_550_000), "$987.55"),
        (figures.dollars(1_234_567_891), "$1,234.57"),
        (figures.dollars(-12_455_000), "−$12.46"),
        (figures.dollars(-1_000), "$0.00"),
        (figures.gain(12_450_000), "+$12.45"),
        (figures.gain(-12_450_000), "−$12.45"),
        (figures.gain(0), "$0.00"),
        (figures.gain(1_000), "$0.00"),
        (figures.shares(1_204_500_000), "1,204.50"),
        (figures.percent(12_300), "1.23\u00a0%"),
        (figures.gain_percent(1_250_000), "+1.25\u00a0%"),
        (figures.gain_percent(-1_250_000), "−1.25\u00a0%"),
        (figures.gain_percent(0), "0.00\u00a0%"),
        (figures.tone(1_000), "flat"),
        (figures.tone(-20_000), "down"),
        (figures.bytes_words(1_234_567), "1.2 MB"),
        (figures.words("sized_to_zero"), "sized to zero"),
        (figures.ends(NOON - 1, NOON), '<time datetime="2026-01-01T11:59:59.999Z" '
         'data-age="ends">overdue</time>'),
    ],
)  # fmt: skip
def test_figures_for_people(shown, text):
    assert shown == text


@pytest.mark.parametrize(
    ("micro", "shown"),
    [(1_000_000, "100.00\xa0%"), (999_999, "99.99\xa0%"), (0, "0.00\xa0%"), (None, "–")],
)
def test_a_share_with_a_hole_in_it_never_reads_whole(micro, shown):
    assert figures.covered(micro) == shown
