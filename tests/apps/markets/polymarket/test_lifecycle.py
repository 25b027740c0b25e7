"""Every stage of a market's life as the exchange shows it, and what we make of it."""

from pathlib import Path
from typing import Any

import pytest

from markets.core.types import ONE, Status
from markets.sources import wire, wire_data, wire_gamma
from tests.apps.markets.polymarket.opened import NOW
from tests.exchange import shapes

YES, NO, SPLIT = (ONE, 0), (0, ONE), (ONE // 2, ONE // 2)
OPEN, CLOSED, RESOLVED = Status.OPEN, Status.CLOSED, Status.RESOLVED
OVER = {"closed": True, "acceptingOrders": False, "closedTime": "2026-07-24 00:00:16+00"}
DONE = OVER | {"umaResolutionStatus": "resolved"}

CATALOGUE = {
    "created, not live": ({"active": False, "acceptingOrders": False, "outcomePrices": None}, OPEN),
    "before trading at one half": ({"outcomePrices": '["0.5", "0.5"]'}, OPEN),
    "trading": ({}, OPEN),
    "paused in play": ({"acceptingOrders": False, "secondsDelay": 3}, OPEN),
    "past its end": ({"endDate": "2020-01-01T00:00:00Z", "outcomePrices": '["0.99","0.01"]'}, OPEN),
    "proposed": ({"umaResolutionStatus": "proposed"}, Status.PROPOSED),
    "disputed": ({"umaResolutionStatus": "disputed"}, Status.DISPUTED),
    "disputed, in the history only": (
        {"umaResolutionStatuses": '["proposed", "disputed"]'}, Status.DISPUTED,
    ),
    "proposed once more": (
        {"umaResolutionStatuses": '["proposed", "disputed", "proposed"]'}, Status.PROPOSED,
    ),
    "yes": (DONE | {"outcomePrices": '["1", "0"]'}, RESOLVED, YES),
    "no": (DONE | {"outcomePrices": '["0", "1"]'}, RESOLVED, NO),
    "one half": (DONE | {"outcomePrices": '["0.5", "0.5"]'}, RESOLVED, SPLIT),
    "by its resolver only": (
        OVER | {"outcomePrices": '["1", "0"]', "resolvedBy": "0x65"}, RESOLVED, YES,
    ),
    "by itself": (
        OVER | {"outcomePrices": '["0", "1"]', "automaticallyResolved": True}, RESOLVED, NO,
    ),
    "one half by itself": (
        OVER | {"outcomePrices": '["0.5", "0.5"]', "automaticallyResolved": True}, RESOLVED, SPLIT,
    ),
    "resolved and still taking orders": (
        DONE | {"outcomePrices": '["1", "0"]', "acceptingOrders": True}, RESOLVED, YES,
    ),
    "closed at one half without a sign": (OVER | {"outcomePrices": '["0.5", "0.5"]'}, CLOSED),
    "one half with a resolver's address": (
        OVER | {"outcomePrices": '["0.5", "0.5"]', "resolvedBy": "0x65"}, CLOSED,
    ),
    "closed at one without a sign": (OVER | {"outcomePrices": '["1", "0"]'}, CLOSED),
    "void at frozen prices": (OVER | {"outcomePrices": '["0.485", "0.515"]'}, CLOSED),
    "frozen prices called resolved": (DONE | {"outcomePrices": '["0.485", "0.515"]'}, CLOSED),
    "closed without prices": (OVER | {"outcomePrices": None}, CLOSED),
    "a scalar of old": (DONE | {"outcomePrices": '["0.584", "0.416"]'}, CLOSED),
    "nothing to nobody": (DONE | {"outcomePrices": '["0", "0"]'}, CLOSED),
    "both win": (DONE | {"outcomePrices": '["1", "1"]'}, CLOSED),
}  # fmt: skip
"""What the catalogue shows, the status after two reads, and the payouts."""

STATES = {
    "initialized": OPEN,
    "posed": OPEN,
    "active": OPEN,
    "proposed": Status.PROPOSED,
    "reproposed": Status.PROPOSED,
    "challenged": Status.DISPUTED,
    "disputed": Status.DISPUTED,
    "arbitration": Status.DISPUTED,
}


@pytest.fixture
def told(source, exchange, clock, monkeypatch):
    """Asks twice, 11 s and more apart, about a market both hosts show as given."""
    listing = exchange.world.listings[1]

    def ask(gamma: dict[str, Any], data: dict[str, Any] | None) -> list[tuple]:
        exchange.world.spoiled_markets[listing.condition] = lambda found: found | gamma
        row = data and {"condition_id": listing.condition, **data}
        monkeypatch.setattr(shapes, "resolution", lambda one: row if one is listing else None)
        found = []
        for _ in range(2):
            said = source.resolutions([listing.condition], NOW)
            found += [(fact.status, fact.payouts) for fact in said]
            clock.ms += 31_000
        return found

    return ask


@pytest.mark.parametrize("case", CATALOGUE)
def test_the_catalogue_alone(told, case):
    gamma, status, *payouts = CATALOGUE[case]
    first, second = told(gamma, None)

    assert second == (status, payouts[0] if payouts else None)
    assert first == ((CLOSED, None) if payouts else second), "settled at its first word"


@pytest.mark.parametrize("payouts", [YES, NO, SPLIT])
def test_the_resolutions_settle_at_once(told, payouts):
    data = {"status": "resolved", "payouts": list(payouts), "resolved_at": "2026-09-09T21:19:19Z"}

    assert told({}, data) == [(RESOLVED, payouts)] * 2


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_the_resolutions(told, state):
    gamma = DONE | {"outcomePrices": '["1", "0"]'}

    assert told(gamma, {"status": state}) == [(STATES[state], None)] * 2, "the catalogue is ahead"


@pytest.mark.parametrize("payouts", [None, [], [ONE], [ONE, ONE], [-1, ONE + 1], [584_000, 1]])
def test_a_resolution_without_sound_payouts_leaves_it_to_the_catalogue(told, payouts):
    data = {"status": "resolved", "payouts": payouts}

    assert told(OVER | {"outcomePrices": '["0.485", "0.515"]'}, data) == [(CLOSED, None)] * 2
    assert told(DONE | {"outcomePrices": '["0", "1"]'}, data)[-1] == (RESOLVED, NO)


def test_a_state_nobody_knows_leaves_it_to_the_catalogue(told):
    assert told({"umaResolutionStatus": "proposed"}, {"status": "sleeping"})[-1] == (
        Status.PROPOSED, None,
    )  # fmt: skip


def test_proposed_one_way_and_resolved_the_other(told):
    seen = [
        told({}, {"status": "proposed", "proposed_price": "1000000000000000000"})[-1],
        told({}, {"status": "disputed"})[-1],
        told({}, {"status": "resolved", "payouts": [0, ONE]})[-1],
    ]

    assert seen == [(Status.PROPOSED, None), (Status.DISPUTED, None), (RESOLVED, NO)]


@pytest.mark.parametrize(
    ("row", "proposed"),
    [
        ({"status": "proposed", "proposed_price": "1000000000000000000"}, YES),
        ({"status": "proposed", "proposed_price": "0"}, NO),
        ({"status": "challenged", "proposed_price": "500000000000000000"}, SPLIT),
        ({"status": "reproposed", "proposed_price": "0", "reproposed_price": "69"}, NO),
        (
            {
                "status": "disputed",
                "proposed_price": "0",
                "reproposed_price": "1000000000000000000",
            },
            YES,
        ),
        ({"status": "proposed", "proposed_price": "69"}, None),
        ({"status": "proposed", "proposed_price": {"odd": 1}}, None),
        ({"status": "proposed"}, None),
        ({"status": "posed", "proposed_price": "0"}, None),
        ({"status": "resolved", "proposed_price": "0", "payouts": [ONE, 0]}, None),
    ],
)
def test_the_newest_proposal_says_which_way_it_goes(row, proposed):
    found = wire_data.resolution({"condition_id": "0x" + "a1" * 32, **row}, NOW)

    assert found.proposed == proposed


def test_a_market_without_an_id_says_nothing(told):
    assert told(DONE | {"conditionId": "", "outcomePrices": '["1", "0"]'}, None) == []


REAL = {
    "gamma-market-closed-resolved-no.json": (RESOLVED, NO, 1_773_962_415_000),
    "gamma-market-crypto-5m-resolved-up.json": (RESOLVED, YES, 1_784_851_216_000),
    "gamma-market-sports-moneyline-resolved.json": (RESOLVED, YES, 1_775_417_853_000),
    "gamma-market-crypto-5m-preopen.json": (OPEN, None, 1_782_201_492_030),
}


@pytest.mark.parametrize("name", REAL)
def test_real_markets(name):
    read = wire.decode(shared(name))
    found = wire_gamma.resolution(read[0] if isinstance(read, list) else read, NOW)

    assert (found.status, found.payouts, found.at) == REAL[name]


def test_a_real_resolution():
    (row,) = wire.decode(shared("data-v2-resolutions-resolved.json"))["data"]
    found = wire_data.resolution(row, NOW)

    assert (found.status, found.payouts, found.at) == (RESOLVED, YES, 1_788_988_759_000)


def shared(name: str) -> bytes:
    for parent in Path(__file__).resolve().parents:
        found = parent / "shared" / "polymarket" / "payloads" / name
        if found.exists():
            return found.read_bytes()
    pytest.skip("real payloads are not beside this project")
