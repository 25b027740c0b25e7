"""What the exchange lists, under which terms, and what of it is tracked."""

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
