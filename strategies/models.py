"""Rows of what the strategies believed; private to this app, neighbours use the selectors."""

from django.db import models


class Signal(models.Model):
    """A Bet or a Quote when it appeared or changed, and what became of it in the base account.

    A quote names no token: `limit` is its YES bid and `ask` its YES ask while nothing is held.
    `due_at` is when it is to be scored next (ms UTC), null once all is known of it.
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
    due_at = models.BigIntegerField(null=True, default=0, db_index=True)

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
        indexes = [
            models.Index(fields=["market", "from_tick"], name="silence_by_market"),
            models.Index(fields=["to_at"], name="silence_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy} {self.reason} {self.market}"


class Counted(models.Model):
    """What a strategy saw, said and came to: `refused` by code, `sized_to_zero`, orders and fills
    are the base account's."""

    strategy = models.TextField()
    seen = models.BigIntegerField()
    signalled = models.BigIntegerField()
    silent = models.JSONField(default=dict)
    refused = models.JSONField(default=dict)
    sized_to_zero = models.IntegerField(default=0)
    ordered = models.IntegerField(default=0)
    filled = models.IntegerField(default=0)

    class Meta:
        abstract = True


class Evaluation(Counted):
    """Counts of one strategy in one tick; `inputs` is the digest of what it was told besides."""

    tick_id = models.BigIntegerField()
    at = models.BigIntegerField()
    version = models.TextField()
    error = models.TextField(default="")
    inputs = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint("tick_id", "strategy", name="evaluation_once")]

    def __str__(self) -> str:
        return f"{self.strategy} at tick {self.tick_id}"


class EvaluationDay(Counted):
    """Sums of one strategy's evaluations of one UTC day (`day` ms UTC) that were folded away."""

    day = models.BigIntegerField()
    ticks = models.IntegerField(default=0)
    errors = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("day", "strategy", name="evaluation_day_once")]

    def __str__(self) -> str:
        return f"{self.strategy} on day {self.day}"


class SignalScore(models.Model):
    """One measure of one signal: what `value` and `other` are, `strategies.core.scoring` says.

    Both are micro; where they cannot be known they are null and `unknown` says why.
    """

    signal = models.TextField()
    measure = models.TextField()
    strategy = models.TextField()
    kind = models.TextField()
    market = models.TextField()
    event = models.TextField()
    at = models.BigIntegerField()
    value = models.BigIntegerField(null=True)
    other = models.BigIntegerField(null=True)
    unknown = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint("signal", "measure", name="scored_once")]
        indexes = [models.Index(fields=["strategy", "measure"], name="score_by_strategy")]

    def __str__(self) -> str:
        return f"{self.measure} of {self.signal[:12]}"


class Learnt(models.Model):
    """One state of knowledge that rules are told, for good: recorded decisions name its digest.

    `fitted_at` is the instant it was fitted as of (ms UTC), `body` the JSON that
    `strategies.core.learnt` wrote (as text: a database's own JSON forgets the sign of a zero),
    `sources` counts of what it rests on.
    """

    name = models.TextField()
    digest = models.TextField(unique=True)
    fitted_at = models.BigIntegerField()
    body = models.TextField()
    sources = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "learnt"
        indexes = [models.Index(fields=["name", "fitted_at"], name="learnt_by_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.digest[:12]}"
