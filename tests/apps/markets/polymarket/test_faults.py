"""Every fault of the exchange ends in one sentence within its deadline."""

import time
from collections.abc import Callable

import pytest

from markets.core.ports import SourceDown
from markets.sources.polymarket import PolymarketSource
from markets.sources.transport import Transport
from tests.apps.markets.polymarket.opened import NOW, against, tokens_of
from tests.exchange import Exchange, World

FAULTS = ["status", "html", "truncated", "reset", "cut", "silent", "trickle", "bomb", "redirect"]
FAULTS += ["deep", "empty", "strange"]
CALLS: dict[str, Callable[[PolymarketSource], object]] = {
    "/events/keyset": lambda source: source.markets(NOW),
    "/books": lambda source: source.books(["1", "2"], NOW),
    "/prices-history": lambda source: source.history(["1"], NOW - 3_600_000, NOW),
}
PATIENCE = 0.4


class TestFaults:
    @pytest.mark.parametrize("route", CALLS)
    @pytest.mark.parametrize("kind", FAULTS)
    def test_end_in_one_sentence_within_the_deadline(
        self, exchange, clock, monkeypatch, route, kind
    ):
        monkeypatch.setattr("markets.sources.catalogue.PAGE_SECONDS", PATIENCE)
        monkeypatch.setattr("markets.sources.histories.SECONDS", PATIENCE)
        impatient = Transport(sleep=lambda seconds: None, largest_reply=2_000_000)
        source = against(exchange.url, clock, transport=impatient)
        source.orderbooks.seconds = PATIENCE
        exchange.fault(route, kind)
        exchange.fault("/v2/prices-history", kind)  # It would answer where the CLOB does not.
        start = time.monotonic()

        with pytest.raises(SourceDown) as down:
            CALLS[route](source)

        assert time.monotonic() - start < PATIENCE + 1.5
        assert down.value.reason.startswith(exchange.url)
        assert "\n" not in down.value.reason
        exchange.mend()
        monkeypatch.undo()
        assert source.markets(NOW)
        source.close()

    def test_nobody_listening_is_said_plainly(self, clock):
        with Exchange(World(markets=1)) as exchange:
            url = exchange.url
        source = against(url, clock, transport=Transport(sleep=lambda seconds: None))

        with pytest.raises(SourceDown) as down:
            source.books(["1", "2"], NOW)

        assert down.value.reason == (
            f"{url} cannot be reached (Connection refused): check the network or PQAP_CLOB_URL"
        )
        source.close()

    def test_a_slow_answer_within_the_deadline_is_an_answer(self, exchange, clock):
        source = against(exchange.url, clock)
        tokens = tokens_of(source.markets(NOW))
        exchange.fault("/books", "slow", seconds=0.2)

        assert len(source.books(tokens, NOW)) == len(tokens)
        source.close()

    def test_after_a_429_nothing_is_asked_for_a_while(self, source, exchange, clock):
        tokens = tokens_of(source.markets(NOW))
        exchange.fault("/books", "status", status=429, headers={"retry-after": "1"}, times=1)

        for _ in range(3):
            with pytest.raises(SourceDown):
                source.books(tokens, NOW)
        assert exchange.requests["/books"] == 1
        clock.ms += 10_000
        assert len(source.books(tokens, NOW)) == len(tokens)
