"""What happened, said in one line of plain text."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Fields = Mapping[str, Any]

ONE = 1_000_000


def text(kind: str, fields: Fields) -> str:
    """One line for people; a kind nobody has words for is still told, field by field."""
    say = KINDS.get(kind)
    try:
        return say(fields) if say else _plain(kind, fields)
    except (KeyError, TypeError, ValueError):
        return _plain(kind, fields)


def dollars(micro: int, *, signed: bool = False) -> str:
    """Micro-dollars as people write them, to the cent, half a cent away from zero: -$1,234.50."""
    cents = (abs(micro) + 5_000) // 10_000
    sign = "-" if micro < 0 and cents else "+" if signed else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def decimal(micro: int) -> str:
    """A price, a size or a fee exactly, without needless zeros: 0.41, 25, 0.0123."""
    exact = f"{Decimal(micro) / ONE:,.6f}"
    return exact.rstrip("0").rstrip(".")


def _trade(fields: Fields) -> str:
    verb = "Bought" if fields["side"] == "buy" else "Sold"
    said = f"{verb} {_holding(fields)} at {decimal(fields['price'])}, fee ${decimal(fields['fee'])}"
    return f"{said}{_result(fields) if verb == 'Sold' else ''} ({fields['strategy']})"


def _settlement(fields: Fields) -> str:
    paid = f"Settled {_holding(fields)}: pays {decimal(fields['price'])} a share"
    return f"{paid}{_result(fields)} ({fields['strategy']})"


def _correction(fields: Fields) -> str:
    taken = f"Taken back: {_holding(fields)} had been paid {decimal(fields['price'])} a share"
    return f"{taken}{_result(fields)} ({fields['strategy']})"


def _halt(fields: Fields) -> str:
    return f"Trading halted ({_scope(fields)}) by {fields['who']}: {fields['why']}"


def _resume(fields: Fields) -> str:
    return f"Trading resumed ({_scope(fields)}) by {fields['who']}: {fields['why']}"


def _ledger_mismatch(fields: Fields) -> str:
    faults = fields["faults"]
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"Accounts and ledger do not agree, nothing new is ordered: {faults[0]}{more}"


def _limit_breached(fields: Fields) -> str:
    limit = str(fields["limit"]).replace("_", " ")
    return f"Limit reached: {limit}, now {fields['value']}; {fields['strategy']} opens nothing"


def _strategy_error(fields: Fields) -> str:
    return f"{fields['strategy']} failed and says nothing until it works again: {fields['error']}"


def _started(fields: Fields) -> str:
    return f"PQAP started: {fields['env']}, market data from {fields['source']}, paper trading"


def _holding(fields: Fields) -> str:
    """How much of which outcome of which question."""
    name = fields.get("question") or fields["market"]
    return f"{decimal(fields['size'])} {fields['outcome']} of {name}"


def _result(fields: Fields) -> str:
    gained = fields.get("realized_pnl")
    return "" if gained is None else f", P&L {dollars(gained, signed=True)}"


def _scope(fields: Fields) -> str:
    """ "all" -> everything, "strategy:x" -> strategy x."""
    scope = str(fields.get("scope") or "all")
    return "everything" if scope == "all" else scope.replace(":", " ", 1)


def _plain(kind: str, fields: Fields) -> str:
    said = ", ".join(f"{name} {value}" for name, value in fields.items())
    return f"{kind.replace('_', ' ')}: {said}" if said else kind.replace("_", " ")


KINDS: Mapping[str, Callable[[Fields], str]] = {
    "trade": _trade,
    "settlement": _settlement,
    "correction": _correction,
    "halt": _halt,
    "resume": _resume,
    "ledger_mismatch": _ledger_mismatch,
    "limit_breached": _limit_breached,
    "strategy_error": _strategy_error,
    "started": _started,
}
"""Every kind of news that has words."""

SWITCHES: Mapping[str, str] = {
    "trade": "trade",
    "settlement": "trade",
    "correction": "trade",
    "limit_breached": "risk",
    "strategy_error": "error",
    "halt": "kill_switch",
    "resume": "kill_switch",
}
"""Which switch of the configuration (`notifications.kinds`) turns a kind off; others always go."""
