"""Which markets are likely to be wrong together: one key for what they are really about.

A strike ladder of one coin, a deadline ladder, and every question about one person or place stand
or fall with one piece of news. The exchange does not say so; its titles, slugs and tags do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from markets.core.types import Market

UNDERLYINGS = {
    "bitcoin": ("bitcoin", "btc", "microstrategy"),
    "ethereum": ("ethereum", "eth", "ether"),
    "solana": ("solana", "sol"),
    "xrp": ("xrp", "ripple"),
    "dogecoin": ("dogecoin", "doge"),
    "bnb": ("bnb", "binance"),
    "hyperliquid": ("hyperliquid", "hype"),
    "us-stocks": ("spx", "spy", "sp500", "nasdaq", "ndx", "qqq", "dow"),
    "gold": ("gold", "xau"),
    "silver": ("silver", "xag"),
    "oil": ("oil", "crude", "wti", "brent"),
    "fed": ("fed", "fomc"),
    "ecb": ("ecb",),
}
"""What whole families of questions follow, and the words that name it in slugs and tags."""

BY_WORD = {word: key for key, words in UNDERLYINGS.items() for word in words}
MONTHS = (
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
DAYS = "monday tuesday wednesday thursday friday saturday sunday"
FILLERS = (
    "a an the in on of by at to for from with and or is be will does do before after until between "
    "than above below over under up down end ends ending start this next day week month year eoy "
    "today tomorrow am pm et utc"
)
ASKING = "Will What Who Which Whose When Where How Why Is Are Does Do Did Can Has Have The A An"
DATED = frozenset(f"{MONTHS} {DAYS}".split())
DROPPED = frozenset(f"{MONTHS} {DAYS} {FILLERS}".split())
OPENERS = frozenset(ASKING.split())
NUMERIC = re.compile(r"[0-9]")
WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*|[?!:,;()\"“”#]")
LEAST_WORDS = 2
"""A stem of one word, such as the "simulated" of simulated-17, says nothing."""


def cluster(market: Market) -> str:
    """The key a market shares with all that would be wrong for the same reason.

    In this order: the underlying that its event's slug or its tags name; the first name in the
    event's title; the event's slug without numbers, dates and filling words; the event itself.
    """
    event = market.event
    slug = event.slug or market.slug
    return (
        _underlying([*slug.split("-"), *market.tags])
        or _name(event.title)
        or _stem(slug)
        or event.id
        or market.id
    )


def of_events(markets: Iterable[Market]) -> Mapping[str, str]:
    """Condition id -> key, the same for all markets of one event whatever their tags say."""
    found = list(markets)
    first: dict[str, str] = {}
    for market in sorted(found, key=lambda each: each.id):
        first.setdefault(_event(market), cluster(market))
    return {market.id: first[_event(market)] for market in found}


def _event(market: Market) -> str:
    return market.event.id or market.id


def _underlying(words: Iterable[str]) -> str:
    return next((BY_WORD[word] for word in words if word in BY_WORD), "")


def _name(title: str) -> str:
    """The first run of capitalised words, dates apart; a lone first word is only grammar."""
    for place, run in _runs(title):
        if place > 0 or len(run) >= LEAST_WORDS:
            return "-".join(run).lower()
    return ""


def _runs(title: str) -> Iterator[tuple[int, list[str]]]:
    """(place of its first word, words) of every run of capitalised words in a title."""
    run: list[str] = []
    for place, word in enumerate([*WORD.findall(title), ""]):
        opens = place == 0 and word in OPENERS
        if word[:1].isupper() and not opens and word.lower() not in DATED:
            run.append(word)
        elif run:
            yield place - len(run), run
            run = []


def _stem(slug: str) -> str:
    words = [word for word in slug.lower().split("-") if len(word) > 1]
    words = [word for word in words if word not in DROPPED and not NUMERIC.search(word)]
    return "-".join(words) if len(words) >= LEAST_WORDS else ""
