"""What a halt or resume on the command line is about."""

from argparse import ArgumentTypeError

from strategies.library import REGISTRY


def scope(text: str) -> str:
    """ "all", "strategy:<known name>" or "market:<id>"; anything else is refused."""
    if text == "all":
        return text
    kind, _, name = text.partition(":")
    if kind == "market" and name:
        return text
    if kind == "strategy" and name in REGISTRY:
        return text
    if kind == "strategy":
        raise ArgumentTypeError(f"no strategy is named {name!r}; there are {', '.join(REGISTRY)}")
    raise ArgumentTypeError(f"{text!r} is not a scope: give all, strategy:NAME or market:ID")
