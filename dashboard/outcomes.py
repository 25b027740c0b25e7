"""The API of outcomes: what was said of them, and what we have in those markets."""

from typing import Any

from rest_framework import serializers

from dashboard import query
from dashboard.api import FROM, MARKET, TO, Listing, listing
from dashboard.serializers import Instant, Micro, Text
from execution.selectors import outcomes
from markets.core.types import Status
from markets.selectors.keyset import Page


class ResolutionLine(serializers.Serializer):
    """`payouts` and `proposed` are what YES and NO pay a share; null where nothing was said."""

    market = Text()
    question = Text()
    status = Text()
    at = Instant()
    payouts = serializers.ListField(child=Micro(), allow_null=True)
    proposed = serializers.ListField(child=Micro(), allow_null=True)
    held_yes = Micro()
    held_no = Micro()
    paid_yes = Micro()
    paid_no = Micro()


@listing
class Resolutions(Listing):
    """What the exchange said of outcomes, and the base account's shares in those markets now."""

    line = ResolutionLine
    key = int
    parameters = (
        MARKET,
        query.choice("state", "Only statements of this state.", Status),
        FROM,
        TO,
    )

    def rows(self, asked: dict[str, Any]) -> Page[Any]:
        return outcomes.resolutions(status=asked.pop("state"), **asked)
