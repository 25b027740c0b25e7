"""Complete sets as pure functions: split, merge, redeem and the neg-risk conversion.

None of them pays a fee. Source: the exchange's documentation of the conditional tokens framework
and of the neg-risk adapter (NO shares to YES shares, one way).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markets.core import venue
from markets.core.types import Market


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an operation moves: micro-dollars and micro-shares by token, positive is received."""

    cash: int
    shares: Mapping[str, int]


class Impossible(ValueError):
    """An operation the exchange's contracts would refuse; the text says why."""


def split(market: Market, size: int) -> Exchanged:
    """`size` dollars become as many YES and as many NO shares."""
    return Exchanged(-size, {market.yes.id: size, market.no.id: size})


def merge(market: Market, size: int) -> Exchanged:
    """`size` YES and as many NO shares become dollars: the reverse of a split."""
    return Exchanged(size, {market.yes.id: -size, market.no.id: -size})


def redeem(token: str, size: int, payout: int) -> Exchanged:
    """`size` shares of a decided token become what it pays a share, micro-dollars."""
    return Exchanged(venue.proceeds(size, payout), {token: -size})


def convert(event: Sequence[Market], given: Sequence[str], size: int) -> Exchanged:
    """NO shares of the `given` markets of a neg-risk event become (k - 1) dollars a set and YES
    shares of every other market of the event.

    `event` are all markets of the event; Impossible where it is not neg-risk or `given` is not
    a part of it.
    """
    known = {market.id for market in event}
    if not event or not all(market.event.neg_risk for market in event):
        raise Impossible("only shares of a neg-risk event can be converted")
    if not given or len(set(given)) != len(given) or not set(given) <= known:
        raise Impossible(f"markets {sorted(given)} are not different markets of the event")
    shares = {
        (market.no.id if market.id in given else market.yes.id): (
            -size if market.id in given else size
        )
        for market in event
    }
    return Exchanged((len(given) - 1) * size, shares)
