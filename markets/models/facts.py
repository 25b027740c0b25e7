"""What was learnt beside the quotes, what went wrong, and how far each stage has come."""

from django.db import models

from markets.models.listing import Market


class Anomaly(models.Model):
    """A market's books refused or flagged for one reason, read after read.

    `tick_id` and `at` are where it began, `last_at` when it was last seen and `count` in how many
    reads; after a quiet while the same fault begins a new row.
    """

    tick_id = models.BigIntegerField()
    at = models.BigIntegerField(db_index=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    code = models.TextField()
    last_at = models.BigIntegerField(db_index=True)
    count = models.BigIntegerField(default=1)

    class Meta:
        verbose_name_plural = "anomalies"

    def __str__(self) -> str:
        return f"{self.code} {self.market_id}"


class Stint(models.Model):
    """A stretch in which a market was read: from its first tick's turn until it left, or still."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_index=False)
    since = models.BigIntegerField()
    until = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint("market", "since", name="stint_begins_once")]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.since}"


class Gap(models.Model):
    """A stretch in which nothing of a market was confirmed, written by the tick that ended it.

    Without a market it is a silence of the whole collector: it counts for every one read then.
    """

    market = models.ForeignKey(Market, on_delete=models.PROTECT, null=True, db_index=False)
    tick_id = models.BigIntegerField()
    since = models.BigIntegerField()
    until = models.BigIntegerField(db_index=True)
    reason = models.TextField()
    detail = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["market", "until"], name="gap_series")]

    def __str__(self) -> str:
        return f"{self.reason} {self.market_id or 'all'} from {self.since}"


class Resolution(models.Model):
    """What the exchange said of a market's outcome, and the tick on which we learnt it."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    tick_id = models.BigIntegerField(db_index=True)
    status = models.TextField()
    at = models.BigIntegerField()
    yes_payout = models.BigIntegerField(null=True)
    no_payout = models.BigIntegerField(null=True)
    yes_proposed = models.BigIntegerField(null=True)
    no_proposed = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("market", "status", "at", name="resolution_said_once")
        ]

    def __str__(self) -> str:
        return f"{self.market_id} {self.status}"


class Print(models.Model):
    """One trade on the exchange, and the tick on which we learnt of it."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_index=False)
    tick_id = models.BigIntegerField(db_index=True)
    outcome = models.SmallIntegerField()
    side = models.TextField()
    price = models.BigIntegerField()
    size = models.BigIntegerField()
    at = models.BigIntegerField()
    transaction = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "market", "at", "outcome", "side", "price", "size", "transaction",
                name="print_once",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.side} {self.market_id} at {self.at}"


class Feed(models.Model):
    """One door to the exchange and how it answered when last asked; kept across restarts."""

    name = models.TextField(primary_key=True)
    state = models.TextField()
    reason = models.TextField(default="")
    since = models.BigIntegerField()
    seen_at = models.BigIntegerField()
    paused_until = models.BigIntegerField(default=0)
    requests = models.BigIntegerField(default=0)
    failures = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class Cursor(models.Model):
    """How far a stage has come; moving it by compare-and-set is the claim to its work."""

    name = models.TextField(primary_key=True)
    position = models.BigIntegerField()
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
