"""What the strategies believed, to read."""

from django.contrib import admin

from markets.admin import ReadOnly, amount, instant
from strategies.models import Evaluation, Learnt, Signal, SilenceRun


@admin.register(Signal)
class SignalAdmin(ReadOnly):
    list_display = (
        "when", "strategy", "outcome", "market", "fair_value", "up_to", "expected", "shares",
        "disposition", "reason",
    )  # fmt: skip
    list_filter = ("strategy", "disposition")
    search_fields = ("id", "market", "token")
    ordering = ("-at", "-id")
    when, fair_value = instant("at", "at"), amount("fair")
    up_to, expected, shares = amount("limit"), amount("edge"), amount("size", "shares")


@admin.register(SilenceRun)
class SilenceRunAdmin(ReadOnly):
    list_display = ("since", "until", "strategy", "reason", "detail", "market")
    list_filter = ("strategy", "reason")
    search_fields = ("market",)
    ordering = ("-from_at", "-id")
    since, until = instant("from_at", "from"), instant("to_at", "to")


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnly):
    list_display = ("when", "strategy", "seen", "signalled", "silent", "error")
    list_filter = ("strategy",)
    ordering = ("-tick_id", "strategy")
    when = instant("at", "at")


@admin.register(Learnt)
class LearntAdmin(ReadOnly):
    list_display = ("when", "name", "digest", "sources")
    list_filter = ("name",)
    ordering = ("-id",)
    when = instant("fitted_at", "fitted")
