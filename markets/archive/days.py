"""Where the files of a sealed day lie, and how a file gets there whole."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DAY_MS = 86_400_000
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class DayFolder:
    """The folder of one UTC day (`began` ms UTC): raw parts, the tick list, what was said, and
    touch files sorted by market.
    """

    archive: Path
    began: int

    @property
    def path(self) -> Path:
        """The folder itself, named by the date."""
        return self.archive / date_of(self.began)

    @property
    def ticks(self) -> Path:
        """Id, time and universe of each tick, and where each market's touch lies."""
        return self.path / "ticks.parquet"

    @property
    def said(self) -> Path:
        """Universes, outcomes, prints and past bars."""
        return self.path / "said.json.gz"

    def raw(self, number: int) -> Path:
        """One recording of consecutive ticks with depth."""
        return self.path / f"raw-{number:03}.parquet"

    def touch(self, number: int) -> Path:
        """Touch columns of some markets, one row group each."""
        return self.path / f"touch-{number:03}.parquet"


def day_of(at: int) -> int:
    """Start of the UTC day of an instant, both ms UTC."""
    return at // DAY_MS * DAY_MS


def date_of(began: int) -> str:
    """The date of a day that began at `began` ms UTC, as 2026-01-31."""
    return datetime.fromtimestamp(began / 1000, UTC).date().isoformat()


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A draft beside `path` that takes its name, and is forced to the disk, if nothing fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        _force(draft)
        os.replace(draft, path)
        _force(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def leave_memory(path: Path) -> None:
    """Ask the system to forget its copy, so that the next read is of the disk (Linux only)."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def sha256(path: Path) -> str:
    """Checksum of a file's bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def sweep(folder: Path) -> None:
    """Remove drafts that a crash left behind; only the holder of the archive's lock may."""
    for draft in folder.glob(".*.part"):
        draft.unlink(missing_ok=True)


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
