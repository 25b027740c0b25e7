"""What was seen: ticks with their snapshots, bars, and the newest quotes."""

from django.db import models

from markets.models.listing import Market, Universe


class Tick(models.Model):
    """One look at the whole universe; the key is the collect cursor's position."""

    id = models.BigIntegerField(primary_key=True)
    at = models.BigIntegerField(unique=True)
    universe = models.ForeignKey(Universe, on_delete=models.PROTECT)
    recorded_at = models.DateTimeField(db_index=True)
    checkpoint = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return f"tick {self.id}"


class Snapshot(models.Model):
    """One market in one tick: YES touch, confirmation times, and depth where it changed.

    `depth` is null where the book is the one last stored; `no_depth` is null where NO is the
    mirror of YES.
    """

    pk = models.CompositePrimaryKey("tick_id", "market_id")
    tick = models.ForeignKey(Tick, on_delete=models.PROTECT, db_index=False)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_index=False)
    bid = models.BigIntegerField()
    ask = models.BigIntegerField()
    bid_size = models.BigIntegerField()
    ask_size = models.BigIntegerField()
    bid_valid = models.BooleanField()
    ask_valid = models.BooleanField()
    observed_at = models.BigIntegerField()
    venue_at = models.BigIntegerField()
    coherent = models.BooleanField()
    depth = models.BinaryField(null=True)
    no_depth = models.BinaryField(null=True)

    class Meta:
        db_table = "market_snapshots"
        indexes = [models.Index(fields=["market", "tick"], name="snapshot_series")]

    def __str__(self) -> str:
        return f"{self.market_id} at tick {self.tick_id}"


class Bar(models.Model):
    """Five minutes of one market, sealed at its close and never recomputed.

    An imported one came from the exchange's price history; `learnt_tick_id` is the tick that
    brought it into the panel, null while none has.
    """

    pk = models.CompositePrimaryKey("at", "market_id")
    at = models.BigIntegerField()
    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_index=False)
    bid = models.BigIntegerField()
    ask = models.BigIntegerField()
    micro = models.BigIntegerField()
    changes = models.IntegerField()
    count = models.IntegerField()
    imported = models.BooleanField(default=False)
    learnt_tick_id = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["market", "at"], name="bar_series")]

    def __str__(self) -> str:
        return f"{self.market_id} bar {self.at}"


class Latest(models.Model):
    """The newest quote of each market: one row a market, for pages and API.

    `changed_at` is when its book last changed, in the exchange's words where it says so.
    """

    market = models.OneToOneField(Market, on_delete=models.PROTECT, primary_key=True)
    tick_id = models.BigIntegerField()
    bid = models.BigIntegerField()
    ask = models.BigIntegerField()
    bid_size = models.BigIntegerField()
    ask_size = models.BigIntegerField()
    bid_valid = models.BooleanField()
    ask_valid = models.BooleanField()
    observed_at = models.BigIntegerField()
    changed_at = models.BigIntegerField(default=0)
    coherent = models.BooleanField()
    tracked = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "latest quotes"

    def __str__(self) -> str:
        return f"latest of {self.market_id}"


class SealedDay(models.Model):
    """One UTC day in the archive, by its start; `thinned_to` and `pruned` tell what rows are left.

    Nothing of a day is deleted from the tables before its state is "sealed": every file read back
    from the disk and found equal.
    """

    began_at = models.BigIntegerField(primary_key=True)
    state = models.TextField()
    reason = models.TextField(default="")
    first_tick = models.BigIntegerField()
    last_tick = models.BigIntegerField()
    ticks = models.IntegerField()
    snapshots = models.BigIntegerField(default=0)
    tried_at = models.BigIntegerField()
    sealed_at = models.BigIntegerField(null=True)
    thinned_to = models.BigIntegerField(default=0)
    pruned = models.BooleanField(default=False)
    raw_kept = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"day {self.began_at} {self.state}"


class ArchiveFile(models.Model):
    """One file of a day in the archive, written after the file was read back and found right.

    `digest` is the checksum of the ticks inside a raw part, as the tables held them.
    """

    day = models.ForeignKey(SealedDay, on_delete=models.CASCADE, related_name="files")
    name = models.TextField()
    last_tick = models.BigIntegerField()
    snapshots = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.TextField()
    digest = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint("day", "name", name="archive_file_once")]

    def __str__(self) -> str:
        return self.name
