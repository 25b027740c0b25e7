"""Dual arbitrage on recorded real books: nothing to buy in one instant, and why polling shows some.

Fees are taken as 0 and the gain as any: what is not there then is not there at all.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from markets.core.panel import Panel
from markets.core.tick import Tick
from markets.core.types import ONE, FeeSchedule, Market
from markets.sources import foreign, kalshi_books, mlb_books, updown_quotes
from strategies.core.types import SILENCES
from strategies.library.dual_arb_v1 import WAITS, DualArb, Params, pairing
from tests.apps.markets import foreignfiles as files

STATED = foreign.Stated(FeeSchedule(0), None, 5 * ONE, None, 10)
ANY_GAIN = Params(min_edge=0.000001, min_profit=0)
MLB = (mlb_books, "books_mlb_both_tokens")
KALSHI = (kalshi_books, "books_kalshi_btc")
POLLED = (updown_quotes, "quotes_btc_updown_both_tokens")


@dataclass(frozen=True, slots=True)
class Pair:
    """Both books of a market as one read showed them, and what the rule said."""

    tick: Tick
    column: int
    said: str
    detail: str

    @property
    def market(self) -> Market:
        return self.tick.universe.markets[self.column]

    @property
    def asks(self) -> int | None:
        """What both asks cost together, micro-dollars; None where one is missing."""
        sides = [self.tick.book(token.id).asks for token in self.market.tokens]
        return sum(side[0].price for side in sides) if all(sides) else None

    @property
    def middle(self) -> int:
        """Twice the middle of YES."""
        return int(self.tick.bid[self.column] + self.tick.ask[self.column])

    @property
    def pointed(self) -> int:
        """Twice the middle that YES has as NO sees it."""
        no = self.tick.book(self.market.no.id)
        return 2 * ONE - no.bids[0].price - no.asks[0].price


def recorded(reader, name: str) -> Iterator[Tick]:
    findings = foreign.Findings()
    markets, reads = reader.read(files.shared(name), STATED, findings)
    return foreign.ticks(markets, reads, depth_levels=STATED.depth_levels, findings=findings)


@lru_cache
def judged(source, *, trusting: bool = False) -> list[Pair]:
    """Every pair read, judged by the rule as the desk asks it; `trusting` takes all as coherent."""
    rule, panel, found = DualArb(ANY_GAIN), Panel(), []
    for tick in recorded(*source):
        if trusting:
            tick = replace(tick, coherent=np.ones_like(tick.coherent))
        panel.advance(tick)
        opinion = rule.evaluate(panel)
        for column in np.flatnonzero(tick.observed_at == tick.at).tolist():
            code = int(opinion.silence[column])
            said = SILENCES[code - 1].value if code else "SIGNAL"
            found.append(Pair(tick, column, said, opinion.detail.get(column, "")))
    return found


def cheap(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.asks is not None and pair.asks < ONE]


@pytest.mark.parametrize(
    ("source", "counted"),
    [
        (MLB, {"EDGE": 1_002, "INCOHERENT": 58}),
        (KALSHI, {"EDGE": 2_750, "INCOHERENT": 255}),
    ],
    ids=["games", "bitcoin"],
)
def test_books_of_one_instant_hold_not_one_pair_to_buy(source, counted):
    pairs = judged(source)

    assert Counter(pair.said for pair in pairs) == counted
    assert cheap(pairs) == []
    assert all(pairing(pair.tick, pair.market, ANY_GAIN) is None for pair in pairs)
    without_a_side = [pair for pair in pairs if not pair.tick.two_sided[pair.column]]
    assert [pair for pair in pairs if pair.said == "INCOHERENT"] == without_a_side


class TestPolled:
    """Two tokens polled one after the other: every pair below a dollar is two instants."""

    def test_each_is_counted_as_torn_and_explained(self):
        pairs = judged(POLLED)

        complete = [pair for pair in pairs if pair.asks is not None]
        assert (len(cheap(pairs)), len(complete)) == (19, 493)  # 3.9 %
        assert {pair.said for pair in cheap(pairs)} == {"INCOHERENT"}
        assert all(pair.detail.startswith("mirror gap") for pair in cheap(pairs))
        assert Counter(pair.said for pair in pairs) == {"EDGE": 397, "INCOHERENT": 155}

    def test_the_gap_goes_either_way(self):
        gaps = [
            int(np.sign(yes[0].price + no[0].price - ONE))
            for pair in judged(POLLED)
            if not pair.tick.coherent[pair.column]
            and (yes := pair.tick.book(pair.market.yes.id).asks)
            and (no := pair.tick.book(pair.market.no.id).bids)
        ]

        assert (gaps.count(-1), gaps.count(1)) == (43, 37)

    def test_the_token_read_second_mostly_shows_where_the_first_goes(self):
        pairs = judged(POLLED)
        by_market: dict[str, list[Pair]] = {}
        for pair in pairs:
            by_market.setdefault(pair.market.id, []).append(pair)
        went = Counter()
        for reads in by_market.values():
            for now, after in pairwise(reads):
                if cheap([now]):
                    went[(after.middle - now.middle) * (now.pointed - now.middle) > 0] += 1

        assert went == {True: 14, False: 5}

    def test_none_is_there_on_two_reads_even_if_all_were_trusted(self):
        pairs = judged(POLLED, trusting=True)

        assert "SIGNAL" not in {pair.said for pair in pairs}
        # Of the other four, five shares of a token are not worth the exchange's dollar.
        assert sum(pair.detail == WAITS for pair in pairs) == 15
