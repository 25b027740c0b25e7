"""Recorded-shape payloads: our own small ones, and the shared collection where it is present."""

from pathlib import Path
from typing import Any

import pytest

from markets.sources import wire

OWN = Path(__file__).parents[1] / "data" / "polymarket"


def own(name: str) -> Any:
    """One of the project's payloads, read as the transport reads a reply."""
    return wire.decode((OWN / f"{name}.json").read_bytes())


def shared(name: str) -> Any:
    """A payload of the collection beside the project; skips the test where there is none."""
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "polymarket" / "payloads" / f"{name}.json"
        if found.is_file():
            return wire.decode(found.read_bytes())
    pytest.skip("the shared payload collection is not beside this checkout")
