"""What the exchange showed us, to read; pins are the one thing people set."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from markets.models import (
    Anomaly,
    Cursor,
    Event,
    Feed,
    Gap,
    Latest,
    Market,
    PastImport,
    Pin,
    Resolution,
    SealedDay,
    Sync,
    Terms,
    Tick,
    Token,
    Wish,
)

ONE = 1_000_000


def amount(field: str, label: str = "") -> Callable[[Any, Any], str]:
    """A column showing micro-units in whole units, sortable."""

    @admin.display(description=label or field.replace("_", " "), ordering=field)
    def column(self: Any, row: Any) -> str:
        value = getattr(row, field)
        return "–" if value is None else f"{value / ONE:,.6f}".rstrip("0").rstrip(".")

    return column


def instant(field: str, label: str = "") -> Callable[[Any, Any], str]:
    """A column showing ms UTC as a date and a time, sortable."""

    @admin.display(description=label or field.replace("_", " "), ordering=field)
    def column(self: Any, row: Any) -> str:
        value = getattr(row, field)
        if not value:
            return "–"
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S}"

    return column


class ReadOnly(admin.ModelAdmin):
    """Facts, and projections the desk writes: nobody edits them by hand."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Lines(admin.TabularInline):
    """Rows shown inside their market."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TokenLines(Lines):
    model = Token
    fields = ("index", "outcome", "token_id")


class TermsLines(Lines):
    model = Terms
    fields = ("since", "until", "status", "accepting_orders", "grid", "least", "fee")
    readonly_fields = fields
    since, until = instant("effective_at", "from"), instant("end_at", "ends")
    grid, least, fee = amount("tick_size"), amount("min_size"), amount("fee_rate")


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("title", "event_id", "neg_risk", "augmented")
    list_filter = ("neg_risk",)
    search_fields = ("title", "slug", "event_id")


@admin.register(Market)
class MarketAdmin(ReadOnly):
    list_display = ("question", "category", "event", "volume", "reason", "rank", "condition_id")
    list_filter = ("category", "reason")
    list_select_related = ("event",)
    search_fields = ("question", "slug", "condition_id")
    ordering = ("-volume_24h", "id")
    inlines = (TokenLines, TermsLines)
    volume = amount("volume_24h", "24 h volume")


@admin.register(Latest)
class LatestAdmin(ReadOnly):
    list_display = ("market", "best_bid", "best_ask", "coherent", "tracked", "confirmed")
    list_filter = ("tracked", "coherent")
    list_select_related = ("market",)
    search_fields = ("market__question", "market__condition_id")
    ordering = ("-observed_at",)
    best_bid, best_ask = amount("bid"), amount("ask")
    confirmed = instant("observed_at", "confirmed")


@admin.register(Tick)
class TickAdmin(ReadOnly):
    list_display = ("id", "when", "universe_id", "recorded_at")
    exclude = ("checkpoint",)
    ordering = ("-id",)
    when = instant("at", "at")


@admin.register(Anomaly)
class AnomalyAdmin(ReadOnly):
    list_display = ("when", "seen", "count", "code", "market", "tick_id")
    list_filter = ("code",)
    list_select_related = ("market",)
    ordering = ("-at", "-id")
    when, seen = instant("at", "began"), instant("last_at", "last seen")


@admin.register(Resolution)
class ResolutionAdmin(ReadOnly):
    list_display = ("when", "market", "status", "yes", "no", "proposed", "tick_id")
    list_filter = ("status",)
    list_select_related = ("market",)
    ordering = ("-at", "-id")
    when, yes, no = instant("at", "at"), amount("yes_payout"), amount("no_payout")
    proposed = amount("yes_proposed", "YES as proposed")


@admin.register(SealedDay)
class SealedDayAdmin(ReadOnly):
    list_display = ("began", "state", "ticks", "snapshots", "raw_kept", "pruned", "reason")
    list_filter = ("state",)
    ordering = ("-began_at",)
    began = instant("began_at", "day")


@admin.register(PastImport)
class PastImportAdmin(ReadOnly):
    list_display = ("market", "entered", "asked", "tries", "bars", "waiting", "done", "reason")
    list_filter = ("done", "waiting")
    list_select_related = ("market",)
    ordering = ("-entered_at", "market_id")
    entered, asked = instant("entered_at", "entered"), instant("asked_at", "asked")


@admin.register(Gap)
class GapAdmin(ReadOnly):
    list_display = ("begun", "ended", "market", "reason", "detail")
    list_filter = ("reason",)
    list_select_related = ("market",)
    ordering = ("-until", "-id")
    begun, ended = instant("since", "from"), instant("until", "until")


@admin.register(Feed)
class FeedAdmin(ReadOnly):
    list_display = ("name", "state", "begun", "reason", "requests")
    list_filter = ("state",)
    begun = instant("since", "since")


@admin.register(Cursor)
class CursorAdmin(ReadOnly):
    list_display = ("name", "position", "moved_at")
    ordering = ("name",)


@admin.register(Sync)
class SyncAdmin(ReadOnly):
    list_display = ("when", "complete", "listed", "new", "vanished", "tracked", "exclusions")
    ordering = ("-id",)
    when = instant("at", "at")


@admin.register(Wish)
class WishAdmin(ReadOnly):
    list_display = ("name", "who", "why", "when")
    search_fields = ("name",)
    ordering = ("name",)
    when = instant("at", "since")


@admin.register(Pin)
class PinAdmin(ReadOnly):
    list_display = ("condition_id", "reason")
    search_fields = ("condition_id",)
