"""Deadline ladders: one question asked for several dates, "by March" implying "by June"."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import log

import numpy as np

from markets.core.panel import Panel
from markets.core.tick import Flags, Ints, Universe
from markets.core.types import ONE, Market

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DAY_OF_MONTH, YEAR = r"\d{1,2}(?:st|nd|rd|th)?", r"20\d\d"
DATE = (
    rf"(?:{MONTH}(?:\s+{DAY_OF_MONTH}\b(?!\d))?(?:,?\s+{YEAR})?"
    rf"|{DAY_OF_MONTH}\s+{MONTH}(?:,?\s+{YEAR})?|q[1-4](?:\s+{YEAR})?|{YEAR}"
    rf"|(?:the\s+)?year[- ]?end|eoy)"
)
DEADLINE = re.compile(
    rf"\b(?:by|before)\s+(?:the\s+)?(?:end\s+of\s+|start\s+of\s+)?{DATE}(?=\W|$)", re.IGNORECASE
)
TURNED = frozenset(
    (
        "not",
        "no",
        "never",
        "without",
        "remain",
        "remains",
        "still",
        "stay",
        "stays",
        "keep",
        "keeps",
    )
)
"""Words of questions whose answer YES becomes rarer with time: no ladder of implications."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Rung:
    """One market of a ladder: its deadline (ms UTC) and which token says that it happens."""

    column: int
    yes: bool
    end_at: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs by deadline: what happens by one has happened by every later one."""

    stem: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every (earlier, later) pair of rungs as columns; `*_yes`: the YES token says it happens."""

    early: Ints
    late: Ints
    early_yes: Flags
    late_yes: Flags


def stem(question: str) -> str:
    """What a question asks without its deadline, "" where it names none or not just one.

    Questions that something goes on or does not happen have no stem.
    """
    if len(DEADLINE.findall(question)) != 1:
        return ""
    words = re.findall(r"[\w$€%.]+", DEADLINE.sub(" ", question).lower())
    return "" if TURNED & set(words) else " ".join(word.strip(".") for word in words)


@lru_cache(maxsize=4)
def ladders(universe: Universe) -> tuple[Ladder, ...]:
    """The ladders of a universe: markets of one event with one stem and different deadlines."""
    found: dict[tuple[str, str], list[Rung]] = defaultdict(list)
    for column, market in enumerate(universe.markets):
        rung, asked = _rung(column, market), stem(market.question)
        if rung is not None and asked and market.event.id:
            found[market.event.id, asked].append(rung)
    return tuple(
        Ladder(asked, tuple(sorted(rungs, key=lambda rung: rung.end_at)))
        for (_, asked), rungs in found.items()
        if len(rungs) > 1 and len({rung.end_at for rung in rungs}) == len(rungs)
    )


def _rung(column: int, market: Market) -> Rung | None:
    """The market as a rung; None where the end or the token that says Yes is unknown."""
    says = [token.outcome.strip().lower() == "yes" for token in market.tokens]
    if market.terms.end_at is None or says.count(True) != 1:
        return None
    return Rung(column, says[0], market.terms.end_at)


@lru_cache(maxsize=4)
def pairs(universe: Universe) -> Pairs:
    """All pairs of rungs of all ladders of a universe."""
    found = [
        (early.column, late.column, early.yes, late.yes)
        for ladder in ladders(universe)
        for place, early in enumerate(ladder.rungs)
        for late in ladder.rungs[place + 1 :]
    ]
    table = np.array(found, dtype=np.int64).reshape(-1, 4)
    yes = table[:, 2:].astype(np.bool_)
    return Pairs(table[:, 0], table[:, 1], yes[:, 0], yes[:, 1])


def bounds(panel: Panel) -> tuple[Ints, Ints]:
    """What ladders allow YES to be worth at the last bar, micro: lowest and highest by market.

    The bid for an earlier deadline is a floor of every later one, the ask for a later one a
    ceiling of every earlier one; 0 and ONE where nothing follows.
    """
    shown, found = panel.features, pairs(panel.tick.universe)
    floor, ceiling = np.zeros(len(shown.bid), dtype=np.int64), np.full(len(shown.bid), ONE)
    known = shown.valid[found.early] & shown.valid[found.late]
    early, late = found.early[known], found.late[known]
    early_yes, late_yes = found.early_yes[known], found.late_yes[known]
    bid = np.where(early_yes, shown.bid[early], ONE - shown.ask[early])
    ask = np.where(late_yes, shown.ask[late], ONE - shown.bid[late])
    np.maximum.at(floor, late[late_yes], bid[late_yes])
    np.minimum.at(ceiling, late[~late_yes], (ONE - bid)[~late_yes])
    np.minimum.at(ceiling, early[early_yes], ask[early_yes])
    np.maximum.at(floor, early[~early_yes], (ONE - ask)[~early_yes])
    return floor, ceiling


def hazards(chances: list[float], days: list[float]) -> list[float]:
    """Forward hazards between deadlines, a day: ln((1 - p_i) / (1 - p_i+1)) / (D_i+1 - D_i).

    From p(t) = 1 - exp(-hazard (D - t)); negative where a later deadline is the less probable.
    """
    steps = zip(chances, chances[1:], days, days[1:], strict=False)
    return [log((1 - p) / (1 - q)) / (d - c) for p, q, c, d in steps]


def odd_stretches(forward: list[float], most: float = 3.0) -> Iterator[int]:
    """Places of hazards above `most` times the median of their neighbours, two on each side."""
    for place, hazard in enumerate(forward):
        near = forward[max(0, place - 2) : place] + forward[place + 1 : place + 3]
        usual = float(np.median(near)) if near else 0.0
        if len(near) > 1 and 0 < usual < hazard / most:
            yield place


def forward_hazards(panel: Panel, ladder: Ladder) -> list[float]:
    """The ladder's forward hazards a day at the last bar's microprices; [] where one is unknown."""
    columns = [rung.column for rung in ladder.rungs]
    if not bool(np.all(panel.features.valid[columns])):
        return []
    micro = panel.features.micro[columns].tolist()
    happens = [
        price if rung.yes else ONE - price for price, rung in zip(micro, ladder.rungs, strict=True)
    ]
    ends = [rung.end_at / DAY_MS for rung in ladder.rungs]
    return hazards([price / ONE for price in happens], ends)
