"""Write recorded history to a file that other programs, or importhistory, read."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from markets import archive
from markets.archive import exports
from markets.core.tick import Tick
from markets.management.arguments import instant, seconds
from markets.selectors import history, spans
from markets.sources.recording import NotARecording

FORMATS = ("csv", "parquet", "recording")
ENDLESS = 1 << 62


class Command(BaseCommand):
    """Reads the archive and the tables alike, a row group at a time; writes no row."""

    help = "Export recorded history as CSV, Parquet or a recording."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, from when to when, and into which files."""
        parser.add_argument("file", type=Path, help="the file to write")
        parser.add_argument("--format", choices=FORMATS, help="by the file's ending if left out")
        parser.add_argument("--market", action="append", help="a condition id or slug; repeatable")
        parser.add_argument("--from", dest="since", type=instant, default=0)
        parser.add_argument("--to", dest="until", type=instant, default=ENDLESS)
        parser.add_argument("--every", type=seconds, help="seconds between ticks")
        parser.add_argument("--prints", type=Path, help="a further file for trades")
        parser.add_argument("--outcomes", type=Path, help="a further file for outcomes")
        parser.add_argument("--replace", action="store_true", help="overwrite")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, write, and say how much."""
        kind = options["format"] or self._by_ending(options["file"])
        self._check(kind, options)
        try:
            told = self._write(kind, options)
        except NotARecording as missing:
            raise CommandError(str(missing)) from missing
        self.stdout.write(told)

    def _by_ending(self, file: Path) -> str:
        kind = file.suffix.removeprefix(".")
        if kind not in FORMATS[:2]:
            raise CommandError(f"{file} ends neither in .csv nor in .parquet; add --format.")
        return kind

    def _check(self, kind: str, options: dict[str, Any]) -> None:
        files = [path for name in ("file", "prints", "outcomes") if (path := options[name])]
        if len(set(files)) < len(files):
            raise CommandError("Each file needs a name of its own.")
        for path in files:
            if path.exists() and not options["replace"]:
                raise CommandError(f"{path} exists; choose another name or add --replace.")
        if kind == "recording" and len(files) > 1:
            raise CommandError("A recording holds prints and outcomes itself.")
        endings = {"csv": ".csv", "parquet": ".parquet"}
        if kind in endings and options["file"].suffix != endings[kind]:
            raise CommandError(f"{options['file']} must end in {endings[kind]} for this format.")
        if options["since"] >= options["until"]:
            raise CommandError("--from must be before --to.")

    def _write(self, kind: str, options: dict[str, Any]) -> str:
        found, target = self._ticks(kind == "recording", options), options["file"]
        first = next(found, None)
        if first is None:
            raise CommandError("There are no ticks in this span; nothing was written.")
        found = chain([first], found)
        if kind == "recording":
            count = archive.write_recording(target, found)
            return f"Recorded {count} ticks in {target}."
        done = exports.export(found, target, prints=options["prints"], outcomes=options["outcomes"])
        told = [f"Wrote {done.quotes} rows of {done.ticks} ticks to {target}."]
        if options["prints"]:
            told.append(f"Wrote {done.prints} prints to {options['prints']}.")
        if options["outcomes"]:
            told.append(f"Wrote {done.outcomes} outcomes to {options['outcomes']}.")
        return "\n".join(told)

    def _ticks(self, depth: bool, options: dict[str, Any]) -> Iterator[Tick]:
        found = spans.ticks_between(options["since"], options["until"], depth=depth)
        if options["market"]:
            found = exports.narrowed(found, self._markets(options["market"]))
        return exports.spaced(found, options["every"]) if options["every"] else found

    def _markets(self, asked: list[str]) -> frozenset[str]:
        known = {text: history.market_ids(text) for text in asked}
        for text, found in known.items():
            if not found:
                raise CommandError(f"No market has the id or slug '{text}'.")
        return frozenset(name for found in known.values() for name in found)
