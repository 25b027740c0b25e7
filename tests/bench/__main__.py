"""Prints what each piece costs: `python -m tests.bench [WORD ...]` (only pieces with that word).

Sections have a word of their own: `stages` is the demo's fast-forward through collect and desk,
`collect` goes from the exchange's bytes to stored ticks. `archive` and `opinions` (every strategy
over 5,000 markets) run only when asked for: they take some minutes.
"""

import os
import platform
import sys

import numpy as np

from tests.bench import archive, collection, opinions, stages
from tests.bench.clock import Cost, measure, reference
from tests.bench.pieces import PIECES

SECTIONS = (
    ("collect", "From the exchange's bytes to stored ticks:", collection.figures),
    ("stages", "The demo's fast-forward, collect and desk on SQLite:", stages.fast_forward),
)
"""(word, heading, what gives the lines); the last one leaves Django set up on its database."""

ALONE = (("archive", archive.run), ("opinions", opinions.figures))
"""Takes minutes, so only when asked for."""

HEADER = f"{'piece':44} {'us':>12} {'ratio':>10} {'a second':>12}"


def line(name: str, cost: Cost, unit: float) -> str:
    """One row: microseconds of CPU, ratio to the reference loop, how many a CPU-second."""
    micros, ratio, rate = cost.seconds * 1e6, cost.seconds / unit, 1 / cost.seconds
    return f"{name:44} {micros:12.1f} {ratio:10.3f} {rate:12,.0f}"


def main(words: list[str]) -> int:
    """Measure the chosen pieces, each beside a fresh reading of the reference loop."""
    chosen = [piece for piece in PIECES if not words or any(w in piece.name for w in words)]
    sections = [section for section in SECTIONS if not words or section[0] in words]
    for word, figures in ALONE:
        if word in words:
            print(figures())
            return 0
    if not chosen and not sections:
        print(f"No piece has {' or '.join(words)} in its name.", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}, "
          f"{os.cpu_count()} CPUs")  # fmt: skip
    print("CPU time, best of several runs. ratio: to a loop of 10,000 additions in Python.\n")
    print(HEADER)
    for piece in chosen:
        unit = reference().seconds
        print(line(piece.name, measure(piece.build(), each=piece.each), unit), flush=True)
    for _, heading, lines in sections:
        print(f"\n{heading}")
        print(lines(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
