"""A plain state file of somebody else, read with patience: cash, and positions in some form.

Numbers are read exactly as they are written and rounded half-even to a millionth; whatever that
changes, or had to be assumed, is noted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from execution.core.interchange import Unreadable, instant, sound
from execution.core.types import Position
from markets.core.amounts import plain
from markets.core.types import ONE
from markets.selectors import catalogue
from strategies.core.types import Plan
from strategies.library import REGISTRY

CASH = ("cash", "balance", "cash_balance", "available_cash", "current_balance", "current_capital")
CAPITAL = ("initial_capital", "initial_balance", "starting_balance", "starting_capital")
POSITIONS = ("positions", "open_positions", "holdings")
TOKEN = ("token_id", "token", "asset_id", "clob_token_id", "asset")
MARKET = ("condition_id", "market", "market_id")
SIZE = ("size", "shares", "quantity", "amount", "qty")
PRICE = ("avg_price", "average_price", "entry_price", "avg_entry_price", "price")
COST = ("cost", "cost_basis", "total_cost", "invested")
STRANGER = "imported"
"""The strategy of holdings whose own is not known: nobody's, so only a person or the end of the
market closes them."""

KEPT = Plan(max_hold_ms=0, hold_to_resolution=True)


@dataclass(slots=True)
class Legacy:
    """What the file says, micro-units, and everything that had to be changed to say it so."""

    cash: int
    deposits: int | None
    positions: list[Position]
    notes: list[str] = field(default_factory=list)


def looks_like(document: Any) -> bool:
    """Whether this is a plain file and not one of ours."""
    return isinstance(document, dict) and "schema" not in document and bool(_name(document, CASH))


def read(document: Mapping[str, Any], at: int) -> Legacy:
    """The plain file; holdings without a time were opened `at` (ms UTC). Raises Unreadable."""
    notes: list[str] = []
    cash = _micro(document, _name(document, CASH), "", notes)
    capital = _name(document, CAPITAL)
    deposits = _micro(document, capital, "", notes) if capital else None
    found = [_position(*one, at, notes) for one in _listed(document)]
    return Legacy(cash, deposits, [held for held in found if held], notes)


def _listed(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(where, key, entry) of each position, whether they are a list or an object by token."""
    name = _name(document, POSITIONS)
    listed = document[name] if name else []
    if isinstance(listed, list):
        for index, entry in enumerate(listed):
            yield f"{name}[{index}]", "", _object(entry, f"{name}[{index}]")
    elif isinstance(listed, dict):
        for key, entry in listed.items():
            yield f"{name}.{key}", key, _object(entry, f"{name}.{key}")
    else:
        raise Unreadable(f"{name}: {listed!r} is not allowed; it must be a list or an object")


def _object(entry: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise Unreadable(f"{where}: {entry!r} is not allowed; it must be an object")
    return entry


def _position(
    where: str, key: str, entry: Mapping[str, Any], at: int, notes: list[str]
) -> Position | None:
    size = _micro(entry, _required(entry, SIZE, where), where, notes)
    if size < 0:
        raise Unreadable(f"{where}: a size of {size} micro-shares is not allowed; 0 or more is")
    if size == 0:
        notes.append(f"{where}: nothing is held, left out")
        return None
    if not all(sound(str(value)) for value in (key, *entry.values())):
        raise Unreadable(f"{where}: a text in it is no text")
    token = _token(where, key, entry)
    known = catalogue.outcomes([token]).get(token)
    if known is None:
        raise Unreadable(f"{where}: the catalogue knows no token {token!r}; track its market first")
    cost = _cost(where, entry, size, notes)
    strategy = str(entry.get("strategy") or STRANGER)
    if strategy not in REGISTRY and strategy != STRANGER:
        notes.append(f"{where}: no strategy is called {strategy!r}, held as {STRANGER!r}")
        strategy = STRANGER
    notes.append(f"{where}: held to its market's end, opened {instant(at)}")
    return Position(
        strategy, known.market, token, known.outcome, known.index, size, cost, at, KEPT,
        value=cost, fair_cost=cost, event=known.event,
    )  # fmt: skip


def _token(where: str, key: str, entry: Mapping[str, Any]) -> str:
    """The token named in the entry, by its market and outcome, or by the entry's key."""
    name, market = _name(entry, TOKEN), _name(entry, MARKET)
    if name:
        return str(entry[name])
    if market or key:
        outcome = str(entry.get("outcome") or entry.get("side") or "").lower()
        named = str(entry[market]) if market else key
        found = catalogue.tokens(named)
        if found and outcome not in found:
            raise Unreadable(
                f"{where}.outcome: {outcome!r} is not allowed; it must be one of "
                f"{', '.join(sorted(found))}"
            )
        return found.get(outcome, key or named)
    raise Unreadable(f"{where}: it names no token; one of {', '.join(TOKEN)} is needed")


def _cost(where: str, entry: Mapping[str, Any], size: int, notes: list[str]) -> int:
    name = _name(entry, COST)
    if name:
        cost = _micro(entry, name, where, notes)
    else:
        name = _required(entry, PRICE, where)
        exact = _number(entry[name], f"{where}.{name}") * size
        cost = int(exact.to_integral_value(ROUND_HALF_EVEN))
        if cost != exact:
            notes.append(f"{where}: cost {_dollars(exact)} became {plain(cost)}")
    if not 0 <= cost <= size:
        raise Unreadable(f"{where}.{name}: a share costs 0 to 1 dollar, this makes it more")
    return cost


def _name(document: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((name for name in names if document.get(name) is not None), "")


def _required(document: Mapping[str, Any], names: tuple[str, ...], where: str) -> str:
    name = _name(document, names)
    if not name:
        raise Unreadable(f"{where}: one of {', '.join(names)} is needed")
    return name


def _micro(document: Mapping[str, Any], name: str, where: str, notes: list[str]) -> int:
    place = f"{where}.{name}".lstrip(".")
    exact = _number(document[name], place) * ONE
    micro = int(exact.to_integral_value(ROUND_HALF_EVEN))
    if micro != exact:
        notes.append(f"{place}: {_dollars(exact)} became {plain(micro)}")
    return micro


def _dollars(micro: Decimal) -> str:
    return f"{(micro / ONE).normalize():f}"


def _number(value: Any, place: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unreadable(f"{place}: {value!r} is not allowed; it must be a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise Unreadable(f"{place}: {value!r} is not allowed; it must be a number") from None
    if not number.is_finite() or abs(number) >= 10**9 or number.as_tuple().exponent < -40:
        raise Unreadable(f"{place}: {value} is not allowed; it must be below a thousand million")
    return number
