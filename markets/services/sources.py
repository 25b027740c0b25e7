"""Which source a configuration names, and the one source a worker keeps warm."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from markets import stages
from markets.core.ports import Source
from markets.selectors import feeds as standing
from markets.selectors import ticks
from markets.services import doors
from markets.sources.doors import Door

STATELESS = frozenset({"polymarket"})
"""Sources that say what is now, whoever read before: no checkpoint binds them to a tick."""

WITH_PAST = frozenset({"polymarket"})
"""Sources that can tell prices of a time when nobody asked them."""


@runtime_checkable
class Live(Protocol):
    """A source that talks to the exchange: it can be hurried, held back and asked how it fares."""

    def end_within(self, seconds: float | None) -> None: ...

    def hold(self, until: int) -> None: ...

    def doors(self) -> tuple[Door, ...]: ...


@dataclass(slots=True)
class _Kept:
    """A source, the configuration it was opened for and the tick it has brought last."""

    digest: str
    position: int
    source: Source


_kept: _Kept | None = None
_transport: tuple[tuple[str, ...], Any] | None = None
"""The addresses and the transport of the newest live source: pace, pauses and breakers belong to
the addresses, so they outlive a source that is opened again."""


def open_source(configuration: Any, checkpoint: bytes) -> Source:
    """The source the configuration names, going on from `checkpoint` where it keeps state.

    Each import waits until its source is chosen: the demo needs no HTTP client.
    """
    exchange = configuration.exchange
    if exchange.source == "synthetic":
        from markets.sources.synthetic import SyntheticSource

        return SyntheticSource(seed=configuration.paper.seed, checkpoint=checkpoint)
    if exchange.source == "replay":
        from markets.sources.replay import ReplaySource

        return ReplaySource(exchange.recording, speed=exchange.speed, checkpoint=checkpoint)
    from markets.sources.polymarket import PolymarketSource

    return PolymarketSource(
        gamma_url=exchange.gamma_url,
        clob_url=exchange.clob_url,
        data_url=exchange.data_url,
        depth=configuration.collection.depth_levels,
        transport=transport_to(exchange.gamma_url, exchange.clob_url, exchange.data_url),
    )


def current(configuration: Any, *, within: float | None = None) -> Source:
    """The warm source; one that keeps state is reopened from the newest tick's checkpoint when
    another worker went on.

    A live one is told of pauses other processes were asked for, and ends all it is asked until
    the next call of this function `within` so many seconds (None: each question has its own).
    """
    global _kept
    position = stages.position(ticks.COLLECT)
    if _kept is None or not _usable(_kept, configuration, position):
        forget()
        source = open_source(configuration, ticks.checkpoint(position))
        _kept = _Kept(configuration.digest, position, source)
    source = _kept.source
    heed(source)
    if isinstance(source, Live):
        source.end_within(within)
    return source


def heed(source: Source) -> None:
    """Tell a live source of pauses that other processes were asked for."""
    if isinstance(source, Live):
        source.hold(standing.paused_until())


def report(at: int) -> None:
    """Note how the doors of the warm source stand at `at` (ms UTC), where there is news."""
    if _kept is not None and isinstance(_kept.source, Live):
        doors.note(_kept.source.doors(), at)


def _usable(kept: _Kept, configuration: Any, position: int) -> bool:
    if kept.digest != configuration.digest:
        return False
    return configuration.exchange.source in STATELESS or kept.position == position


def moved(position: int) -> None:
    """Remember that the warm source brought the ticks up to `position`."""
    if _kept is not None:
        _kept.position = position


def forget() -> None:
    """Drop the warm source: its state belongs to ticks that were never stored."""
    global _kept
    kept, _kept = _kept, None
    close = getattr(kept and kept.source, "close", None)
    if close:
        close()


def transport_to(*urls: str) -> Any:
    """The one transport of this process for these addresses."""
    global _transport
    from markets.sources.transport import Transport

    if _transport is None or _transport[0] != urls:
        _transport = (urls, Transport())
    return _transport[1]
