"""An account taken over from a file: read, checked, compared with what is there, then decided."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution.core import eras, interchange, state
from execution.core.eras import Imported
from execution.core.interchange import Unreadable
from execution.core.types import ChangeKind, Portfolio, Position
from execution.models import Account, Change
from execution.services import changes, legacyfile, statefile
from markets.core.amounts import plain
from markets.selectors import catalogue

LARGEST_FILE = 20_000_000
"""Bytes; a file of a thousand holdings is one of them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an import would do to one account: each difference and assumption as a sentence.

    `done` says that this very file was taken over before, so that nothing is left to do.
    """

    account: str
    wanted: Imported
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    done: bool


def propose(content: bytes, *, account: str = "base", adjust: bool = False) -> Proposal:
    """Read a file and compare it with an account; raises Unreadable, and changes nothing."""
    document = _parsed(content)
    portfolio, at = _now(account)
    if legacyfile.looks_like(document):
        wanted, notes = _plain_file(document, hashlib.sha256(content).hexdigest(), adjust, at)
    else:
        wanted, notes = _own_file(document, account, adjust)
    return Proposal(
        account,
        wanted,
        tuple(_differences(portfolio, wanted)),
        tuple(notes),
        wanted.sha256 in portfolio.imported or _waits(account, wanted.sha256),
    )


def refuse(proposal: Proposal) -> None:
    """Raise Unreadable where the account is not empty and the import does not adjust."""
    portfolio, _ = _now(proposal.account)
    if not proposal.wanted.adjust and not eras.empty(portfolio):
        raise Unreadable(
            f"account: {proposal.account} holds or has traded; begin a new one with "
            "`account new`, or make it equal to the file with --as-adjustment"
        )


def decide(proposal: Proposal, *, who: str, why: str) -> int:
    """Store the import as a decision for the next tick; its number, 0 where it was done before."""
    if proposal.done:
        return 0
    refuse(proposal)
    return changes.record(
        kind=ChangeKind.IMPORT,
        scope=proposal.account,
        value=proposal.wanted.dump(),
        who=who,
        why=why,
    )


def _parsed(content: bytes) -> Any:
    if len(content) > LARGEST_FILE:
        raise Unreadable(f"file: {len(content)} bytes are too many; {LARGEST_FILE} are allowed")
    try:
        return json.loads(
            content.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number,
            object_pairs_hook=_once,
        )  # fmt: skip
    except Unreadable:
        raise
    except (ValueError, ArithmeticError, RecursionError) as fault:
        raise Unreadable(f"file: it is not JSON in UTF-8: {fault}") from None


def _no_number(name: str) -> Any:
    raise Unreadable(f"file: {name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise Unreadable(f"file: {twice!r} is there twice")
    return found


def _own_file(document: Any, account: str, adjust: bool) -> tuple[Imported, list[str]]:
    if not isinstance(document, dict) or document.get("schema") != statefile.SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise Unreadable(
            f"schema: {found!r} is not known; {statefile.SCHEMA} is, and a plain file with cash"
        )
    said = document.get(statefile.SUM)
    try:
        found = statefile.checksum(document)
    except (TypeError, RecursionError):  # a number with a point, or nothing of ours
        found = ""
    if said != found:
        raise Unreadable(f"{statefile.SUM}: {said!r} is not the checksum of the file's content")
    accounts = document.get("accounts")
    held = accounts.get(account) if isinstance(accounts, dict) else None
    if not isinstance(held, dict):
        raise Unreadable(f"accounts: there is no account {account!r} in the file")
    return _one_account(held, account, str(said), adjust)


def _one_account(
    document: Mapping[str, Any], account: str, sha256: str, adjust: bool
) -> tuple[Imported, list[str]]:
    figures = interchange.figures(document, account)
    listed, orders = (_list(document, name, account) for name in ("positions", "open_orders"))
    positions = [
        interchange.holding(entry if isinstance(entry, dict) else {}, f"{account}.positions[{n}]")
        for n, entry in enumerate(listed)
    ]
    _check_tokens(positions, account)
    notes = []
    if orders:
        notes.append(f"{len(orders)} open orders are not taken over; what they reserve is cash")
    if figures["owed"]:
        notes.append(f"a debt of {plain(figures['owed'])} is not taken over: it counts as paid in")
    cash = figures["cash"] + figures["reserved"]
    return _wanted(cash, positions, sha256, adjust, **_won(figures)), notes


def _list(document: Mapping[str, Any], name: str, account: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise Unreadable(f"{account}.{name}: {value!r} is not allowed; it must be a list")
    return value


def _won(figures: Mapping[str, int]) -> dict[str, int]:
    return {name: figures[name] for name in ("realized", "fees", "rebates")}


def _plain_file(
    document: Mapping[str, Any], sha256: str, adjust: bool, at: int
) -> tuple[Imported, list[str]]:
    legacy = legacyfile.read(document, at)
    cost = sum(held.cost for held in legacy.positions)
    realized = 0
    if legacy.deposits is not None:
        realized = legacy.cash + cost - legacy.deposits
    wanted = _wanted(legacy.cash, legacy.positions, sha256, adjust, realized=realized)
    return wanted, legacy.notes


def _wanted(
    cash: int,
    positions: list[Position],
    sha256: str,
    adjust: bool,
    *,
    realized: int,
    fees: int = 0,
    rebates: int = 0,
) -> Imported:
    """Cash and cost that no profit explains were paid in."""
    if min(cash, fees, rebates) < 0:
        raise Unreadable(f"cash: {plain(cash)} with fees of {plain(fees)}; 0 or more are allowed")
    keys = [(held.strategy, held.token) for held in positions]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise Unreadable(f"positions: {twice[0]} holds token {twice[1]} twice")
    deposits = cash + sum(held.cost for held in positions) - realized - rebates
    ordered = sorted(positions, key=lambda held: (held.strategy, held.token))
    return Imported(sha256, adjust, cash, deposits, realized, fees, rebates, tuple(ordered))


def _check_tokens(positions: list[Position], account: str) -> None:
    """Every token must be one the catalogue knows, and belong where the file says."""
    known = catalogue.outcomes(held.token for held in positions)
    for number, held in enumerate(positions):
        where, found = f"{account}.positions[{number}]", known.get(held.token)
        if found is None:
            raise Unreadable(
                f"{where}.token: the catalogue knows no token {held.token!r}; "
                "track its market first"
            )
        if (found.market, found.index) != (held.market, held.index):
            raise Unreadable(f"{where}.market: token {held.token} belongs to {found.market}")


def _now(account: str) -> tuple[Portfolio, int]:
    row = Account.objects.filter(name=account).first()
    if row is None:
        names = ", ".join(sorted(Account.objects.values_list("name", flat=True)))
        raise Unreadable(f"account: {account!r} is not open; there are {names or 'none yet'}")
    return state.load(row.state), row.marked_at


def _waits(account: str, sha256: str) -> bool:
    rows = Change.objects.filter(kind=ChangeKind.IMPORT, scope=account, applied_tick=None)
    return any(
        Imported.load(value).sha256 == sha256 for value in rows.values_list("value", flat=True)
    )


def _differences(now: Portfolio, wanted: Imported) -> list[str]:
    """Each figure and holding that the import would change."""
    shown = []
    for name in ("cash", "deposits", "realized", "fees", "rebates"):
        before, after = getattr(now, name), getattr(wanted, name)
        if name == "cash":
            before += now.reserved
        if before != after:
            shown.append(f"{name}: {plain(before)} -> {plain(after)}")
    then = {(held.strategy, held.token): held for held in wanted.positions}
    for key in sorted({*now.positions, *then}):
        before, after = _shares(now.positions.get(key)), _shares(then.get(key))
        if before != after:
            held = then.get(key) or now.positions[key]
            shown.append(f"{key[0]}: {held.outcome} of {held.market}: {before} -> {after}")
    return shown


def _shares(held: Position | None) -> str:
    return f"{plain(held.size)} for {plain(held.cost)}" if held else "nothing"
