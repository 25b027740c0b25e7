"""Every movement of money and shares as a journal entry of pairwise postings."""

from execution.core.types import (
    CASH_ASSET,
    Fill,
    JournalEntry,
    LedgerKey,
    Operation,
    Order,
    Portfolio,
    Posting,
    Side,
)
from markets.core.sets import Exchanged
from strategies.core.types import digest

CASH, CAPITAL, RESERVED, POSITION, TRADING, FEES, REBATES, OWED, ARCHIVED = (
    "CASH",
    "CAPITAL",
    "RESERVED",
    "POSITION",
    "TRADING",
    "FEES",
    "REBATES",
    "OWED",
    "ARCHIVED",
)


Move = tuple[LedgerKey, LedgerKey, int]
"""(debit, credit, amount)."""


def _cash(account: str) -> LedgerKey:
    return LedgerKey(account, "", CASH, CASH_ASSET)


def _owed(account: str) -> LedgerKey:
    return LedgerKey(account, "", OWED, CASH_ASSET)


def _key(of: Order | Fill | Operation, kind: str, asset: str) -> LedgerKey:
    return LedgerKey(of.account, of.strategy, kind, asset)


def _postings(*moves: Move) -> tuple[Posting, ...]:
    return tuple(Posting(debit, credit, amount) for debit, credit, amount in moves if amount)


def deposit(account: str, amount: int, at: int, cause: str) -> JournalEntry:
    """Capital paid in (or out, when `amount` is negative)."""
    cash, capital = _cash(account), LedgerKey(account, "", CAPITAL, CASH_ASSET)
    move = (cash, capital, amount) if amount > 0 else (capital, cash, -amount)
    kind = "deposit" if amount > 0 else "withdraw"
    return JournalEntry(digest(kind, account, cause), account, kind, cause, at, _postings(move))


def reserve(order: Order) -> JournalEntry:
    """What a new order holds back: cash for a buy, shares for a sell."""
    if order.side is Side.BUY:
        move = (_key(order, RESERVED, CASH_ASSET), _cash(order.account), order.reserved)
    else:
        shares = (_key(order, RESERVED, order.token), _key(order, POSITION, order.token))
        move = (*shares, order.reserved)
    return JournalEntry(
        digest("reserve", order.id), order.account, "reserve", order.id, order.placed_at,
        _postings(move),
    )  # fmt: skip


def release(order: Order, amount: int, at: int) -> JournalEntry:
    """What an order that ended gives back."""
    if order.side is Side.BUY:
        move = (_cash(order.account), _key(order, RESERVED, CASH_ASSET), amount)
    else:
        shares = (_key(order, POSITION, order.token), _key(order, RESERVED, order.token))
        move = (*shares, amount)
    return JournalEntry(
        digest("release", order.id), order.account, "release", order.id, at, _postings(move)
    )


def fill(fill: Fill) -> JournalEntry:
    """One fill: cash against shares through TRADING, and the fee on its own line."""
    trading, traded = _key(fill, TRADING, CASH_ASSET), _key(fill, TRADING, fill.token)
    fees = _key(fill, FEES, CASH_ASSET)
    if fill.side is Side.BUY:
        held = _key(fill, RESERVED, CASH_ASSET)
        moves = (
            (trading, held, fill.notional),
            (_key(fill, POSITION, fill.token), traded, fill.size),
            (fees, held, fill.fee),
        )
    else:
        cash = _cash(fill.account)
        moves = (
            (traded, _key(fill, RESERVED, fill.token), fill.size),
            (cash, trading, fill.notional),
            (fees, cash, fill.fee),
        )
    return JournalEntry(
        digest("fill", fill.id), fill.account, "fill", fill.id, fill.at, _postings(*moves)
    )


def archive(closed: Portfolio, at: int, cause: str) -> JournalEntry:
    """An era's end: its cash goes back to capital, its shares and every total are put away.

    CASH, CAPITAL, TRADING, FEES, REBATES and OWED of the account stand at nothing afterwards.
    `closed` has no open orders and no operations.
    """
    name = closed.account
    away, capital = _shared(name, ARCHIVED), _shared(name, CAPITAL)
    traded = closed.deposits + closed.rebates + closed.owed - closed.cash - closed.fees
    moves = [
        _signed(capital, _cash(name), closed.cash),
        _signed(capital, away, closed.deposits - closed.cash),
        _signed(away, _shared(name, FEES), closed.fees),
        _signed(away, _shared(name, TRADING), traded),
        _signed(_shared(name, REBATES), away, closed.rebates),
        _signed(_owed(name), away, closed.owed),
    ]
    for (strategy, token), held in sorted(closed.positions.items()):
        kept, put_away = (LedgerKey(name, strategy, k, token) for k in (POSITION, ARCHIVED))
        moves.append((put_away, kept, held.size))
    return JournalEntry(
        digest("archive", name, cause), name, "archive", cause, at, _postings(*moves)
    )


def taken_over(before: Portfolio, after: Portfolio, at: int, cause: str) -> JournalEntry:
    """What makes an account equal to an imported one, all of it against CAPITAL."""
    name = after.account
    capital = _shared(name, CAPITAL)
    cash, fees = after.cash - before.cash, after.fees - before.fees
    deposits, rebates = after.deposits - before.deposits, after.rebates - before.rebates
    owed = after.owed - before.owed
    moves = [
        _signed(_cash(name), capital, cash),
        _signed(_shared(name, FEES), capital, fees),
        _signed(_shared(name, TRADING), capital, deposits + rebates + owed - cash - fees),
        _signed(capital, _shared(name, REBATES), rebates),
        _signed(capital, _owed(name), owed),
    ]
    for strategy, token in sorted({*before.positions, *after.positions}):
        kept = LedgerKey(name, strategy, POSITION, token)
        size = _size(after, strategy, token) - _size(before, strategy, token)
        moves.append(_signed(kept, LedgerKey(name, "", CAPITAL, token), size))
    return JournalEntry(digest("import", name, cause), name, "import", cause, at, _postings(*moves))


def _shared(account: str, kind: str) -> LedgerKey:
    return LedgerKey(account, "", kind, CASH_ASSET)


def _signed(debit: LedgerKey, credit: LedgerKey, amount: int) -> Move:
    """A move of `amount`, the other way round where it is negative."""
    return (debit, credit, amount) if amount >= 0 else (credit, debit, -amount)


def _size(account: Portfolio, strategy: str, token: str) -> int:
    held = account.positions.get((strategy, token))
    return held.size if held else 0


def settle(fill: Fill) -> JournalEntry:
    """A resolved holding turned into its payout, which may be nothing."""
    moves = (
        (_key(fill, TRADING, fill.token), _key(fill, POSITION, fill.token), fill.size),
        (_cash(fill.account), _key(fill, TRADING, CASH_ASSET), fill.notional),
    )
    return JournalEntry(
        digest("settle", fill.id), fill.account, "settle", fill.id, fill.at, _postings(*moves)
    )


def reverse(fill: Fill, settled: str, owed: int) -> JournalEntry:
    """The settlement with the fill id `settled` undone: shares back, cash out, the rest owed."""
    trading = _key(fill, TRADING, CASH_ASSET)
    moves = (
        (_key(fill, POSITION, fill.token), _key(fill, TRADING, fill.token), fill.size),
        (trading, _cash(fill.account), fill.notional - owed),
        (trading, _owed(fill.account), owed),
    )
    return JournalEntry(
        digest("reverse", fill.id), fill.account, "reverse", settled, fill.at, _postings(*moves)
    )


def repay(account: str, amount: int, at: int) -> JournalEntry:
    """Cash that makes up for payouts taken back when there was not enough of it."""
    id = digest("repay", account, at)
    move = (_owed(account), _cash(account), amount)
    return JournalEntry(id, account, "repay", "owed", at, _postings(move))


def set_aside(operation: Operation) -> JournalEntry:
    """What an operation takes, put where nothing else can use it."""
    return _entry("set aside", operation, operation.placed_at, _aside(operation))


def unset_aside(operation: Operation, at: int) -> JournalEntry:
    """What an operation that was given up returns."""
    back = tuple((credit, debit, amount) for debit, credit, amount in _aside(operation))
    return _entry("returned", operation, at, back)


def operation(operation: Operation, exchanged: Exchanged, at: int) -> JournalEntry:
    """Shares and cash turned into each other through TRADING."""
    moves = []
    for token, change in sorted(exchanged.shares.items()):
        trading = _key(operation, TRADING, token)
        kind = RESERVED if change < 0 else POSITION
        held = _key(operation, kind, token)
        moves.append((trading, held, -change) if change < 0 else (held, trading, change))
    trading = _key(operation, TRADING, CASH_ASSET)
    if exchanged.cash < 0:
        moves.append((trading, _key(operation, RESERVED, CASH_ASSET), -exchanged.cash))
    else:
        moves.append((_cash(operation.account), trading, exchanged.cash))
    return _entry(operation.kind, operation, at, tuple(moves))


def rebate(account: str, market: str, day: int, amount: int, at: int) -> JournalEntry:
    """A day's maker rebate of one market, on its own line."""
    move = (_cash(account), LedgerKey(account, "", REBATES, CASH_ASSET), amount)
    cause = f"{market} day {day}"
    return JournalEntry(
        digest("rebate", account, cause), account, "rebate", cause, at, _postings(move)
    )


def _aside(operation: Operation) -> tuple[Move, ...]:
    cash = (
        _key(operation, RESERVED, CASH_ASSET), _cash(operation.account), operation.reserved
    )  # fmt: skip
    shares = (
        (_key(operation, RESERVED, token), _key(operation, POSITION, token), operation.size)
        for token in operation.given
    )
    return (cash, *shares)


def _entry(kind: str, of: Operation, at: int, moves: tuple[Move, ...]) -> JournalEntry:
    return JournalEntry(digest(kind, of.id), of.account, kind, of.id, at, _postings(*moves))
