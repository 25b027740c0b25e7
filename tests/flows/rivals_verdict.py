"""Money and caps at every moment of a run, folded from orders, trades and postings alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum

from execution.models import JournalEntry, Order, Posting, Refusal, Trade
from execution.selectors import checks
from markets import stages
from markets.selectors import ticks
from strategies.models import Evaluation, Signal

OWNED = ("CASH", "RESERVED", "POSITION")


@dataclass
class Bound:
    """What is bound in each market and by each strategy of each account, micro-dollars."""

    market: Counter[tuple[str, str]] = field(default_factory=Counter)
    strategy: Counter[tuple[str, str]] = field(default_factory=Counter)
    size: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    cost: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    highest: Counter[str] = field(default_factory=Counter)

    def add(self, of: Order | Trade, amount: int) -> None:
        self.market[of.account, of.market] += amount
        self.strategy[of.account, of.strategy] += amount

    def follow(self, kind: str, of: Order | Trade, amount: int) -> None:
        """One booking: `amount` is what a reservation or a release moved."""
        if kind in ("reserve", "release"):
            if of.side == "buy":
                self.add(of, amount if kind == "reserve" else -amount)
            return
        key = (of.account, of.strategy, of.token)
        if of.side == "buy":
            self.add(of, -of.fee)
            self.size[key] += of.size
            self.cost[key] += of.notional
            return
        gone = self.cost[key] * of.size // self.size[key]
        self.size[key] -= of.size
        self.cost[key] -= gone
        self.add(of, -gone)

    def above(self) -> Iterator[str]:
        """Every cap that is exceeded now."""
        limits = settings.PQAP.risk_limits
        for what, found in (("market", self.market), ("strategy", self.strategy)):
            cap = getattr(limits, f"max_capital_per_{what}")
            (holder, most), *_ = found.most_common(1) or [((), 0)]
            self.highest[what] = max(self.highest[what], most)
            if most > cap:
                yield f"{most} is bound by {what} {holder}, the cap is {cap}"


def faults(bound: Bound) -> list[str]:
    """Everything wrong, one sentence each; `bound` is filled on the way."""
    newest = stages.position(ticks.COLLECT)
    looked = Evaluation.objects.filter(strategy="taker").values("tick_id").distinct().count()
    found = [f"{looked} of {newest} ticks were looked at"] if looked != newest else []
    for model, names in (
        (Trade, ("account", "strategy", "token", "order_id", "at", "level")),
        (JournalEntry, ("account", "kind", "cause")),
    ):
        groups = model.objects.values(*names).annotate(times=Count("pk")).filter(times__gt=1)
        found += [f"{model.__name__} {group} is there twice or more" for group in groups[:5]]
    return [*found, *checks.faults(), *_moments(bound)]


def figures(bound: Bound) -> dict[str, Any]:
    """How much there was to go wrong, and how near the caps it came."""
    looked = Evaluation.objects.filter(strategy="taker")
    codes = Refusal.objects.values_list("code").annotate(Count("id"))
    return {
        "intents": looked.aggregate(all=Sum("signalled"))["all"],
        "signals": Signal.objects.count(),
        "orders": Order.objects.count(),
        "trades": Trade.objects.count(),
        "postings": Posting.objects.count(),
        "refusals": dict(codes),
        "highest": dict(bound.highest),
    }


def _moments(bound: Bound) -> Iterator[str]:
    """After every single booking: nothing overdrawn, no cap exceeded."""
    orders, trades = ({row.pk: row for row in model.objects.all()} for model in (Order, Trade))
    balances: Counter[int] = Counter()
    for (cause, kind), postings in groupby(_postings(), key=lambda row: row[:2]):
        moved = 0
        for _, _, amount, debit, credit, credit_kind in postings:
            balances[debit] += amount
            balances[credit] -= amount
            moved += amount
            if credit_kind in OWNED and balances[credit] < 0:
                yield f"{credit_kind} {credit} is overdrawn by {kind} of {cause}"
        if kind != "deposit":
            bound.follow(kind, (orders if kind in ("reserve", "release") else trades)[cause], moved)
            yield from bound.above()


def _postings() -> Iterator[tuple]:
    return Posting.objects.order_by("pk").values_list(
        "entry__cause", "entry__kind", "amount", "debit_id", "credit_id", "credit__kind"
    ).iterator()  # fmt: skip
