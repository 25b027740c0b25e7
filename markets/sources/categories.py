"""One category a market, in the words of the exchange's fee table."""

CATEGORIES = {
    "sports": "sports",
    "esports": "sports",
    "crypto": "crypto",
    "crypto-prices": "crypto",
    "geopolitics": "geopolitics",
    "world": "geopolitics",
    "economy": "economics",
    "economics": "economics",
    "economic-policy": "economics",
    "finance": "finance",
    "business": "finance",
    "elections": "politics",
    "politics": "politics",
    "mentions": "mentions",
    "mention-markets": "mentions",
    "weather": "weather",
    "climate": "weather",
    "tech": "tech",
    "ai": "tech",
    "culture": "culture",
    "pop-culture": "culture",
}
"""Tag slug -> category, the most telling tag first; the words are those of the fee table."""


WORDS = (*sorted({*CATEGORIES.values()}), "other")
"""Every category there is."""


def category(fee_type: str | None, tags: tuple[str, ...], sport: str | None = None) -> str:
    """The market's one category: by its fee type, else by its most telling tag, else "other"."""
    named = (fee_type or "").split("_")[0]
    if named in CATEGORIES.values():
        return named
    if sport:
        return "sports"
    return next((CATEGORIES[slug] for slug in CATEGORIES if slug in tags), "other")
