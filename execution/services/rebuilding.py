"""What is shown of the books, computed again from postings and trades, and put right."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Min, Sum

from execution.core import state
from execution.core.types import CASH_ASSET, Portfolio, Side
from execution.core.types import Position as Held
from execution.models import Account, LedgerAccount, Position, Posting, Trade, guards
from execution.services import projections
from markets import stages

STAGE = "desk"
UNTRADED = ("import", "archive")
"""Kinds of booking that no trade tells of: there the desk's own state is the only witness."""

Holder = tuple[str, str, str]
"""(account, strategy, token)."""
Balances = Mapping[tuple[str, str, str, str], int]
"""(account, strategy, kind, asset) -> debits less credits."""


@dataclass(slots=True)
class _Bought:
    """What one holder's trades of a token come to: shares, what they cost, and since when."""

    market: str
    outcome: str
    size: int = 0
    cost: int = 0
    fair_cost: int = 0
    opened_at: int = 0


def rebuild() -> list[str]:
    """Make ledger totals, accounts' figures and positions what postings and trades say.

    Returns what differed, one sentence each; nothing is written where nothing did. The desk cannot
    commit meanwhile; raises Overtaken when it has just done so. High-water marks and the day's
    opening equity follow from marks, which are no facts, and stay as they are.
    """
    position = stages.position(STAGE)
    with stages.advance(STAGE, from_=position, to=position):
        totals = _put_totals_right()
        balances, desk = _balances(), _desk()
        positions = _put_positions_right(balances, desk)
        return [*totals, *positions, *_put_accounts_right(balances, desk)]


def _put_totals_right() -> list[str]:
    """The guards let totals only grow, so they step aside for the rows that are wrong."""
    debits, credits = _sums("debit"), _sums("credit")
    found, wrong = [], []
    for row in LedgerAccount.objects.order_by("pk"):
        for side, sums in (("debits", debits), ("credits", credits)):
            kept, right = getattr(row, side), sums.get(row.pk, 0)
            if kept != right:
                found.append(f"{row} had {side} of {kept}, its postings make {right}")
                setattr(row, side, right)
                wrong.append(row)
    if wrong:
        guards.drop(connection)
        LedgerAccount.objects.bulk_update(wrong, ["debits", "credits"])
        guards.install(connection)
    return found


def _sums(side: str) -> dict[int, int]:
    rows = Posting.objects.values(f"{side}_id").annotate(total=Sum("amount"))
    return dict(rows.values_list(f"{side}_id", "total"))


def _balances() -> Balances:
    return {
        (row.account, row.strategy, row.kind, row.asset): row.debits - row.credits
        for row in LedgerAccount.objects.all()
    }


def _desk() -> dict[str, Portfolio]:
    """Each account as the desk will go on from it."""
    return {row.name: state.load(row.state) for row in Account.objects.all()}


def _put_positions_right(balances: Balances, desk: Mapping[str, Portfolio]) -> list[str]:
    """Sizes come from the ledger, costs from trades, marks from the desk's own state."""
    held, bought, besides = _held(balances), _bought(), _besides_trades()
    rows = {(row.account, row.strategy, row.token): row for row in Position.objects.all()}
    found = []
    for key in sorted(set(rows) | set(held)):
        shown, size = rows.get(key), held.get(key, 0)
        what = f"{key[0]}/{key[1]} token {key[2][:12]}"
        if not size and shown:
            found.append(f"{what} was shown with a size of {shown.size} and is not held")
            shown.delete()
        elif size:
            own = desk[key[0]].positions.get(key[1:])
            locked = desk[key[0]].locked
            known = own if key in besides else bought.get(key)
            row = shown or Position(account=key[0], strategy=key[1], token=key[2])
            if known:
                found += _set(row, what, _figures(known, size, own, locked))
            else:
                found.append(f"{what} holds {size}, of which no trade and no desk knows more")
    return found


def _figures(
    known: _Bought | Held, size: int, own: Held | None, locked: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "market": known.market,
        "outcome": known.outcome,
        "size": size,
        "cost": known.cost,
        "fair_cost": known.fair_cost,
        "state": projections.holding_state(own, locked) if own else "",
        "opened_at": own.opened_at if own else known.opened_at,
        "mark": own.mark if own else 0,
        "value": own.value if own else 0,
    }


def _besides_trades() -> set[Holder]:
    """Holders that something else than a trade gave shares or took them from."""
    others = Posting.objects.filter(entry__kind__in=UNTRADED)
    return {
        holder
        for side in ("debit", "credit")
        for holder in others.values_list(f"{side}__account", f"{side}__strategy", "asset")
    }


def _held(balances: Balances) -> dict[Holder, int]:
    """Shares that lie in the ledger, free or reserved for a sale."""
    held: dict[Holder, int] = defaultdict(int)
    for (account, strategy, kind, asset), amount in balances.items():
        if asset != CASH_ASSET and kind in ("POSITION", "RESERVED") and amount:
            held[account, strategy, asset] += amount
    return {key: size for key, size in held.items() if size}


def _bought() -> dict[Holder, _Bought]:
    """Trades in the order they were booked: buys add their cost, sales take their part of it.

    Of a tick's trades operations come first: no entry is theirs alone. A settlement taken back
    returns what the shares had cost.
    """
    kept: dict[Holder, _Bought] = {}
    booked = dict(Posting.objects.values_list("entry__cause").annotate(first=Min("pk")))
    trades = sorted(Trade.objects.all(), key=lambda t: (t.tick_id, booked.get(t.id, 0)))
    for trade in trades:
        key = (trade.account, trade.strategy, trade.token)
        bought = kept.setdefault(key, _Bought(trade.market, trade.outcome))
        if trade.side == Side.BUY:
            if not bought.size:
                bought.cost, bought.fair_cost, bought.opened_at = 0, 0, trade.at
            bought.size += trade.size
            bought.cost += trade.notional + trade.realized_pnl + trade.fee
            bought.fair_cost += trade.fair_value + trade.settlement_gain
        elif bought.size:
            bought.cost -= bought.cost * trade.size // bought.size
            bought.fair_cost -= bought.fair_cost * trade.size // bought.size
            bought.size -= trade.size
    return kept


def _put_accounts_right(balances: Balances, desk: Mapping[str, Portfolio]) -> list[str]:
    values = dict(Position.objects.values_list("account").annotate(total=Sum("value")))
    gains = dict(Trade.objects.values_list("account").annotate(total=Sum("realized_pnl")))
    besides = {account for account, _, _ in _besides_trades()}
    found = []
    for row in Account.objects.order_by("name"):
        figures = dict(_money(row.name, balances), realized=gains.get(row.name, 0))
        owed = figures.pop("owed")
        figures["equity"] = figures["cash"] + figures["reserved"] + values.get(row.name, 0) - owed
        if row.name in besides:
            own = desk[row.name]
            figures |= {"realized": own.realized, "equity": own.equity}
        found += _set(row, f"account {row.name}", figures)
    return found


def _money(name: str, balances: Balances) -> Iterator[tuple[str, int]]:
    """What the ledger holds of one account's dollars, by the column that shows it."""
    sums: dict[str, int] = defaultdict(int)
    for (account, _, kind, asset), amount in balances.items():
        if (account, asset) == (name, CASH_ASSET):
            sums[kind] += amount
    yield "cash", sums["CASH"]
    yield "reserved", sums["RESERVED"]
    yield "deposits", -sums["CAPITAL"]
    yield "fees", sums["FEES"]
    yield "rebates", -sums["REBATES"]
    yield "owed", -sums["OWED"]


def _set(row: Any, what: str, figures: dict[str, Any]) -> list[str]:
    """Give a row the right figures; a sentence for each that was another one."""
    new = row.pk is None
    changed = {name: value for name, value in figures.items() if getattr(row, name) != value}
    if not changed:
        return []
    found = []
    for name, value in changed.items():
        found.append(f"{what} had {name} of {getattr(row, name)}, right is {value}")
        setattr(row, name, value)
    row.save()
    return [f"{what} was not shown, {figures['size']} are held"] if new else found
