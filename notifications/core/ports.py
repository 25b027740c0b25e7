"""What notifications need from the outside: news to tell, and channels to tell it through."""

from collections.abc import Mapping
from typing import Any, Protocol


class News(Protocol):
    """One thing worth telling; `key` is a function of its cause, `fields` what the text needs."""

    @property
    def key(self) -> str:
        """Equal for equal causes, so that a thing is told once."""
        ...

    @property
    def kind(self) -> str:
        """What sort of thing it is, one of `messages.KINDS`."""
        ...

    @property
    def level(self) -> str:
        """How loud: debug, info, warning, error or critical."""
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """Figures in micro-units and ms UTC, names as text."""
        ...


class NotSent(Exception):
    """A channel did not take a message; a `permanent` refusal is not tried again."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason, self.permanent = reason, permanent


class Channel(Protocol):
    """Somewhere people read: a log, a chat."""

    def send(self, text: str, level: str) -> None:
        """Deliver one message or raise NotSent."""
        ...
