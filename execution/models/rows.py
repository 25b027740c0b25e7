"""Rows of what we did and what came of it; private to this app, neighbours use the selectors."""

from django.db import models
from django.db.models import F, Q

SPENDABLE = ("CASH", "RESERVED", "POSITION")
"""Kinds of LedgerAccount that can never be overdrawn."""


class Account(models.Model):
    """One of the three accounts: its fill model, its newest figures, and the state step needs.

    `state` is the canonical JSON of the portfolio, written with the desk cursor.
    """

    name = models.TextField(primary_key=True)
    opened_at = models.BigIntegerField()
    seed = models.BigIntegerField()
    config_digest = models.TextField()
    initial = models.BigIntegerField()
    cash = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    equity = models.BigIntegerField(default=0)
    high_water = models.BigIntegerField(default=0)
    day_open = models.BigIntegerField(default=0)
    deposits = models.BigIntegerField(default=0)
    realized = models.BigIntegerField(default=0)
    fees = models.BigIntegerField(default=0)
    drawdown = models.BigIntegerField(default=0)
    stopped = models.TextField(default="")
    rebates = models.BigIntegerField(default=0)
    era = models.IntegerField(default=1)
    marked_at = models.BigIntegerField(default=0)
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """A person's decision: append-only; stamped with the tick that first applied it."""

    kind = models.TextField()
    scope = models.TextField(default="")
    value = models.TextField(default="")
    who = models.TextField()
    why = models.TextField()
    recorded_at = models.DateTimeField()
    applied_tick = models.BigIntegerField(null=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.scope} by {self.who}"


class StrategyState(models.Model):
    """One strategy's switch: the configured value, a person's override, and the state in force.

    `overridden` is what the configuration said when the override was made; `suspended` why a rule
    switched it off, '' while none did.
    """

    name = models.TextField(primary_key=True)
    configured = models.BooleanField(default=False)
    override = models.BooleanField(null=True)
    overridden = models.BooleanField(null=True)
    state = models.TextField()
    reason = models.TextField(default="")
    description = models.TextField(default="")
    parameters = models.JSONField(default=dict)
    suspended = models.TextField(default="")
    suspended_at = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class LimitState(models.Model):
    """One risk limit: the configured value, a person's override, and the newest use of it.

    `overridden` is what the configuration said when the override was made.
    """

    name = models.TextField(primary_key=True)
    configured = models.BigIntegerField()
    override = models.BigIntegerField(null=True)
    overridden = models.BigIntegerField(null=True)
    used = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class HaltState(models.Model):
    """A latched kill switch; the row goes when a person resumes."""

    scope = models.TextField(primary_key=True)
    reason = models.TextField()
    who = models.TextField()
    at = models.BigIntegerField()

    def __str__(self) -> str:
        return f"halt {self.scope}"


class LedgerAccount(models.Model):
    """Where money or shares lie; totals are kept by a trigger, never by code."""

    account = models.TextField()
    strategy = models.TextField(default="")
    kind = models.TextField()
    asset = models.TextField()
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account", "strategy", "kind", "asset", name="ledger_account_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=SPENDABLE) | Q(debits__gte=F("credits")),
                name="ledger_account_not_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}/{self.strategy}/{self.kind}/{self.asset[:12]}"


class JournalEntry(models.Model):
    """One booking; append-only, and its id is a function of its cause."""

    id = models.TextField(primary_key=True)
    account = models.TextField()
    kind = models.TextField()
    cause = models.TextField()
    at = models.BigIntegerField()
    tick_id = models.BigIntegerField(db_index=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.id[:12]}"


class Posting(models.Model):
    """One amount from a credit to a debit LedgerAccount of the same asset; append-only."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT)
    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    asset = models.TextField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="posting_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="posting_two_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset[:12]}"


class Order(models.Model):
    """One paper order and its state."""

    id = models.TextField(primary_key=True)
    tick_id = models.BigIntegerField(db_index=True)
    account = models.TextField()
    strategy = models.TextField()
    market = models.TextField()
    token = models.TextField()
    outcome = models.TextField()
    side = models.TextField()
    type = models.TextField()
    price = models.BigIntegerField()
    size = models.BigIntegerField()
    purpose = models.TextField()
    leg = models.SmallIntegerField(default=0)
    signal = models.ForeignKey(
        "strategies.Signal", on_delete=models.PROTECT, null=True, db_constraint=False
    )
    placed_at = models.BigIntegerField(db_index=True)
    arrives_at = models.BigIntegerField()
    filled = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    state = models.TextField()
    reason = models.TextField(default="")
    post_only = models.BooleanField(default=False)
    expires_at = models.BigIntegerField(default=0)
    group = models.TextField(default="")
    fair = models.BigIntegerField(default=0)
    touch = models.BigIntegerField(default=0)
    expected = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["account", "placed_at"], name="order_by_account")]

    def __str__(self) -> str:
        return f"{self.side} {self.outcome} {self.market}"


class Trade(models.Model):
    """One fill or settlement, with its evidence."""

    id = models.TextField(primary_key=True)
    tick_id = models.BigIntegerField(db_index=True)
    account = models.TextField()
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, db_constraint=False)
    strategy = models.TextField()
    market = models.TextField()
    token = models.TextField()
    outcome = models.TextField()
    side = models.TextField()
    price = models.BigIntegerField()
    size = models.BigIntegerField()
    notional = models.BigIntegerField()
    fee = models.BigIntegerField()
    liquidity = models.TextField()
    evidence = models.TextField()
    level = models.SmallIntegerField(default=0)
    book_at = models.BigIntegerField()
    at = models.BigIntegerField(db_index=True)
    realized_pnl = models.BigIntegerField(default=0)
    fair_value = models.BigIntegerField(default=0)
    spread_cost = models.BigIntegerField(default=0)
    latency_cost = models.BigIntegerField(default=0)
    slippage_cost = models.BigIntegerField(default=0)
    signal_gain = models.BigIntegerField(default=0)
    settlement_gain = models.BigIntegerField(default=0)
    rebate = models.BigIntegerField(default=0)

    class Meta:
        db_table = "trades"
        indexes = [models.Index(fields=["account", "at"], name="trade_by_account")]

    def __str__(self) -> str:
        return f"{self.side} {self.size} {self.outcome} at {self.price}"


class Operation(models.Model):
    """A split, merge or conversion: shares and cash turned into each other without a trade."""

    id = models.TextField(primary_key=True)
    tick_id = models.BigIntegerField(db_index=True)
    account = models.TextField()
    strategy = models.TextField()
    kind = models.TextField()
    markets = models.JSONField(default=list)
    size = models.BigIntegerField()
    placed_at = models.BigIntegerField(db_index=True)
    due_at = models.BigIntegerField()
    reserved = models.BigIntegerField(default=0)
    state = models.TextField()
    reason = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.kind} {self.size}"


class Position(models.Model):
    """Shares of one token held by one strategy in one account, marked at the last tick.

    `state` is '' while the market trades, else a HoldingState.
    """

    account = models.TextField()
    strategy = models.TextField()
    market = models.TextField()
    token = models.TextField()
    outcome = models.TextField()
    size = models.BigIntegerField()
    cost = models.BigIntegerField()
    mark = models.BigIntegerField(default=0)
    value = models.BigIntegerField(default=0)
    opened_at = models.BigIntegerField()
    fair_cost = models.BigIntegerField(default=0)
    state = models.TextField(default="")

    class Meta:
        db_table = "positions"
        constraints = [
            models.UniqueConstraint("account", "strategy", "token", name="position_once")
        ]

    def __str__(self) -> str:
        return f"{self.size} {self.outcome} of {self.market}"


class Refusal(models.Model):
    """An order that was not made, with the limit and the value that broke it."""

    tick_id = models.BigIntegerField(db_index=True)
    at = models.BigIntegerField(db_index=True)
    account = models.TextField()
    strategy = models.TextField()
    market = models.TextField()
    token = models.TextField()
    signal = models.TextField(default="")
    code = models.TextField()
    limit = models.TextField(default="")
    value = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "tick_id", "account", "strategy", "token", "code", name="refusal_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.market}"


class Lapse(models.Model):
    """Ticks the desk came to too late to trade on: they feed marks and settlement, open nothing."""

    from_tick = models.BigIntegerField(unique=True)
    to_tick = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"lapse {self.from_tick}-{self.to_tick}"


class Equity(models.Model):
    """An account's worth at one tick, marked at liquidation value."""

    account = models.TextField()
    at = models.BigIntegerField()
    cash = models.BigIntegerField()
    reserved = models.BigIntegerField()
    equity = models.BigIntegerField()
    drawdown = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "equity"
        constraints = [models.UniqueConstraint("account", "at", name="equity_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.equity} at {self.at}"


class Archive(models.Model):
    """An account as it stood when a person closed it and began a new one under its name.

    Its orders, trades and equity stay where they are, dated before `closed_at`.
    """

    account = models.TextField()
    era = models.IntegerField()
    opened_at = models.BigIntegerField()
    closed_at = models.BigIntegerField()
    tick_id = models.BigIntegerField()
    equity = models.BigIntegerField()
    deposits = models.BigIntegerField()
    realized = models.BigIntegerField()
    fees = models.BigIntegerField()
    who = models.TextField()
    why = models.TextField()
    state = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("account", "era", name="archived_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.era}"


class Reconciliation(models.Model):
    """One comparison of everything shown with the ledger; `faults` is empty when all agreed."""

    at = models.DateTimeField(db_index=True)
    postings = models.BigIntegerField()
    faults = models.JSONField(default=list)
    took_ms = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{'faults' if self.faults else 'ok'} at {self.at}"
