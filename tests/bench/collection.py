"""From the exchange's bytes to stored ticks, on a server in another process and real databases.

`python -m tests.bench collect` runs it in a process of its own, for it needs a database.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any

from tests.bench.clock import reference

ROOT = Path(__file__).resolve().parents[2]
EXCHANGE, LARGE = 20_000, 5_000
"""Markets of the whole exchange, and of the largest universe the desk is made for."""

LEVELS = 10
ROUNDS = 4
POLL_MS = 10_000


def figures() -> str:
    """The lines of a run in a process of its own."""
    with TemporaryDirectory(prefix="pqap-bench-") as folder:
        environ = {
            **os.environ,
            "PQAP_DATA": folder,
            "PQAP_CONFIG": str(ROOT / "configs" / "demo.yaml"),
            "DJANGO_SETTINGS_MODULE": "pqap_site.settings",
        }
        command = [sys.executable, "-m", "tests.bench.collection", folder]
        done = subprocess.run(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True
        )
    return done.stdout.rstrip()


def main(folder: Path) -> None:
    """Every figure, each on a fresh database."""
    import django

    django.setup()
    logging.disable(logging.ERROR)
    for every in (1, 5):
        with database(folder / f"exchange-{every}.db"):
            print(whole_exchange(every), flush=True)
    print(in_time(0.1), flush=True)
    with database(folder / "large.db"):
        print(large_tick("SQLite"), flush=True)
    from tests.services import postgresql

    with postgresql() as url, database(url):
        print(large_tick("PostgreSQL"), flush=True)


def whole_exchange(every: int) -> str:
    """Every market's two books over HTTP, checked, assembled and stored; one in `every` changed."""
    from markets.services import collect
    from tests.exchange import rendered

    markets = listed(EXCHANGE)
    with rendered.running(EXCHANGE, every=every) as url, reading(url, seconds=300) as source:
        track(markets)
        cpu, wall = [], []
        for step in range(ROUNDS):
            started, began = process_time(), perf_counter()
            done = collect.collect(source, rendered.BORN + step * POLL_MS)
            cpu.append(process_time() - started)
            wall.append(perf_counter() - began)
            assert (done.ticks, done.anomalies) == (1, 0)
            source.transport.get(source.orderbooks.clob, "/step", {}, within=5)
    best, spent = min(wall[1:]), min(cpu[1:])
    books = 2 * EXCHANGE
    return (
        f"{EXCHANGE:,} markets, 1 in {every} changed, HTTP to SQLite: {books / spent:,.0f} books a "
        f"CPU-second (ratio {spent / books / reference().seconds:.3f} a book), a tick of "
        f"{books:,} books in {best:.1f} s, {EXCHANGE * 60 / best:,.0f} markets a minute"
    )


def in_time(delay: float) -> str:
    """The largest universe on an exchange that thinks before each reply."""
    from tests.exchange import rendered

    tokens = [token.id for market in listed(LARGE) for token in market.tokens]
    with rendered.running(LARGE, every=1, delay=delay) as url, reading(url) as source:
        wall, least = [], len(tokens)
        for _ in range(3):
            began = perf_counter()
            least = min(least, len(source.books(tokens, rendered.BORN)))
            wall.append(perf_counter() - began)
            source.transport.get(source.orderbooks.clob, "/step", {}, within=5)
    return (
        f"{LARGE:,} markets, each reply {delay * 1000:.0f} ms late, every book changed: "
        f"{least:,} of {len(tokens):,} books at least, "
        f"in {min(wall):.1f} to {max(wall):.1f} s of an 8 s cycle"
    )


def large_tick(name: str) -> str:
    """Storing one tick of the largest universe, and reading the newest quotes."""
    from markets.selectors import latest
    from markets.services import collect
    from tests.bench import worlds
    from tests.exchange.rendered import BORN

    told = track(listed(LARGE, tick_size=10_000))
    written, fresh = Timed(collect, "_store"), list[float]()
    with written:
        for step in range(ROUNDS + 2):
            at = BORN + (step + 1) * POLL_MS
            tell(told, step, at, worlds.book)
            assert collect.collect(told, at).ticks == 1
            fresh.append(elapsed(latest.quotes))
    reads = [elapsed(latest.quotes) for _ in range(30)]
    return (
        f"a {LARGE:,}-market tick on {name}, every book changed: stored in "
        f"{1000 * min(written.wall[1:]):.0f} ms ({1000 * min(written.cpu[1:]):.0f} ms of our CPU), "
        f"at worst {1000 * max(written.wall):.0f} ms; newest quotes of all in "
        f"{1000 * min(reads):.1f} ms, median {1000 * sorted(reads)[15]:.1f} ms, right after a tick "
        f"{1000 * min(fresh[1:]):.1f} to {1000 * max(fresh[1:]):.1f} ms"
    )


class Timed:
    """Wall and CPU seconds of each call of a module's function, while entered."""

    def __init__(self, module: Any, name: str) -> None:
        self.module, self.name, self.work = module, name, getattr(module, name)
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def __enter__(self) -> None:
        setattr(self.module, self.name, self._timed)

    def __exit__(self, *_: object) -> None:
        setattr(self.module, self.name, self.work)

    def _timed(self, *given: Any) -> Any:
        began, started = perf_counter(), process_time()
        found = self.work(*given)
        self.wall.append(perf_counter() - began)
        self.cpu.append(process_time() - started)
        return found


def elapsed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def listed(count: int, tick_size: int = 1_000) -> list[Any]:
    """Markets as the rendered exchange has them."""
    from markets.core.types import Event, FeeSchedule, Market, Terms, Token
    from tests.bench.worlds import BAR_MS
    from tests.exchange import rendered

    born, end = rendered.BORN, rendered.BORN + 10_000 * BAR_MS
    terms = Terms(end, tick_size, 5_000_000, FeeSchedule(50_000))
    return [
        Market(
            rendered.condition(n), f"market-{n}", f"Question {n}?", "politics",
            Event(f"e-{n // 5}", f"event-{n // 5}", f"Event {n // 5}"),
            Token(rendered.token(n, 0), "Yes"), Token(rendered.token(n, 1), "No"), terms,
            created_at=born - 10_000 * BAR_MS, volume_24h=10**12,
        )
        for n in range(count)
    ]  # fmt: skip


def track(markets: list[Any]) -> Any:
    """Make these markets the universe; the source that listed them."""
    from django.conf import settings

    from markets.services import universe
    from tests import misbehaving
    from tests.exchange.rendered import BORN

    settings.PQAP = SimpleNamespace(
        digest="bench",
        collection=misbehaving.collection(markets=len(markets), depth_levels=LEVELS),
        exchange=SimpleNamespace(source="replay"),
    )
    told = misbehaving.Told(markets)
    assert universe.sync_markets(told, BORN).markets == len(markets)
    return told


def tell(told: Any, step: int, at: int, book: Callable[[int, int, int], Any]) -> None:
    """Show both books of every market as of one step."""
    from markets.core.book import mirror

    for number, market in enumerate(told.listed):
        yes = replace(book(number, step, at), token=market.yes.id)
        told.tell(yes, mirror(yes, market.no.id))


@contextmanager
def reading(url: str, seconds: float | None = None) -> Iterator[Any]:
    """The live source on a server; with `seconds`, no deadline of its own stops it."""
    from markets.sources.polymarket import PolymarketSource
    from markets.sources.transport import Transport

    transport = Transport(share=1e6) if seconds else Transport()
    source = PolymarketSource(
        gamma_url=url, clob_url=url, data_url=url, depth=LEVELS, transport=transport
    )
    source.orderbooks.seconds = seconds or source.orderbooks.seconds
    if seconds:
        source.end_within = lambda seconds: None
        source.resolutions = lambda markets, at: ()
        source.prints = lambda markets, since, at: ()
    try:
        yield source
    finally:
        source.close()


@contextmanager
def database(place: Path | str) -> Iterator[None]:
    """A migrated database at a path or an address, with nothing kept in memory of another."""
    import dj_database_url
    from django.core.management import call_command

    from markets.selectors import latest, ticks, universes
    from markets.services import collect
    from tests.databases import connected_to

    named = {"ENGINE": "pqap_site.sqlite", "NAME": place}
    chosen = named if isinstance(place, Path) else dict(dj_database_url.parse(place))
    with connected_to(chosen):
        call_command("migrate", verbosity=0)
        for module in (latest, ticks, universes, collect):
            module.forget()
        yield


if __name__ == "__main__":
    main(Path(sys.argv[1]))
