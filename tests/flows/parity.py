"""Facts as canonical bytes: from the rows that staged workers wrote, and from a plain loop.

What is local to a database (keys, tick ids, recorded_at) is left out; everything else must agree.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from execution.core import engine, state
from execution.core.controls import Controls, apply, latch, suspend
from execution.core.desk import ACCOUNTS
from execution.core.portfolio import deposit
from execution.core.types import (
    Change,
    Disposed,
    Equity,
    Fill,
    Halt,
    JournalEntry,
    Operation,
    Order,
    Portfolio,
    Refusal,
    Suspension,
)
from markets.core.panel import Panel
from markets.core.tick import Tick
from strategies.core.evaluate import evaluate
from strategies.core.journal import Journal
from strategies.core.types import bet_id

ORDER = [
    "id",
    "account",
    "strategy",
    "market",
    "token",
    "outcome",
    "side",
    "type",
    "price",
    "size",
    "purpose",
    "leg",
    "placed_at",
    "arrives_at",
    "filled",
    "reserved",
    "state",
    "reason",
    "post_only",
    "expires_at",
    "group",
    "fair",
    "touch",
    "expected",
]
FILL = [
    "id",
    "account",
    "strategy",
    "market",
    "token",
    "outcome",
    "side",
    "price",
    "size",
    "notional",
    "fee",
    "liquidity",
    "evidence",
    "level",
    "book_at",
    "at",
    "realized_pnl",
    "fair_value",
    "spread_cost",
    "latency_cost",
    "slippage_cost",
    "signal_gain",
    "settlement_gain",
    "rebate",
]
OPERATION = [
    "id", "account", "strategy", "kind", "size", "placed_at", "due_at", "reserved", "state",
    "reason",
]  # fmt: skip
REFUSAL = ["account", "strategy", "market", "token", "signal", "code", "limit", "value", "at"]
EQUITY = ["account", "at", "cash", "reserved", "equity", "drawdown"]
SIGNAL = [
    "at",
    "strategy",
    "version",
    "market",
    "token",
    "outcome",
    "fair",
    "limit",
    "edge",
    "size",
    "why",
]

Tables = dict[str, list]
TABLES = ("orders", "operations", "fills", "refusals", "equity", "postings")


def canonical(tables: Mapping[str, Iterable]) -> bytes:
    """One form for both sides: tables by name, rows as sorted plain lists."""
    plain = {
        name: sorted([list(map(_plain, row)) for row in rows], key=json.dumps)
        for name, rows in tables.items()
    }
    return json.dumps(plain, sort_keys=True, indent=0).encode()


def _plain(value: object) -> object:
    return int(value) if isinstance(value, int) else str(value)


def from_rows() -> Tables:
    """What the staged workers wrote."""
    from execution import models as done
    from strategies import models as believed

    postings = done.Posting.objects.values_list(
        "entry__id", "entry__kind", "entry__cause", "entry__at", "asset", "amount",
        "debit__account", "debit__strategy", "debit__kind",
        "credit__account", "credit__strategy", "credit__kind",
    )  # fmt: skip
    return {
        "signals": list(
            believed.Signal.objects.values_list("id", *SIGNAL, "disposition", "reason")
        ),
        "silences": list(
            believed.SilenceRun.objects.values_list(
                "strategy", "market", "reason", "detail", "from_at", "to_at"
            )
        ),
        "suspended": list(
            done.StrategyState.objects.exclude(suspended="").values_list(
                "name", "suspended", "suspended_at"
            )
        ),
        "trials": [
            [name, json.dumps(trial, sort_keys=True)]
            for name, trial in done.Account.objects.get(name="base").state["trials"]
        ],
        "orders": list(done.Order.objects.values_list(*ORDER, "signal_id")),
        "fills": list(done.Trade.objects.values_list(*FILL)),
        "operations": list(done.Operation.objects.values_list(*OPERATION)),
        "refusals": list(done.Refusal.objects.values_list(*REFUSAL)),
        "equity": list(done.Equity.objects.values_list(*EQUITY)),
        "postings": list(postings),
    }


def from_loop(
    ticks: Sequence[Tick],
    *,
    strategies,
    venues,
    setting,
    control: Controls,
    capital: int,
    changes: Mapping[int, Sequence[Change]],
    lapsed: set[int],
) -> Tables:
    """The plain loop: `evaluate`, then `step` for each account, and facts kept in lists."""
    panel, journal = Panel(), Journal()
    accounts, facts = {}, list[object]()
    for name in ACCOUNTS:
        accounts[name], opened = deposit(Portfolio(name), capital, 0, "opening")
        facts += opened
    signals: dict[str, list] = {}
    runs: dict[tuple, list] = {}
    since: dict[str, int] = {}
    for tick in ticks:
        panel.advance(tick)
        opinions = evaluate(strategies, panel)
        page = journal.write(tick, opinions)
        for bet in page.opened:
            values = [bet_id(bet), *(getattr(bet, name) for name in SIGNAL), "", ""]
            signals[bet_id(bet)] = values
        for one in page.quoted:
            quote = one.quote
            figures = [one.fair, one.bid, (one.ask - one.bid) // 2, quote.size]
            told = [quote.at, quote.strategy, quote.version, quote.market, "", "", *figures, ""]
            signals[one.id] = [one.id, *told, "", ""]
        for run in page.ended:
            runs[run.strategy, run.market, run.from_tick][-1] = tick.at
        for run in page.started:
            key = (run.strategy, run.market, run.from_tick)
            runs[key] = [run.strategy, run.market, run.reason, run.detail, run.from_at, None]
        stamped = changes.get(tick.id, ())
        for change in stamped:
            control = apply(control, change)
        halts, suspensions = [], []
        for name in ACCOUNTS:
            accounts[name], news = engine.step(
                accounts[name], tick, page.standing, {o.strategy: o for o in opinions},
                control=control, venue=venues[name], setting=setting, changes=stamped,
                lapsed=tick.id in lapsed,
            )  # fmt: skip
            halts += [fact for fact in news if isinstance(fact, Halt)]
            suspensions += [fact for fact in news if isinstance(fact, Suspension)]
            facts += news
            for fact in news:
                if isinstance(fact, Disposed):
                    signals[fact.signal][-2:] = [fact.disposition, fact.reason]
        for halt in halts:
            control = latch(control, halt.scope, halt.reason)
        for suspension in suspensions:
            control = suspend(control, suspension)
            since[suspension.strategy] = suspension.at
    suspended = [[name, why, since[name]] for name, why in control.suspended.items()]
    return {
        "signals": list(signals.values()),
        "silences": list(runs.values()),
        "suspended": suspended,
        "trials": [
            [name, json.dumps(trial, sort_keys=True)]
            for name, trial in state.dump(accounts["base"])["trials"]
        ],
        **_tables(facts),
    }


def _tables(facts: Iterable[object]) -> Tables:
    tables: Tables = defaultdict(list)
    orders: dict[str, Order] = {}
    operations: dict[str, Operation] = {}
    for fact in facts:
        if isinstance(fact, Order):
            orders[fact.id] = fact
        elif isinstance(fact, Operation):
            operations[fact.id] = fact
        elif isinstance(fact, Fill):
            tables["fills"].append([getattr(fact, name) for name in FILL])
        elif isinstance(fact, Refusal):
            tables["refusals"].append([getattr(fact, name) for name in REFUSAL])
        elif isinstance(fact, Equity):
            tables["equity"].append([getattr(fact, name) for name in EQUITY])
        elif isinstance(fact, JournalEntry):
            tables["postings"] += [_posting(fact, posting) for posting in fact.postings]
    tables["operations"] = [
        [getattr(each, name) for name in OPERATION] for each in operations.values()
    ]
    tables["orders"] = [
        [*(getattr(order, name) for name in ORDER), order.signal or None]
        for order in orders.values()
    ]
    return {name: tables[name] for name in TABLES}


def _posting(entry: JournalEntry, posting) -> list:
    debit, credit = posting.debit, posting.credit
    return [
        entry.id, entry.kind, entry.cause, entry.at, debit.asset, posting.amount,
        debit.account, debit.strategy, debit.kind, credit.account, credit.strategy, credit.kind,
    ]  # fmt: skip


def stamped_changes() -> dict[int, list[Change]]:
    """People's changes by the tick that first applied them, as a replay is handed them."""
    from execution.models import Change as Row
    from execution.services.changes import as_fact

    found: dict[int, list[Change]] = defaultdict(list)
    for row in Row.objects.exclude(applied_tick=None).order_by("pk"):
        found[row.applied_tick].append(as_fact(row))
    return found


def lapsed_ticks() -> set[int]:
    """Ids of the ticks that lapsed, as a replay is handed them."""
    from execution.models import Lapse

    rows = Lapse.objects.values_list("from_tick", "to_tick")
    return {tick for first, last in rows for tick in range(first, last + 1)}
