"""The market WebSocket: messages and books are pure, sockets are apart, one Source joins them."""

from markets.sources.stream.pace import Pace
from markets.sources.stream.source import StreamSource

__all__ = ["Pace", "StreamSource"]
