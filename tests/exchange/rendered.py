"""A `/books` server that costs little itself: each book is one stamp put into bytes made before.

`python -m tests.exchange.rendered --markets 20000` runs it in a process of its own, so that what
is measured in the reader is the reader's. `GET /step` moves the world on: one market in `--every`
changes its book and gets a new time and hash.
"""

import argparse
import contextlib
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BORN = 1_790_000_000_000
LEVELS = (2, 60)
"""Levels a side: recorded books hold 2 to 136, both sides together 40 to 140."""


def condition(index: int) -> str:
    return f"0x{index + 1:064x}"


def token(index: int, side: int) -> str:
    return str(10**76 + 2 * index + side)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A token's book as bytes on either side of its time and hash; `head` ends before the time."""

    head: bytes
    tail: bytes

    def at(self, stamp: int) -> bytes:
        """The book as of `stamp` (ms UTC), with the hash the exchange would give it."""
        start = self.head + b"%d" % stamp + b'","hash":"'
        return start + hashlib.sha1(start + self.tail).hexdigest().encode() + self.tail


def sheet(index: int, side: int, version: int) -> Sheet:
    """One token's book; the two sides mirror each other, the two versions differ in some levels."""
    luck = random.Random(index)
    bid = luck.randint(100, 900)
    depth = luck.randint(*LEVELS), luck.randint(*LEVELS)
    sizes = [luck.randint(500, 5_000_000) for _ in range(sum(depth))]
    sizes[0] += version
    sizes[depth[0]] += 100 * version
    bids = [(bid - n, sizes[n]) for n in range(depth[0])]
    asks = [(bid + 1 + n, sizes[depth[0] + n]) for n in range(depth[1])]
    if side:
        bids, asks = [(1000 - p, s) for p, s in asks], [(1000 - p, s) for p, s in bids]
    head = f'{{"market":"{condition(index)}","asset_id":"{token(index, side)}","timestamp":"'
    rest = (
        f'","bids":[{_levels(bids)}],"asks":[{_levels(asks)}],"min_order_size":"5",'
        '"tick_size":"0.001","neg_risk":false,"last_trade_price":"0.5"}'
    )
    return Sheet(head.encode(), rest.encode())


def _levels(levels: list[tuple[int, int]]) -> str:
    """Worst first, prices in thousandths, sizes in hundredths of a share."""
    rows = [
        f'{{"price":"{_short(price, 3)}","size":"{_short(size, 2)}"}}'
        for price, size in reversed(levels)
    ]
    return ",".join(rows)


def _short(units: int, places: int) -> str:
    whole, part = divmod(units, 10**places)
    return f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")


class Shelf:
    """Every market's books, and how often each has changed by now."""

    def __init__(self, markets: int, every: int) -> None:
        self.every, self.steps = every, 0
        self.sheets = {
            token(index, side): (index, [sheet(index, side, version) for version in (0, 1)])
            for index in range(markets)
            for side in (0, 1)
        }

    def book(self, name: str) -> bytes | None:
        found = self.sheets.get(name)
        if found is None:
            return None
        index, versions = found
        changes = (self.steps + index % self.every) // self.every
        return versions[changes % 2].at(BORN + 1000 * changes)


def _handler(shelf: Shelf, delay: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            shelf.steps += 1
            self.answer(b"{}")

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            books = (shelf.book(entry["token_id"]) for entry in asked)
            body = b"[" + b",".join(book for book in books if book) + b"]"
            time.sleep(delay)
            self.answer(body)

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def running(markets: int, *, every: int = 5, delay: float = 0.0) -> Iterator[str]:
    """The address of such a server in a process of its own; `delay` seconds before each reply."""
    sizes = ["--markets", str(markets), "--every", str(every), "--delay", str(delay)]
    command = [sys.executable, "-m", "tests.exchange.rendered", *sizes]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange.rendered", description=__doc__)
    parser.add_argument("--markets", type=int, default=1_000)
    parser.add_argument("--every", type=int, default=5, help="one market in this many changes")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each reply")
    given = parser.parse_args()
    shelf = Shelf(given.markets, given.every)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shelf, given.delay))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
