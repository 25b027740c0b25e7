"""How soon a program that keeps dying is started again, and when to stop trying."""

WINDOW_SECONDS = 60.0
MOST_CRASHES = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0


class Crashes:
    """Counts one program's crashes within the last minute."""

    def __init__(self, first_pause: float = FIRST_PAUSE_SECONDS) -> None:
        self._first_pause = first_pause
        self._times: list[float] = []

    def add(self, at: float) -> float | None:
        """The pause in seconds before the next start, or None when it is time to give up."""
        self._times = [t for t in self._times if at - t < WINDOW_SECONDS] + [at]
        if len(self._times) > MOST_CRASHES:
            return None
        return min(self._first_pause * 2 ** (len(self._times) - 1), LONGEST_PAUSE_SECONDS)
