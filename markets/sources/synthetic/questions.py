"""What the simulated exchange asks: invented questions, by category, with each category's fee."""

from dataclasses import dataclass

from markets.core.types import FeeSchedule


@dataclass(frozen=True, slots=True)
class Several:
    """A question with several outcomes, and how it is asked of one of them (`{name}`)."""

    title: str
    each: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A category: its fee, its yes-or-no questions and its questions with several outcomes.

    `{place}` is replaced by an invented town and `{month}` by the month of the scheduled end.
    """

    category: str
    fee: FeeSchedule
    tags: tuple[str, ...]
    binary: tuple[str, ...]
    several: tuple[Several, ...] = ()


PLACES = (
    "Port Alder",
    "Marrow Bay",
    "Elmstead",
    "North Quill",
    "Castle Verity",
    "Sandhollow",
    "Greywater",
    "Lindenfall",
    "Oster Head",
    "Thornmere",
)

POLITICS = Topic(
    "politics",
    FeeSchedule(40_000, 1, 250_000),
    ("politics",),
    (
        "Will the {place} council pass its budget before {month} ends?",
        "Will the mayor of {place} call an early vote by {month}?",
    ),
    (
        Several(
            "Who will win the {place} mayoral election?",
            "Will {name} win the {place} mayoral election?",
            ("Ada Renn", "Bo Calder", "Cyra Holt", "Dov Marsh", "Enid Pike", "Farid Loam"),
        ),
        Several(
            "Which party will lead the {place} assembly?",
            "Will the {name} lead the {place} assembly?",
            ("Harbor List", "Meadow Union", "Civic League", "Lantern Party", "Old Mill Front"),
        ),
    ),
)
GEOPOLITICS = Topic(
    "geopolitics",
    FeeSchedule(0),
    ("geopolitics",),
    (
        "Will {place} and Norrland sign the river treaty by {month}?",
        "Will the {place} border crossing reopen before {month} ends?",
    ),
    (
        Several(
            "Which city will host the {place} straits talks?",
            "Will {name} host the {place} straits talks?",
            ("Almora", "Brine Point", "Coldwick", "Dunmarrow", "Estwick", "Farrowgate"),
        ),
        Several(
            "Who will chair the {place} ceasefire panel?",
            "Will {name} chair the {place} ceasefire panel?",
            ("Ilse Tarn", "Joon Abara", "Kerr Whitlock", "Lio Santel"),
        ),
    ),
)
ECONOMICS = Topic(
    "economics",
    FeeSchedule(50_000, 1, 250_000),
    ("economics",),
    (
        "Will unemployment in {place} fall in the {month} report?",
        "Will the Bank of {place} cut its rate at the {month} meeting?",
    ),
    (
        Several(
            "What will the Bank of {place} decide in {month}?",
            "Will the Bank of {place} decide on {name} in {month}?",
            ("a cut of 50", "a cut of 25", "no change", "a rise of 25"),
        ),
        Several(
            "Where will {place} inflation land in {month}?",
            "Will {place} inflation be {name} in {month}?",
            ("below 2.0%", "2.0-2.4%", "2.5-2.9%", "3.0-3.4%", "3.5% or more"),
        ),
    ),
)
CULTURE = Topic(
    "culture",
    FeeSchedule(50_000, 1, 250_000),
    ("culture",),
    (
        "Will the {place} opera house reopen by {month}?",
        "Will 'The Glass Ferry' top the {place} charts in {month}?",
    ),
    (
        Several(
            "Which film takes the {place} festival prize?",
            "Will '{name}' take the {place} festival prize?",
            ("Salt Hour", "The Ninth Orchard", "Low Tide", "Paper Moons", "Veranda", "Ember Road"),
        ),
        Several(
            "Which novel wins the {place} book award?",
            "Will '{name}' win the {place} book award?",
            ("A Quiet Engine", "Winterlode", "The Cartographer's Son", "Thirteen Bridges"),
        ),
    ),
)
CRYPTO = Topic(
    "crypto",
    FeeSchedule(70_000, 1, 200_000),
    ("crypto",),
    (
        "Will the {place} coin trade above 100 by {month}?",
        "Will the {place} network finish its upgrade before {month} ends?",
    ),
    (
        Several(
            "Where will the {place} coin close in {month}?",
            "Will the {place} coin close {name} in {month}?",
            ("below 60", "at 60-80", "at 80-100", "at 100-120", "above 120"),
        ),
    ),
)
TECH = Topic(
    "tech",
    FeeSchedule(40_000, 1, 250_000),
    ("tech",),
    (
        "Will {place} Robotics ship its walking cart by {month}?",
        "Will the {place} launch site fly again before {month} ends?",
    ),
    (
        Several(
            "Which lab leads the {place} benchmark in {month}?",
            "Will {name} lead the {place} benchmark in {month}?",
            ("Osprey", "Tessera", "Bluefin", "Quarry", "Halcyon"),
        ),
        Several(
            "Which engine will the {place} shuttle fly with?",
            "Will the {place} shuttle fly with the {name} engine?",
            ("Kestrel", "Mono", "Arc"),
        ),
    ),
)
WEATHER = Topic(
    "weather",
    FeeSchedule(50_000, 1, 250_000),
    ("weather",),
    (
        "Will the Harbor Bridge at {place} reopen before {month} ends?",
        "Will {place} see snow before the end of {month}?",
    ),
    (
        Several(
            "How warm will the warmest day of {month} be in {place}?",
            "Will the warmest day of {month} in {place} be {name}?",
            ("below 18 °C", "18-21 °C", "22-25 °C", "26-29 °C", "30 °C or more"),
        ),
    ),
)
SPORTS = Topic(
    "sports",
    FeeSchedule(50_000, 1, 150_000),
    ("sports", "live"),
    ("Will the {place} Herons win their next match?", "Will the {place} Foxes win away?"),
)
DAILY_CRYPTO = Topic(
    "crypto",
    FeeSchedule(70_000, 1, 200_000),
    ("crypto", "daily"),
    ("Will the {place} coin end the day higher?",),
)

TOPICS = (POLITICS, GEOPOLITICS, ECONOMICS, CULTURE, CRYPTO, TECH, WEATHER)
EXCLUDED = (SPORTS, DAILY_CRYPTO)
"""Kinds that the default configuration leaves out; offered so that the exclusion shows."""
