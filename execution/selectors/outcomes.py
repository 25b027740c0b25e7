"""Outcomes beside what they concern: the shares that wait for one, and those it paid."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Sum

from execution.core.types import AccountName, Liquidity
from execution.models import Position, Trade
from markets.selectors import outcomes
from markets.selectors.keyset import Page, Place


@dataclass(frozen=True, slots=True)
class ResolutionLine:
    """One statement on an outcome, and the base account's shares in its market now.

    `payouts` and `proposed` are (YES, NO) micro-dollars a share, None where there are none;
    `held_*` are shares held, `paid_*` shares that were paid out (micro-shares); `at` ms UTC.
    """

    market: str
    question: str
    status: str
    at: int
    payouts: tuple[int, int] | None
    proposed: tuple[int, int] | None
    held_yes: int
    held_no: int
    paid_yes: int
    paid_no: int


def resolutions(
    *,
    market: str = "",
    status: str = "",
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[ResolutionLine]:
    """What was said of outcomes, the latest first."""
    found = outcomes.outcomes(
        market=market, status=status, since=since, until=until, place=place, limit=limit
    )
    tokens = {token for said in found.rows for token in said.tokens}
    held, paid = _held(tokens), _paid(tokens)
    lines = tuple(_line(said, held, paid) for said in found.rows)
    return Page(lines, found.next, found.previous)


def _held(tokens: Collection[str]) -> Mapping[str, int]:
    rows = Position.objects.filter(account=AccountName.BASE, token__in=tokens)
    return dict(rows.values_list("token").annotate(Sum("size")))


def _paid(tokens: Collection[str]) -> Mapping[str, int]:
    """Shares paid out by token, less those that were taken back."""
    rows = Trade.objects.filter(
        account=AccountName.BASE, token__in=tokens, liquidity=Liquidity.SETTLEMENT
    )
    paid: dict[str, int] = defaultdict(int)
    for token, side, size in rows.values_list("token", "side").annotate(Sum("size")):
        paid[token] += size if side == "sell" else -size
    return paid


def _line(
    said: outcomes.Outcome, held: Mapping[str, int], paid: Mapping[str, int]
) -> ResolutionLine:
    yes, no = said.tokens if len(said.tokens) == 2 else ("", "")
    return ResolutionLine(
        market=said.market,
        question=said.question,
        status=said.status,
        at=said.at,
        payouts=said.payouts,
        proposed=said.proposed,
        held_yes=held.get(yes, 0),
        held_no=held.get(no, 0),
        paid_yes=paid.get(yes, 0),
        paid_no=paid.get(no, 0),
    )
