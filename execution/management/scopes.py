"""What a decision on the command line is about: scopes and amounts."""

from argparse import ArgumentTypeError

from markets.core.amounts import parse
from strategies.library import REGISTRY


def scope(text: str) -> str:
    """ "all", "strategy:<known name>" or "market:<id>"; anything else is refused."""
    return _scope(text, "")


def close_scope(text: str) -> str:
    """As `scope`, or "token:<id>"."""
    return _scope(text, "token")


def cancel_scope(text: str) -> str:
    """As `scope`, or "order:<id>"."""
    return _scope(text, "order")


def dollars(text: str) -> int:
    """A decimal number of dollars above 0, as micro-dollars."""
    try:
        amount = parse(text)
    except ValueError:
        amount = 0
    if amount <= 0:
        raise ArgumentTypeError(
            f"{text!r} is not an amount: give dollars above 0 with at most 6 places, such as 250.50"
        )
    return amount


def _scope(text: str, finest: str) -> str:
    kind, _, name = text.partition(":")
    if text == "all" or (name and kind in ("market", finest)):
        return text
    if kind == "strategy" and name in REGISTRY:
        return text
    if kind == "strategy":
        raise ArgumentTypeError(f"no strategy is named {name!r}; there are {', '.join(REGISTRY)}")
    forms = ["all", "strategy:NAME", "market:ID", *([f"{finest}:ID"] if finest else [])]
    raise ArgumentTypeError(f"{text!r} is not a scope: give {', '.join(forms[:-1])} or {forms[-1]}")
