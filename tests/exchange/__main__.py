"""Run the local exchange by itself: `python -m tests.exchange --port 9911 --markets 60`.

Point a desk at it with PQAP_GAMMA_URL, PQAP_CLOB_URL, PQAP_DATA_URL and PQAP_WS_URL: the market
WebSocket listens one port higher.
"""

import argparse
import random
import signal
from threading import Thread

from tests.exchange.server import Exchange
from tests.exchange.world import World


def main() -> None:
    arguments = _arguments()
    exchange = Exchange(_world(arguments), arguments.port)
    stream = exchange.socket(arguments.port + 1)
    names = ("GAMMA", "CLOB", "DATA")
    told = [f"PQAP_{name}_URL={exchange.url}" for name in names]
    print(" ".join([*told, f"PQAP_WS_URL={stream.url}"]), flush=True)
    if arguments.resolve_every:
        Thread(target=_resolve, args=(exchange, arguments.resolve_every), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    exchange.serve()
    total = sum(exchange.requests.values())
    print(f"\n{total} requests: {dict(exchange.requests)}", flush=True)
    print(f"{stream.connects} streams: {dict(stream.sent)}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=9911)
    parser.add_argument("--markets", type=int, default=60, help="ordinary markets to list")
    parser.add_argument(
        "--mix", choices=("plain", "realistic"), default="plain", help="what else is listed"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--resolve-every", type=float, default=0.0, help="seconds between two resolutions; 0 never"
    )
    return parser.parse_args()


def _world(arguments: argparse.Namespace) -> World:
    return World(arguments.seed, arguments.markets, arguments.mix)


def _resolve(exchange: Exchange, seconds: float) -> None:
    """Propose, then resolve, one market after the other, as its price would have it."""
    world, draw = exchange.world, random.Random(exchange.world.seed)
    while not exchange.stopping.wait(seconds / 2):
        open_ones = [x for x in world.tradable() if x.kind == "ordinary"]
        if not open_ones:
            return
        chosen = draw.choice(open_ones)
        world.end(chosen, "proposed")
        if exchange.stopping.wait(seconds / 2):
            return
        won = draw.random() < world.price(chosen)
        world.end(chosen, "resolved", (1_000_000, 0) if won else (0, 1_000_000))


if __name__ == "__main__":
    main()
