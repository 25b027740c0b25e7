"""Rows of what the exchange showed us; private to this app, neighbours use the selectors."""

from django.db import models


class Event(models.Model):
    """An exchange event; a neg-risk event's markets exclude each other."""

    event_id = models.TextField(unique=True)
    slug = models.TextField(default="")
    title = models.TextField(default="")
    neg_risk = models.BooleanField(default=False)
    augmented = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.title or self.event_id


class Market(models.Model):
    """One binary question; `condition_id` is its identity, the key is local.

    What follows `game_start_at_ms` is as the listing last said; `reason` and `rank` are how the
    market stood in the sync that last saw it listed, `last_seen_at_ms`.
    """

    condition_id = models.TextField(unique=True)
    slug = models.TextField(default="", db_index=True)
    question = models.TextField(default="")
    category = models.TextField(default="")
    tags = models.JSONField(default=list)
    event = models.ForeignKey(Event, on_delete=models.PROTECT)
    created_at_ms = models.BigIntegerField(default=0)
    game_start_at_ms = models.BigIntegerField(null=True)
    volume_24h = models.BigIntegerField(default=0)
    liquidity = models.BigIntegerField(default=0)
    spread = models.BigIntegerField(null=True)
    price = models.BigIntegerField(null=True)
    starts_at_ms = models.BigIntegerField(null=True)
    version = models.TextField(default="v1")
    first_seen_at_ms = models.BigIntegerField(default=0)
    last_seen_at_ms = models.BigIntegerField(default=0, db_index=True)
    reason = models.TextField(default="")
    rank = models.IntegerField(null=True)

    def __str__(self) -> str:
        return self.question or self.condition_id


class Token(models.Model):
    """One outcome of a market: index 0 is YES, 1 is NO."""

    token_id = models.TextField(unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    outcome = models.TextField()
    index = models.SmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("market", "index", name="token_side_once")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.token_id}"


class Terms(models.Model):
    """A market's trading rules from one instant on; never edited, only followed by newer ones."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    effective_at = models.BigIntegerField()
    end_at = models.BigIntegerField(null=True)
    tick_size = models.BigIntegerField()
    min_size = models.BigIntegerField()
    fee_rate = models.BigIntegerField(null=True)
    fee_exponent = models.SmallIntegerField(default=1)
    rebate_rate = models.BigIntegerField(default=0)
    status = models.TextField()
    accepting_orders = models.BooleanField()
    taker_delay_ms = models.IntegerField(default=0)

    class Meta:
        verbose_name_plural = "terms"
        constraints = [models.UniqueConstraint("market", "effective_at", name="terms_from_once")]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.effective_at}"


class Universe(models.Model):
    """Which markets were tracked, under which terms, from one instant on.

    `members` is [[terms key, 24-hour volume], ...] in column order, `reasons` why each of them was
    in from then on: [[code, rank or null, note], ...].
    """

    effective_at = models.BigIntegerField()
    members = models.JSONField()
    reasons = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "universes"

    def __str__(self) -> str:
        return f"universe {self.pk}"


class Sync(models.Model):
    """One look at the exchange's list of markets; only those of the last days are kept.

    `exclusions` counts the markets left out by reason; `unknown` lists pins that name nothing.
    """

    at = models.BigIntegerField(db_index=True)
    complete = models.BooleanField()
    listed = models.IntegerField()
    unreadable = models.IntegerField(default=0)
    new = models.IntegerField(default=0)
    vanished = models.IntegerField(default=0)
    tracked = models.IntegerField()
    outcomes = models.IntegerField(default=0)
    cutoff = models.BigIntegerField(default=0)
    exclusions = models.JSONField(default=dict)
    incomplete = models.JSONField(default=list)
    unknown = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "syncs"

    def __str__(self) -> str:
        return f"sync at {self.at}"


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


class PastImport(models.Model):
    """What became of asking for one market's price history when it entered the universe.

    `entered_at` is 0 while the market is not tracked. `bars` were stored in all; those up to
    `newest_at` wait for a tick to bring them while `waiting`. `done` means that nothing is asked
    any more until it enters again. Times in ms UTC.
    """

    market = models.OneToOneField(Market, on_delete=models.PROTECT, primary_key=True)
    entered_at = models.BigIntegerField(default=0)
    asked_at = models.BigIntegerField(default=0)
    tries = models.IntegerField(default=0)
    bars = models.IntegerField(default=0)
    newest_at = models.BigIntegerField(default=0)
    waiting = models.BooleanField(default=False)
    done = models.BooleanField(default=False)
    reason = models.TextField(default="")

    class Meta:
        verbose_name = "price history import"

    def __str__(self) -> str:
        return f"price history of {self.market_id}"


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


class Pin(models.Model):
    """A market kept in the universe for a reason, whatever its rank."""

    condition_id = models.TextField()
    reason = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint("condition_id", "reason", name="pin_once")]

    def __str__(self) -> str:
        return f"{self.condition_id} for {self.reason}"


class Wish(models.Model):
    """A person's wish to track whatever `name` names: a condition id or a slug."""

    name = models.TextField(primary_key=True)
    who = models.TextField(default="")
    why = models.TextField(default="")
    at = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "wishes"

    def __str__(self) -> str:
        return f"track {self.name}"


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


class Cursor(models.Model):
    """How far a stage has come; moving it by compare-and-set is the claim to its work."""

    name = models.TextField(primary_key=True)
    position = models.BigIntegerField()
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
