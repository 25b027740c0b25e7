"""Celery's file broker, with messages that appear whole.

The library creates a message's file under its final name and then writes it; a worker that looks
in between reads an empty message and dies of it (seen once in ten minutes on a busy machine).
Here a message is written aside and renamed.
"""

import os
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

TRIES = 5
TRY_SECONDS = 0.05


class Channel(filesystem.Channel):
    """Queues as files in one folder; what a reader sees is complete."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        """Put a message; files with another ending are nobody's message."""
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        aside = folder / f"{name}.part"
        aside.write_bytes(str_to_bytes(dumps(payload)))
        os.replace(aside, folder / name)

    def get_table(self, exchange: str) -> Any:
        """Where an exchange's messages go; another process may be writing it down just now."""
        for _ in range(TRIES - 1):
            try:
                return super().get_table(exchange)
            except ValueError:
                sleep(TRY_SECONDS)
        return super().get_table(exchange)


class Transport(filesystem.Transport):
    """What `broker_transport` names."""

    Channel = Channel
