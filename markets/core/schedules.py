"""The exchange's published fee schedules by category and date, for history that states none.

A live market's own schedule always wins: this table only dates what was announced. Rates a share:
r * (p * (1 - p)) ** e. Source: the exchange's fee page and its change log (30 March, 10 July 2026).
"""

from datetime import UTC, date, datetime

from markets.core.types import FeeSchedule

FREE = FeeSchedule(0)
EARLY_CRYPTO = FeeSchedule(250_000, exponent=2)
"""Crypto markets paid before the others did."""
EARLY_SPORTS = FeeSchedule(30_000, rebate_rate=250_000)

FEES_SINCE = date(2026, 3, 30)
SPORTS_SINCE = date(2026, 7, 10)

NOW = {
    "crypto": FeeSchedule(70_000, rebate_rate=200_000),
    "sports": FeeSchedule(50_000, rebate_rate=150_000),
    "finance": FeeSchedule(40_000, rebate_rate=250_000),
    "politics": FeeSchedule(40_000, rebate_rate=250_000),
    "tech": FeeSchedule(40_000, rebate_rate=250_000),
    "mentions": FeeSchedule(40_000, rebate_rate=250_000),
    "economics": FeeSchedule(50_000, rebate_rate=250_000),
    "culture": FeeSchedule(50_000, rebate_rate=250_000),
    "weather": FeeSchedule(50_000, rebate_rate=250_000),
    "other": FeeSchedule(50_000, rebate_rate=250_000),
    "geopolitics": FREE,
}


def published(category: str, at: int) -> FeeSchedule:
    """The schedule of a category in force at an instant (ms UTC); KeyError for an unknown one."""
    current, day = NOW[category], datetime.fromtimestamp(at // 1000, UTC).date()
    if day < FEES_SINCE:
        return EARLY_CRYPTO if category == "crypto" else FREE
    if category == "sports" and day < SPORTS_SINCE:
        return EARLY_SPORTS
    return current
