"""A progress bar for a terminal; a few plain lines where there is none."""

import time
from typing import Any, TextIO

WIDTH = 30
LINE_SECONDS = 5.0


class Bar:
    """Called with (done, total); draws at most ten times a second, and nothing if never called."""

    def __init__(self, stream: TextIO, label: str) -> None:
        self._stream = stream
        self._label = label
        self._terminal = stream.isatty()
        self._drawn_at = 0.0
        self._last: tuple[int, int] | None = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._last is not None:
            self._draw(*self._last)
            self._stream.write("\n" if self._terminal else "")

    def __call__(self, done: int, total: int) -> None:
        """Note how far it is, and show it if it is time to."""
        self._last = (done, total)
        pause = 0.1 if self._terminal else LINE_SECONDS
        if time.monotonic() - self._drawn_at >= pause:
            self._draw(done, total)

    def _draw(self, done: int, total: int) -> None:
        self._drawn_at = time.monotonic()
        full = WIDTH * done // total if total else WIDTH
        bar = f"{self._label} [{'#' * full}{'.' * (WIDTH - full)}] {done}/{total}"
        self._stream.write(f"\r{bar}" if self._terminal else f"{bar}\n")
        self._stream.flush()
