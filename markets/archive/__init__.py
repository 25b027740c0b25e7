"""Ticks on disk: recordings, and the sealed days of the archive."""

from markets.archive.recordings import read_recording, write_recording

__all__ = ["read_recording", "write_recording"]
