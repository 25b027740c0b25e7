"""Which markets count as one when the worst case is reckoned."""

from dataclasses import replace

import pytest

from markets.core.clusters import cluster
from markets.core.types import Event
from tests.builders import market, universe


def named(slug="", title="", *, tags=(), id="m-1", event="e-1"):
    """A market of an event with this slug and title."""
    return replace(market(id, event=event), event=Event(event, slug, title), tags=tags)


@pytest.mark.parametrize(
    ("slug", "title", "key"),
    [
        ("bitcoin-above-on-march-11", "Bitcoin above ___ on March 11?", "bitcoin"),
        ("btc-updown-15m-1782149400", "Bitcoin Up or Down", "bitcoin"),
        ("what-price-will-ethereum-hit-in-june", "What price will Ethereum hit?", "ethereum"),
        ("fed-decision-in-june-825", "Fed decision in June?", "fed"),
        ("who-will-win-marrow-bay", "Who will win the Marrow Bay mayoral election?", "marrow-bay"),
        ("ada-renn-says", "What will Ada Renn say in June?", "ada-renn"),
        ("ada-renn-out", "Ada Renn out as mayor by March 31?", "ada-renn"),
        ("herons", "Harbor Herons vs. Field Foxes", "harbor-herons"),
        ("temperature", "Highest temperature in Elmstead on September 14?", "elmstead"),
        ("rainfall-record-by-march-31-2027", "Rainfall record by March 31?", "rainfall-record"),
        ("river-treaty-by-june-30", "", "river-treaty"),
        ("river-treaty-signed-before-2027", "", "river-treaty-signed"),
        ("cs2-fox-ill-2026-04-05", "", "fox-ill"),
        ("simulated-17", "", "e-1"),
        ("", "", "e-1"),
    ],
)
def test_the_key_is_what_a_question_is_about(slug, title, key):
    assert cluster(named(slug, title)) == key


def test_a_tag_names_the_underlying_where_the_slug_does_not():
    assert cluster(named("will-the-halving-come-early", tags=("crypto", "bitcoin"))) == "bitcoin"


def test_a_deadline_ladder_is_one_cluster():
    keys = {
        cluster(named(slug, event=slug))
        for slug in (
            "river-treaty-by-march-31",
            "river-treaty-by-june-30-2027",
            "river-treaty-before-july",
            "river-treaty-in-2027",
        )
    }

    assert keys == {"river-treaty"}


def test_a_strike_ladder_is_one_cluster_over_its_days():
    slugs = ("norrland-index-above-on-march-11", "norrland-index-above-on-march-12")

    assert len({cluster(named(slug, event=slug)) for slug in slugs}) == 1


def test_what_has_nothing_in_common_stays_apart():
    one = named("simulated-1", "Will the Elmstead council pass its budget?", event="e-1")
    other = named("simulated-2", "Will Greywater see snow?", event="e-2")

    assert cluster(one) != cluster(other)


def test_markets_of_one_event_share_a_key_whatever_their_tags_say():
    world = universe(
        named("walking-cart-ships", tags=("culture",), id="m-1"),
        named("walking-cart-ships", tags=("bitcoin",), id="m-2"),
    )

    assert world.cluster["m-1"] == world.cluster["m-2"]


def test_a_market_without_an_event_is_its_own_cluster():
    alone = replace(named(event=""), slug="m")

    assert cluster(alone) == "m-1"
