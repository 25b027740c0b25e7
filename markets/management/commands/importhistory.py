"""Turn foreign files into history of ours: books into a recording, prices into past bars."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import archive
from markets.core import schedules
from markets.core.types import ONE, FeeSchedule
from markets.management.arguments import zoned
from markets.services import foreignpast
from markets.sources import (
    foreign,
    generic_books,
    generic_prices,
    kalshi_books,
    kalshi_quotes,
    market_history,
    mlb_books,
    pastfile,
    priced,
    updown_quotes,
)
from markets.sources.recording import NotARecording

RECORDING = "recording"
"""A recording, as exporthistory writes it: taken as it is, nothing is assembled or stated anew."""

BOOKS: Mapping[str, foreign.Reader] = {
    "generic_books": generic_books.read,
    "kalshi_books": kalshi_books.read,
    "mlb_books": mlb_books.read,
    "updown_quotes": updown_quotes.read,
}
PRICES: Mapping[str, priced.PriceReader] = {
    "generic_prices": generic_prices.read,
    "kalshi_quotes": kalshi_quotes.read,
    "market_history": market_history.read,
}
OF_BOOKS = ("fee_rate", "end_date", "min_size", "tick_size", "depth_levels")
"""Options that say something about markets to trade on; prices alone cannot be traded on."""


def micro(text: str) -> int:
    """A positive decimal number in micro, exactly."""
    try:
        value = Decimal(text) * ONE
    except InvalidOperation as error:
        raise ArgumentTypeError(f"'{text}' is no decimal number") from error
    if not value.is_finite() or value < 0 or value != int(value):
        raise ArgumentTypeError(f"'{text}' must be 0 or more, with six decimals at most")
    return int(value)


def fee(text: str) -> FeeSchedule:
    """A fee rate below 1, or a category's published schedule on a day: "sports@2026-05-01"."""
    category, named, day = text.partition("@")
    if named:
        return _published(text, category, day)
    value = micro(text)
    if value >= ONE:
        raise ArgumentTypeError(f"'{text}' must be below 1; five percent is 0.05")
    return FeeSchedule(value)


def _published(text: str, category: str, day: str) -> FeeSchedule:
    if category not in schedules.NOW:
        known = ", ".join(sorted(schedules.NOW))
        raise ArgumentTypeError(f"'{text}' names no category; there are {known}")
    try:
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' needs a day, as in sports@2026-05-01") from error
    return schedules.published(category, int(at.timestamp() * 1000))


def grid(text: str) -> int:
    """A price grid in micro, one that divides a dollar."""
    value = micro(text)
    if not 0 < value < ONE or ONE % value:
        raise ArgumentTypeError(f"'{text}' must divide 1, as 0.01 or 0.001 do")
    return value


def levels(text: str) -> int:
    """A depth from 1 to 255."""
    if not text.isdecimal() or not 1 <= int(text) <= 255:
        raise ArgumentTypeError(f"'{text}' must be from 1 to 255")
    return int(text)


class Command(BaseCommand):
    help = "Turn a foreign file of books into a recording, or one of prices into past bars."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the foreign file")
        parser.add_argument("--to", type=Path, help="the recording, or file of past bars, to write")
        parser.add_argument(
            "--into-database",
            action="store_true",
            help="prices only: imported bars of markets the catalogue knows",
        )
        parser.add_argument("--format", choices=sorted({*BOOKS, *PRICES, RECORDING}), required=True)
        parser.add_argument(
            "--fee-rate", type=fee, help="0.05, or sports@2026-05-01; unknown if left out"
        )
        parser.add_argument("--end-date", type=zoned, help="scheduled end; unknown if left out")
        parser.add_argument("--min-size", type=micro, help="shares, default 5")
        parser.add_argument("--tick-size", type=grid, help="found from the prices if left out")
        parser.add_argument("--depth-levels", type=levels, help="a side, default 10")
        parser.add_argument("--replace", action="store_true", help="overwrite the file")

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = options["file"], options["to"]
        if not source.is_file():
            raise CommandError(f"There is no file {source}.")
        _check_target(options)
        if target and target.exists() and not options["replace"]:
            raise CommandError(f"{target} exists; choose another name or add --replace.")
        if target:
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if options["format"] == RECORDING:
                self._copy(source, target)
            elif options["format"] in PRICES:
                self._import_prices(source, target, PRICES[options["format"]])
            else:
                self._import_books(source, target, BOOKS[options["format"]], _stated(options))
        except foreign.Refused as refused:
            raise CommandError(str(refused)) from refused

    def _copy(self, source: Path, target: Path) -> None:
        try:
            written = archive.write_recording(target, archive.read_recording(source))
        except NotARecording as wrong:
            raise CommandError(str(wrong)) from wrong
        self.stdout.write(f"Recorded {written} ticks in {target}.")

    def _import_books(
        self, source: Path, target: Path, reader: foreign.Reader, stated: foreign.Stated
    ) -> None:
        findings = foreign.Findings()
        markets, reads = reader(source, stated, findings)
        ticks = foreign.ticks(markets, reads, depth_levels=stated.depth_levels, findings=findings)
        written = archive.write_recording(target, ticks)
        self.stdout.write(f"Recorded {written} ticks of {len(markets)} markets in {target}.")
        self._tell(findings)
        if stated.fee is None:
            self.stdout.write("No --fee-rate was given: nothing will trade on this recording.")
        if all(market.terms.end_at is None for market in markets):
            self.stdout.write("No --end-date was given: strategies will stay silent on it.")

    def _import_prices(self, source: Path, target: Path | None, reader: priced.PriceReader) -> None:
        findings = foreign.Findings()
        found = reader(source, findings)
        if target:
            ids = {name: foreign.condition_id(name) for name in found}
            lines = {ids[name]: line for name, line in found.items()}
            bars = pastfile.write(target, lines, {id: name for name, id in ids.items()})
            self.stdout.write(f"Wrote {bars} past bars of {len(lines)} markets to {target}.")
        else:
            stored = foreignpast.store(found, int(timezone.now().timestamp() * 1000))
            findings.flaws += stored.flaws
            self.stdout.write(f"Imported {stored.bars} bars of {stored.markets} markets.")
        self._tell(findings)

    def _tell(self, findings: foreign.Findings) -> None:
        for note in findings.notes:
            self.stdout.write(note)
        for reason, count in sorted(findings.flaws.items()):
            self.stdout.write(f"Left out or flagged: {count} x {reason}.")


def _check_target(options: Mapping[str, Any]) -> None:
    """Books need a file to go to; prices go to a file or into the database, not to both."""
    chosen, prices = options["format"], options["format"] in PRICES
    if prices and bool(options["to"]) == options["into_database"]:
        raise CommandError(f"{chosen} holds prices: give either --to FILE or --into-database.")
    if not prices and options["into_database"]:
        raise CommandError(f"{chosen} holds books: they become a recording; give --to FILE.")
    if not prices and not options["to"]:
        raise CommandError(f"{chosen} holds books: give --to FILE.")
    for name in OF_BOOKS if prices else ():
        if options[name] is not None:
            option = "--" + name.replace("_", "-")
            raise CommandError(
                f"{option} is for books; {chosen} holds prices, nothing fills there."
            )


def _stated(options: Mapping[str, Any]) -> foreign.Stated:
    return foreign.Stated(
        fee=options["fee_rate"],
        end_at=options["end_date"],
        min_size=5 * ONE if options["min_size"] is None else options["min_size"],
        tick_size=options["tick_size"],
        depth_levels=options["depth_levels"] or 10,
    )
