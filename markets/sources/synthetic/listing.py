"""The words and terms of a simulated event: what a real exchange would publish about it."""

import hashlib
from datetime import UTC, datetime

from markets.core.types import ONE, Event, Market, Terms, Token
from markets.sources.synthetic import questions
from markets.sources.synthetic.draws import dice

DAY = 86_400_000
HOUR = 3_600_000
SUFFIX = " (simulated)"
EXCLUDED_SLOTS = 4
"""Slots behind the regular ones; they hold live sports and one-day crypto in turn."""
MIN_SIZE = 5 * ONE


def listing(seed: int, number: int, slot: int, born_at: int, regular: int) -> tuple[Market, ...]:
    """The markets of event `number`, born in `slot` of a world with `regular` ordinary slots.

    One market is a yes-or-no question; several exclude each other and exhaust the outcomes.
    """
    throw = dice(seed, 1, number)
    topic = _topic(slot, number, regular)
    place = questions.PLACES[int(throw.integers(len(questions.PLACES)))]
    start, end_at = _life(topic, born_at, int(throw.integers(4, 90)))
    month = datetime.fromtimestamp((end_at - 1) / 1000, UTC).strftime("%B")
    title, asked = _asked(topic, slot, int(throw.integers(8)))
    words = {"place": place, "month": month}
    tick_size = 1_000 if throw.random() < 0.2 else 10_000
    terms = Terms(end_at, tick_size, MIN_SIZE, topic.fee)
    event = Event(
        _digest(seed, number, "event")[:12],
        f"simulated-{number}",
        title.format(**words) + SUFFIX,
        neg_risk=len(asked) > 1,
    )
    volumes = throw.lognormal(10.0, 1.4, len(asked)).clip(1_000, 500_000)
    return tuple(
        Market(
            id="0x" + _digest(seed, number, f"market {index}"),
            slug=f"simulated-{number}-{index}",
            question=text.format(**words, name=name) + SUFFIX,
            category=topic.category,
            event=event,
            yes=Token(_decimal(seed, number, f"yes {index}"), "Yes"),
            no=Token(_decimal(seed, number, f"no {index}"), "No"),
            terms=terms,
            tags=topic.tags,
            created_at=start,
            game_start_at=end_at - 4 * HOUR if topic is questions.SPORTS else None,
            volume_24h=int(volumes[index]) * ONE,
        )
        for index, (text, name) in enumerate(asked)
    )


def _topic(slot: int, number: int, regular: int) -> questions.Topic:
    """Ordinary slots keep a fixed rota of topics, so that every fee rate is always there."""
    if slot >= regular:
        return questions.EXCLUDED[(slot - regular) % len(questions.EXCLUDED)]
    return questions.TOPICS[slot % len(questions.TOPICS)]


def _asked(topic: questions.Topic, slot: int, pick: int) -> tuple[str, list[tuple[str, str]]]:
    """The event's title and each market's (question, outcome); two slots of five are binary."""
    if not topic.several or slot % 5 in (0, 3):
        text = topic.binary[pick % len(topic.binary)]
        return text, [(text, "")]
    question = topic.several[pick % len(topic.several)]
    return question.title, [(question.each, name) for name in question.names]


def _life(topic: questions.Topic, born_at: int, days: int) -> tuple[int, int]:
    """When the market was created and its scheduled end, both on whole UTC days but for games."""
    today = born_at - born_at % DAY
    if topic is questions.DAILY_CRYPTO:
        return today, today + DAY
    if topic is questions.SPORTS:
        return today - 3 * DAY, today + DAY + 22 * HOUR
    return today - (2 + days % 29) * DAY, today + (days + 1) * DAY


def _digest(seed: int, number: int, what: str) -> str:
    return hashlib.sha256(f"pqap synthetic/{seed}/{number}/{what}".encode()).hexdigest()


def _decimal(seed: int, number: int, what: str) -> str:
    return str(int(_digest(seed, number, what), 16))
