"""The wall clock, read at the edge."""

import time


def now() -> int:
    """Now, in ms UTC."""
    return int(time.time() * 1000)
