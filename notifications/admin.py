"""The outbox, to read."""

from django.contrib import admin

from markets.admin import ReadOnly
from notifications.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    """What was told, through which channel, and why something was not."""

    list_display = (
        "created_at",
        "level",
        "kind",
        "text",
        "channel",
        "sent_at",
        "attempts",
        "error",
    )
    list_filter = ("kind", "level", "channel")
    search_fields = ("text", "key")
    ordering = ("-pk",)
