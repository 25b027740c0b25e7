"""The keys and types of what the API says of the data's quality."""

from rest_framework import serializers

from dashboard.serializers import Count, Instant, Micro, Text


class GapLine(serializers.Serializer):
    """`market` is null where nothing was confirmed of any market; `to_at` while it lasts."""

    market = Text(allow_null=True)
    from_at = Instant()
    to_at = Instant(allow_null=True)
    seconds = Micro()
    reason = Text()
    meaning = Text()
    detail = Text()


class CoverageLine(serializers.Serializer):
    market = Text()
    question = Text()
    coverage = Micro(allow_null=True)
    tracked_seconds = Micro()
    covered_seconds = Micro()


class Coverage(serializers.Serializer):
    from_at = Instant()
    to_at = Instant()
    coverage = Micro(allow_null=True)
    tracked_seconds = Micro()
    covered_seconds = Micro()
    markets = Count()
    results = CoverageLine(many=True)


class AnomalyLine(serializers.Serializer):
    code = Text()
    count = Count()
    markets = Count()
    last_at = Instant()


class FeedLine(serializers.Serializer):
    name = Text()
    state = Text()
    reason = Text()
    since = Instant()
    seen_at = Instant()
    paused_until = Instant(allow_null=True)
    requests = Count()
    failures = serializers.DictField(child=Count())
