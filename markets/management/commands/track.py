"""Pin markets, list the pins, and tell why a market is tracked or not."""

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets.selectors import universes
from markets.services import tracking
from markets.services.tracking import Pinned, Unusable, Why

SHOWN = 12
"""Outcomes named of an event; the others are counted."""


class Command(BaseCommand):
    """Pins take effect with the next look at the exchange's list, which is asked for at once."""

    help = "Track markets whatever their volume: by condition id, slug or Polymarket address."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to pin or to unpin, or whose standing to tell."""
        parser.add_argument("what", nargs="*", help="an event's slug or address: all its outcomes")
        parser.add_argument("--remove", action="store_true", help="track them no longer")
        parser.add_argument("--because", default="", help="kept with the pin")
        parser.add_argument("--why", metavar="MARKET", help="every rule with its figures")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the four."""
        what = options["what"]
        if options["why"] and (what or options["remove"]):
            raise CommandError("--why takes one market and nothing beside it.")
        if options["remove"] and not what:
            raise CommandError("--remove needs at least one name: `track` lists them.")
        try:
            if options["why"]:
                self._why(options["why"])
            elif options["remove"]:
                self._remove(what)
            elif what:
                self._pin(what, options["because"])
            else:
                self._list()
        except Unusable as problem:
            raise CommandError(f"{problem}.") from problem

    def _pin(self, what: list[str], because: str) -> None:
        found = tracking.pin(what, who=getpass.getuser(), why=because, at=_now_ms())
        for each in found:
            self.stdout.write(f"Pinned {each.name}:{_names(each)}")
        self._ring()

    def _remove(self, what: list[str]) -> None:
        for name in tracking.unpin(what):
            self.stdout.write(f"{name} is pinned no more; from now on it goes by its rank.")
        self._ring()

    def _ring(self) -> None:
        rung = tracking.ask_for_sync()
        when = (
            "with the next reading of the list, which was asked for" if rung else "within minutes"
        )
        self.stdout.write(f"It takes effect {when}, if PQAP is running.")

    def _list(self) -> None:
        pins = tracking.pins()
        for each in pins:
            since = f" since {_day(each.at)}" if each.at else ""
            why = f" ({each.why})" if each.why else ""
            self.stdout.write(f"{each.name}, by {each.who}{since}{why}:{_names(each)}")
        if not pins:
            self.stdout.write("Nothing is pinned.")
        sync = universes.newest_sync()
        if sync is None:
            self.stdout.write("The exchange's list has not been read yet.")
            return
        whole = "" if sync.complete else ", some of the list not read yet"
        self.stdout.write(
            f"At {_day(sync.at)} {sync.tracked} of {sync.listed} listed markets were tracked"
            f" ({sync.outcomes} of them to complete events){whole}. Left out:"
        )
        for reason, count in universes.exclusions():
            self.stdout.write(f"  {count:>6} {reason}")

    def _why(self, given: str) -> None:
        for each in tracking.why(given, at=_now_ms()):
            self.stdout.write(_told(each))


def _told(why: Why) -> str:
    """One market's standing in plain lines."""
    verdict = "In" if why.standing.tracked else "Out"
    lines = [
        f"{why.market.question} ({why.market.slug})",
        f"{verdict} as of {_day(why.at)}: {why.standing.told}.",
        *(f"  {'ok' if check.passed else 'NO'}  {check.told}" for check in why.checks),
    ]
    if why.place:
        lines.append(f"  ..  {why.place}")
    if why.standing.tracked and any(not check.passed for check in why.checks):
        lines.append("  It is in all the same: pins, holdings and complete events go first.")
    return "\n".join(lines)


def _names(pinned: Pinned) -> str:
    lines = [f"\n  {market.question} ({market.terms.status})" for market in pinned.markets[:SHOWN]]
    more = len(pinned.markets) - SHOWN
    if more > 0:
        lines.append(f"\n  and {more} more")
    return "".join(lines) or " not in the catalogue"


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _now_ms() -> int:
    return int(timezone.now().timestamp() * 1000)
