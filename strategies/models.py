"""Rows of what the strategies believed; private to this app, neighbours use the selectors."""

from django.db import models


class Signal(models.Model):
    """A Bet or a Quote when it appeared or changed, and what became of it in the base account.

    A quote names no token: `limit` is its YES bid and `ask` its YES ask while nothing is held.
    """

    id = models.TextField(primary_key=True)
    tick_id = models.BigIntegerField(db_index=True)
    at = models.BigIntegerField(db_index=True)
    kind = models.TextField(default="bet")
    strategy = models.TextField()
    version = models.TextField()
    market = models.TextField()
    token = models.TextField()
    outcome = models.TextField()
    fair = models.BigIntegerField()
    limit = models.BigIntegerField()
    ask = models.BigIntegerField(default=0)
    edge = models.BigIntegerField()
    size = models.BigIntegerField()
    plan = models.JSONField()
    why = models.TextField(default="")
    disposition = models.TextField(default="")
    reason = models.TextField(default="")
    closed_tick_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "signals"
        indexes = [
            models.Index(fields=["strategy", "at"], name="signal_by_strategy"),
            models.Index(fields=["market", "at"], name="signal_by_market"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy} {self.outcome} {self.market} at {self.at}"


class SilenceRun(models.Model):
    """A strategy silent about a market for one reason, from tick to tick (open while null)."""

    strategy = models.TextField()
    market = models.TextField()
    reason = models.TextField()
    detail = models.TextField(default="")
    from_tick = models.BigIntegerField()
    from_at = models.BigIntegerField()
    to_tick = models.BigIntegerField(null=True)
    to_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("strategy", "market", "from_tick", name="silence_once"),
            models.UniqueConstraint(
                "strategy",
                "market",
                name="silence_open_once",
                condition=models.Q(to_tick__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["market", "from_tick"], name="silence_by_market")]

    def __str__(self) -> str:
        return f"{self.strategy} {self.reason} {self.market}"


class Evaluation(models.Model):
    """Counts of one strategy in one tick: markets seen, signalled, and silent by reason."""

    tick_id = models.BigIntegerField()
    at = models.BigIntegerField()
    strategy = models.TextField()
    version = models.TextField()
    seen = models.IntegerField()
    signalled = models.IntegerField()
    silent = models.JSONField(default=dict)
    error = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint("tick_id", "strategy", name="evaluation_once")]

    def __str__(self) -> str:
        return f"{self.strategy} at tick {self.tick_id}"
