"""The outbox: what people should hear, written with its cause, sent afterwards."""

from django.db import models


class Notification(models.Model):
    """One message; `key` is a function of its cause, so it is written once."""

    key = models.TextField(unique=True)
    kind = models.TextField()
    level = models.TextField()
    text = models.TextField()
    channel = models.TextField(default="log")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, db_index=True)
    attempts = models.IntegerField(default=0)
    error = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.kind} {self.key[:12]}"
