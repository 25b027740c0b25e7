"""Why a strategy traded in a market, or did not, at any time that is kept."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import NotFound

from dashboard import why
from execution.selectors import control
from markets.management.arguments import instant


class Command(BaseCommand):
    """What /api/why says, for a terminal; it works whether or not the environment is running."""

    help = "Say why there was a trade in a market, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which market, when, and of which strategy."""
        parser.add_argument("market", nargs="+", help="id, slug, address, or words of its question")
        parser.add_argument("--at", type=instant, help="an ISO time with its zone; now if left out")
        parser.add_argument("--strategy", default="", help="only this one")
        parser.add_argument("--json", action="store_true", help="print JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 with an answer, 1 where no one market is meant or nothing is kept."""
        name = options["strategy"]
        names = sorted(switch.name for switch in control.switches())
        if name and name not in names:
            raise CommandError(f"No strategy is named '{name}'; there are {', '.join(names)}.")
        try:
            found = why.answer(" ".join(options["market"]), options["at"], name)
        except NotFound as fault:
            raise CommandError(str(fault)) from None
        told = json.loads(json.dumps(found))
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else "\n".join(lines(told)))


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The answer for people."""
    yield f"{told['question']} ({told['slug']}), {told['market_state']}"
    yield f"{told['market']} as of tick {told['tick']} at {told['at']}"
    for strategy in told["strategies"]:
        yield from _strategy(strategy)


def _strategy(told: Mapping[str, Any]) -> Iterator[str]:
    switch = told["switch"] + (f" ({told['switch_reason']})" if told["switch_reason"] else "")
    yield f"{told['name']}: {told['state']}; now {switch}"
    if told["halted"]:
        yield f"  halted now: {told['halted']}: {told['halt_reason']}"
    if told["error"]:
        yield f"  it failed: {told['error']}"
    silence = told["silence"]
    if silence:
        yield f"  {silence['reason']}: {silence['meaning']}, since {silence['from_at']}"
        if silence["detail"]:
            yield f"    {silence['detail']}"
    for each in told["signals"]:
        yield from _signal(each)
    if told["state"] == "unseen":
        yield "  it was not asked about this market: see manage.py track --why"


def _signal(told: Mapping[str, Any]) -> Iterator[str]:
    signal = told["signal"]
    if signal["kind"] == "quote":
        wanted = f"quote {signal['price']} to {signal['ask']}"
    else:
        wanted = f"buy {signal['outcome']} up to {signal['price']}"
    yield (
        f"  {wanted} since {signal['at']}: fair {signal['fair']}, edge {signal['edge']}, "
        f"size {signal['size']}"
    )
    if signal["why"]:
        yield f"    {signal['why']}"
    became = signal["disposition"] or "nothing yet"
    yield f"    became: {became}" + (f" ({signal['reason']})" if signal["reason"] else "")
    for each in told["refusals"]:
        yield (
            f"    {each['at']} {each['account']} refused {each['code']}: limit "
            f"{each['limit'] or '-'}, value {each['value'] or '-'}"
        )
    for each in told["orders"]:
        yield (
            f"    {each['placed_at']} {each['account']} order {each['side']} {each['size']} at "
            f"{each['price']}: {each['state']}, {each['filled']} filled"
            + (f" ({each['reason']})" if each["reason"] else "")
        )
    for each in told["trades"]:
        yield (
            f"    {each['at']} {each['account']} {each['side']} {each['size']} at "
            f"{each['price']}, fee {each['fee']} ({each['liquidity']})"
        )
