"""Rows of what the exchange showed us; private to this app, neighbours use the selectors."""

from markets.models.facts import Anomaly, Cursor, Feed, Gap, Print, Resolution, Stint
from markets.models.listing import (
    Event,
    Market,
    PastImport,
    Pin,
    Sync,
    Terms,
    Token,
    Universe,
    Wish,
)
from markets.models.ticks import ArchiveFile, Bar, Latest, SealedDay, Snapshot, Tick

__all__ = [
    "Anomaly",
    "ArchiveFile",
    "Bar",
    "Cursor",
    "Event",
    "Feed",
    "Gap",
    "Latest",
    "Market",
    "PastImport",
    "Pin",
    "Print",
    "Resolution",
    "SealedDay",
    "Snapshot",
    "Stint",
    "Sync",
    "Terms",
    "Tick",
    "Token",
    "Universe",
    "Wish",
]
