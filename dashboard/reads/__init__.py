"""Neighbours' selectors composed into what a page, an endpoint or a command shows."""

from typing import Any


def status() -> dict[str, Any]:
    """What /api/status answers now, in plain values."""
    # Imported when asked: this package is also where its own modules are looked up.
    from dashboard import serializers
    from dashboard.reads import clock, state

    return dict(serializers.Status(state.read_status(clock.now())).data)
