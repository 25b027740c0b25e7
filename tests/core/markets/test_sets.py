"""Split, merge, redeem and convert: they never create or destroy a payoff."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.core import sets
from markets.core.types import ONE
from tests.builders import market, micro


def event(outcomes: int):
    return [market(f"m-{n}", neg_risk=True) for n in range(1, outcomes + 1)]


def payoff(shares, cash, markets, winner: int) -> int:
    """What shares and cash come to when market number `winner` resolves YES and all others NO."""
    total = cash
    for number, item in enumerate(markets):
        total += shares.get(item.yes.id, 0) * (number == winner)
        total += shares.get(item.no.id, 0) * (number != winner)
    return total


def test_a_split_and_a_merge_undo_each_other():
    one = market()
    there, back = sets.split(one, micro(7)), sets.merge(one, micro(7))

    assert there.cash == -micro(7)
    assert there.cash + back.cash == 0
    assert {t: there.shares[t] + back.shares[t] for t in there.shares} == {"yes-1": 0, "no-1": 0}


@pytest.mark.parametrize("payout", [0, ONE // 2, ONE])
def test_a_pair_redeems_for_a_dollar_whatever_happens(payout):
    yes, no = sets.redeem("yes-1", micro(9), payout), sets.redeem("no-1", micro(9), ONE - payout)

    assert yes.cash + no.cash == micro(9)


@given(st.data())
def test_a_conversion_keeps_the_payoff_in_every_state(data):
    markets = event(data.draw(st.integers(2, 12)))
    given_ = data.draw(st.sets(st.sampled_from([m.id for m in markets]), min_size=1))
    size = data.draw(st.integers(1, 10**12))

    moved = sets.convert(markets, sorted(given_), size)

    for winner in range(len(markets)):
        assert payoff(moved.shares, moved.cash, markets, winner) == 0


def test_three_no_shares_of_three_become_two_dollars():
    moved = sets.convert(event(3), ["m-1", "m-2", "m-3"], micro(5))

    assert moved.cash == micro(10)
    assert set(moved.shares.values()) == {-micro(5)}


@pytest.mark.parametrize("given_", [[], ["m-1", "m-1"], ["m-9"]])
def test_what_is_no_part_of_the_event_is_refused(given_):
    with pytest.raises(sets.Impossible, match="not different markets of the event"):
        sets.convert(event(3), given_, ONE)


def test_only_neg_risk_events_convert():
    plain = [replace(m, event=replace(m.event, neg_risk=False)) for m in event(2)]

    with pytest.raises(sets.Impossible, match="neg-risk"):
        sets.convert(plain, ["m-1"], ONE)
