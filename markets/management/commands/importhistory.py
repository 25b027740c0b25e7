"""Turn a foreign file of order books into a recording that replay and backtests read."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from markets import archive
from markets.core.types import ONE
from markets.sources import foreign, mlb_books
from markets.sources.recording import NotARecording

RECORDING = "recording"
"""A recording, as exporthistory writes it: taken as it is, nothing is assembled or stated anew."""

FORMATS: Mapping[str, foreign.Reader] = {"mlb_books": mlb_books.read}


def micro(text: str) -> int:
    """A positive decimal number in micro, exactly."""
    try:
        value = Decimal(text) * ONE
    except InvalidOperation as error:
        raise ArgumentTypeError(f"'{text}' is no decimal number") from error
    if not value.is_finite() or value < 0 or value != int(value):
        raise ArgumentTypeError(f"'{text}' must be 0 or more, with six decimals at most")
    return int(value)


def rate(text: str) -> int:
    """A fee rate in micro, below 1."""
    value = micro(text)
    if value >= ONE:
        raise ArgumentTypeError(f"'{text}' must be below 1; five percent is 0.05")
    return value


def grid(text: str) -> int:
    """A price grid in micro, one that divides a dollar."""
    value = micro(text)
    if not 0 < value < ONE or ONE % value:
        raise ArgumentTypeError(f"'{text}' must divide 1, as 0.01 or 0.001 do")
    return value


def instant(text: str) -> int:
    """An ISO time with its zone, in ms UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no time such as 2025-06-26T00:00:00Z") from error
    if found.tzinfo is None:
        raise ArgumentTypeError(f"'{text}' needs a zone; end it with Z for UTC")
    return int(found.astimezone(UTC).timestamp() * 1000)


def levels(text: str) -> int:
    """A depth from 1 to 255."""
    if not text.isdecimal() or not 1 <= int(text) <= 255:
        raise ArgumentTypeError(f"'{text}' must be from 1 to 255")
    return int(text)


class Command(BaseCommand):
    help = "Turn a foreign file of order books into a recording; the database is not touched."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the foreign file")
        parser.add_argument("--to", type=Path, required=True, help="the recording to write")
        choices = [*sorted(FORMATS), RECORDING]
        parser.add_argument("--format", choices=choices, required=True)
        parser.add_argument("--fee-rate", type=rate, help="taker fee rate; unknown if left out")
        parser.add_argument("--end-date", type=instant, help="scheduled end; unknown if left out")
        parser.add_argument("--min-size", type=micro, default=5 * ONE, help="shares, default 5")
        parser.add_argument("--tick-size", type=grid, help="found from the prices if left out")
        parser.add_argument("--depth-levels", type=levels, default=10, help="a side, default 10")
        parser.add_argument("--replace", action="store_true", help="overwrite the recording")

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = options["file"], options["to"]
        if not source.is_file():
            raise CommandError(f"There is no file {source}.")
        if target.exists() and not options["replace"]:
            raise CommandError(f"{target} exists; choose another name or add --replace.")
        if options["format"] == RECORDING:
            self._copy(source, target)
            return
        stated = foreign.Stated(
            fee_rate=options["fee_rate"],
            end_at=options["end_date"],
            min_size=options["min_size"],
            tick_size=options["tick_size"],
            depth_levels=options["depth_levels"],
        )
        try:
            self._import(source, target, FORMATS[options["format"]], stated)
        except foreign.Refused as refused:
            raise CommandError(str(refused)) from refused

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            written = archive.write_recording(target, archive.read_recording(source))
        except NotARecording as wrong:
            raise CommandError(str(wrong)) from wrong
        self.stdout.write(f"Recorded {written} ticks in {target}.")

    def _import(
        self, source: Path, target: Path, reader: foreign.Reader, stated: foreign.Stated
    ) -> None:
        findings = foreign.Findings()
        markets, reads = reader(source, stated, findings)
        ticks = foreign.ticks(markets, reads, depth_levels=stated.depth_levels, findings=findings)
        target.parent.mkdir(parents=True, exist_ok=True)
        written = archive.write_recording(target, ticks)
        self.stdout.write(f"Recorded {written} ticks of {len(markets)} markets in {target}.")
        for note in findings.notes:
            self.stdout.write(note)
        for reason, count in sorted(findings.flaws.items()):
            self.stdout.write(f"Left out or flagged: {count} x {reason}.")
        if stated.fee_rate is None:
            self.stdout.write("No --fee-rate was given: nothing will trade on this recording.")
        if stated.end_at is None:
            self.stdout.write("No --end-date was given: strategies will stay silent on it.")
