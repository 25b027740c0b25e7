"""Doors to the exchange: states that last, totals that add up."""

import pytest

from markets.core.types import FeedState
from markets.selectors.feeds import feeds
from markets.services import feeds as noting

NOON = 1_700_000_000_000


@pytest.mark.django_db
def test_a_state_keeps_its_beginning_and_totals_add_up():
    noting.note("clob", FeedState.OK, at=NOON, requests=3, failures={"timeout": 1})
    noting.note("clob", FeedState.OK, at=NOON + 5, requests=2, failures={"timeout": 1, "reset": 4})

    [feed] = feeds()
    assert (feed.since, feed.seen_at, feed.requests) == (NOON, NOON + 5, 5)
    assert dict(feed.failures) == {"timeout": 2, "reset": 4}


@pytest.mark.django_db
def test_a_new_state_begins_now_and_a_pause_is_never_shortened():
    noting.note("gamma", FeedState.OK, at=NOON)
    noting.note("gamma", FeedState.DOWN, at=NOON + 9, reason="silent", paused_until=NOON + 60)
    noting.note("gamma", FeedState.DOWN, at=NOON + 10, reason="silent", paused_until=NOON + 30)

    [feed] = feeds()
    assert (feed.state, feed.reason, feed.since) == (FeedState.DOWN, "silent", NOON + 9)
    assert feed.paused_until == NOON + 60
