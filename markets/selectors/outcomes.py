"""What exchanges said of outcomes, as values for pages, API and neighbours."""

from dataclasses import dataclass

from markets.models import Resolution, Token
from markets.selectors.conditions import between, given
from markets.selectors.keyset import Page, Place, page


@dataclass(frozen=True, slots=True)
class Outcome:
    """One statement on one market: `payouts` and `proposed` are (YES, NO) micro-dollars a share.

    `at` is when it was made (ms UTC), `tick` the tick that brought it; `tokens` are YES and NO.
    """

    market: str
    question: str
    status: str
    at: int
    tick: int
    payouts: tuple[int, int] | None
    proposed: tuple[int, int] | None
    tokens: tuple[str, ...]


def outcomes(
    *,
    market: str = "",
    status: str = "",
    since: int | None = None,
    until: int | None = None,
    place: Place | None = None,
    limit: int = 100,
) -> Page[Outcome]:
    """Statements, the latest first."""
    rows = Resolution.objects.select_related("market").filter(
        given(market__condition_id=market, status=status), between("at", since, until)
    )
    return page(rows, _outcomes, by=("at", "id"), place=place, limit=limit)


def _outcomes(found: list[Resolution]) -> list[Outcome]:
    tokens: dict[int, tuple[str, ...]] = {}
    markets = {row.market_id for row in found}
    for token in Token.objects.filter(market__in=markets).order_by("market_id", "index"):
        tokens[token.market_id] = (*tokens.get(token.market_id, ()), token.token_id)
    return [
        Outcome(
            market=row.market.condition_id,
            question=row.market.question,
            status=row.status,
            at=row.at,
            tick=row.tick_id,
            payouts=_pair(row.yes_payout, row.no_payout),
            proposed=_pair(row.yes_proposed, row.no_proposed),
            tokens=tokens.get(row.market_id, ()),
        )
        for row in found
    ]


def _pair(yes: int | None, no: int | None) -> tuple[int, int] | None:
    return None if yes is None or no is None else (yes, no)
