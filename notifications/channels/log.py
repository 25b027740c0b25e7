"""The channel that is always there: one log line a message."""

import logging

log = logging.getLogger("notifications")

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class Log:
    """Writes to PQAP's log at the message's own level; an unknown level is a warning."""

    def send(self, text: str, level: str) -> None:
        """One line; it cannot fail."""
        log.log(LEVELS.get(level, logging.WARNING), "%s", text)
