"""Faults planted one at a time: where, what stood there, what comes instead, who sees it.

A mutant nobody kills is a missing test.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: `old` stands once in `file` and becomes `new`; `tests` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: str


CORE = "tests/core/execution/"
VENUE = "markets/core/venue.py"
SETS = "markets/core/sets.py"
PAPER, QUEUE = "execution/core/paper.py", "execution/core/queueing.py"
TAKING, DEPLETION = "execution/core/taking.py", "execution/core/depletion.py"
DOOR, LEDGER = "execution/core/acceptance.py", "execution/core/ledger.py"
PORTFOLIO, COSTS = "execution/core/portfolio.py", "execution/core/costs.py"
OPERATIONS, QUOTING = "execution/core/operations.py", "execution/core/quoting.py"
BASKETS, LEGGING = "execution/core/baskets.py", "execution/core/legging.py"
ARRIVALS, EXITS = "execution/core/arrivals.py", "execution/core/exits.py"
ENGINE, STATE = "execution/core/engine.py", "execution/core/state.py"
SETTLING, CORRECTING = "execution/core/settlement.py", "execution/core/corrections.py"
PAYING, MARKS = "execution/core/payouts.py", "execution/core/marks.py"

TEST_PAPER, TEST_QUEUE = CORE + "test_paper.py", CORE + "test_queueing.py"
TEST_DOOR, TEST_ENGINE = CORE + "test_acceptance.py", CORE + "test_engine.py"
TEST_OPERATIONS, TEST_QUOTING = CORE + "test_operations.py", CORE + "test_quoting.py"
TEST_BASKETS, TEST_LIVES = CORE + "test_baskets.py", CORE + "test_campaign.py"
TEST_SETTLING, TEST_CORRECTING = CORE + "test_settlement.py", CORE + "test_corrections.py"
TEST_COSTS, TEST_SETS = CORE + "test_costs.py", "tests/core/markets/test_sets.py"
TEST_VENUE = "tests/core/markets/test_venue.py"

MUTANTS = (
    # Fees and money.
    Mutant(
        "a fee rounded down",
        VENUE,
        "return (2 * exact + unit) // (2 * unit) * FEE_STEP",
        "return exact // unit * FEE_STEP",
        TEST_VENUE,
    ),
    Mutant(
        "a taker who pays no fee",
        TAKING,
        "venue.taker_fee(size, offer.price, fee)",
        "0",
        TEST_PAPER,
    ),
    Mutant(
        "a maker who pays one",
        QUEUE,
        "order.price, size, 0, evidence",
        "order.price, size, 10, evidence",
        TEST_QUEUE,
    ),
    Mutant(
        "a purchase rounded in our favour",
        VENUE,
        "return -(-size * price // ONE)",
        "return size * price // ONE",
        TEST_VENUE,
    ),
    Mutant(
        "a sale rounded in our favour",
        VENUE,
        "return size * price // ONE",
        "return -(-size * price // ONE)",
        TEST_VENUE,
    ),
    # Taking.
    Mutant(
        "a fill on the order's own tick's book",
        PAPER,
        "tick.observed_at[column] < order.arrives_at or not",
        "not",
        TEST_PAPER,
    ),
    Mutant("a fill on a torn book", PAPER, " or not tick.coherent[column]:", ":", TEST_PAPER),
    Mutant(
        "a walk beyond the limit",
        TAKING,
        "if (level.price > limit) if buy else (level.price < limit):",
        "if False:",
        TEST_PAPER,
    ),
    Mutant(
        "a touch believed whole",
        TAKING,
        "usable = believed(level.size, phantom) if place == 0 else level.size",
        "usable = level.size",
        TEST_PAPER,
    ),
    Mutant("depth doubted everywhere", TAKING, " if place == 0 else level.size", "", TEST_PAPER),
    Mutant("depletion forgotten", TAKING, "max(0, usable - taken))", "usable)", TEST_PAPER),
    Mutant(
        "NO asks that are not YES bids",
        DEPLETION,
        "return (yes, buy, price) if side == 0 else (yes, not buy, ONE - price)",
        "return (token, buy, price)",
        TEST_PAPER,
    ),
    Mutant(
        "taken depth back at every tick",
        DEPLETION,
        "elif 0 < displayed <= gone.displayed:",
        "elif 0 < displayed < gone.displayed:",
        TEST_PAPER,
    ),
    Mutant(
        "taken depth that never comes back",
        DEPLETION,
        "elif 0 < displayed <= gone.displayed:",
        "elif 0 < displayed:",
        TEST_PAPER,
    ),
    Mutant(
        "a fill or kill filled in part",
        PAPER,
        "if order.type is OrderType.FOK and not whole:",
        "if False:",
        TEST_PAPER,
    ),
    Mutant(
        "a fill and kill that rests",
        PAPER,
        "if order.type in (OrderType.FOK, OrderType.FAK):",
        "if order.type is OrderType.FOK:",
        TEST_PAPER,
    ),
    Mutant(
        "an order that waits for ever",
        PAPER,
        "if order.waits + 1 >= MAX_WAITS:",
        "if False:",
        TEST_PAPER,
    ),
    # Resting.
    Mutant(
        "a queue with nobody ahead",
        QUEUE,
        "    ahead = order.seen\n",
        "    ahead = 0\n",
        TEST_QUEUE,
    ),
    Mutant(
        "a queue that prints do not use up",
        QUEUE,
        "waiting = 0 if beyond else min(order.ahead, free)",
        "waiting = 0",
        TEST_QUEUE,
    ),
    Mutant(
        "prints of the other token ignored",
        QUEUE,
        "direct = print_.token == order.token",
        "direct = True",
        TEST_QUEUE,
    ),
    Mutant(
        "takers of our own side who fill us",
        QUEUE,
        "    if sold is not (order.side is Side.BUY):\n        return None\n",
        "",
        TEST_QUEUE,
    ),
    Mutant(
        "prints from before the order came",
        QUEUE,
        "print_.at <= order.arrives_at or",
        "",
        TEST_QUEUE,
    ),
    Mutant(
        "one print for two orders",
        QUEUE,
        "free = print_.size - used",
        "free = print_.size",
        TEST_QUEUE,
    ),
    Mutant(
        "a locked book that fills",
        QUEUE,
        "limit = order.price - 1 if buy else order.price + 1",
        "limit = order.price",
        TEST_QUEUE,
    ),
    Mutant("a carried book that fills", QUEUE, " and observed > order.seen_at", "", TEST_QUEUE),
    Mutant(
        "a fill at the better price of the other side",
        QUEUE,
        "return Take(level, order.price, size, 0,",
        "return Take(level, order.price - 10_000, size, 0,",
        TEST_QUEUE,
    ),
    Mutant(
        "cancels that are all ahead of us",
        QUEUE,
        "gone * (ONE - behind(back, ahead)) // ONE",
        "gone",
        TEST_QUEUE,
    ),
    Mutant(
        "a queue probability linear, not cubic",
        QUEUE,
        "return back**3 * ONE // total if total else 0",
        "return back * ONE // (back + ahead) if total else 0",
        TEST_QUEUE,
    ),
    Mutant(
        "trades counted as cancels",
        QUEUE,
        "gone = max(0, order.seen - shown - traded)",
        "gone = max(0, order.seen - shown)",
        TEST_QUEUE,
    ),
    Mutant(
        "through depth taken twice",
        QUEUE,
        "        depleted[key] = Depletion(offer.taken + size, offer.displayed)\n",
        "        depleted[key] = Depletion(0, offer.displayed)\n",
        TEST_QUEUE,
    ),
    # The door.
    Mutant(
        "post-only that takes",
        DOOR,
        "    if order.post_only and marketable(order):\n        return EndReason.CROSSES_BOOK\n",
        "",
        TEST_DOOR,
    ),
    Mutant(
        "off the grid and let in",
        DOOR,
        "if not venue.on_grid(order.price, market.terms.tick_size):",
        "if False:",
        TEST_DOOR,
    ),
    Mutant(
        "too small and let in",
        DOOR,
        "if order.size < market.terms.min_size:",
        "if False:",
        TEST_DOOR,
    ),
    Mutant(
        "an unknown fee traded",
        DOOR,
        "    if market.terms.fee is None:\n        return EndReason.FEE_UNKNOWN\n",
        "",
        TEST_DOOR,
    ),
    Mutant(
        "a game that starts and clears nothing",
        DOOR,
        "return start is not None and after < start <= at",
        "return False",
        TEST_QUEUE,
    ),
    Mutant(
        "a new grid that clears nothing",
        DOOR,
        "if order.tick_size and market.terms.tick_size != order.tick_size:",
        "if False:",
        TEST_QUEUE,
    ),
    Mutant(
        "a date kept to the last minute",
        DOOR,
        "GTD_EARLY_MS = 60_000",
        "GTD_EARLY_MS = 0",
        TEST_QUEUE,
    ),
    # Accounts and ledger.
    Mutant(
        "a reservation never returned",
        PORTFOLIO,
        "cash=portfolio.cash + (left if order.side is Side.BUY else 0),",
        "cash=portfolio.cash,",
        TEST_ENGINE,
    ),
    Mutant(
        "a sale's fee forgotten",
        PORTFOLIO,
        "cash=portfolio.cash + fill.notional - fill.fee,",
        "cash=portfolio.cash + fill.notional,",
        TEST_LIVES,
    ),
    Mutant(
        "the whole cost leaves with part of the shares",
        PORTFOLIO,
        "cost=held.cost - held.cost * gone // held.size,",
        "cost=0,",
        TEST_COSTS,
    ),
    Mutant(
        "one id for all fills of an order",
        PORTFOLIO,
        "id=digest(order.id, at, take.level),",
        "id=digest(order.id),",
        TEST_LIVES,
    ),
    Mutant(
        "a fee that is not booked", LEDGER, "            (fees, held, fill.fee),\n", "", TEST_LIVES
    ),
    Mutant(
        "shares sold twice",
        PORTFOLIO,
        "return held.size - selling - giving",
        "return held.size",
        TEST_LIVES,
    ),
    Mutant(
        "a state that forgets what was taken",
        STATE,
        "for n in _names(kind) if n in plain}",
        "for n in _names(kind) if n in plain and n != 'depleted'}",
        TEST_LIVES,
    ),
    # Costs.
    Mutant(
        "latency told as depth",
        COSTS,
        "decided, arrived = worth(fill.size, touch), worth(fill.size, met)",
        "decided = arrived = worth(fill.size, touch)",
        TEST_COSTS,
    ),
    Mutant(
        "the mid for the microprice",
        COSTS,
        "whole, rest = divmod(bid * ask_size + ask * bid_size, bid_size + ask_size)",
        "whole, rest = divmod(bid + ask, 2)",
        TEST_COSTS,
    ),
    # Operations, quotes, baskets.
    Mutant(
        "a merge that pays before it is due",
        OPERATIONS,
        "if operation.due_at <= tick.at:",
        "if True:",
        TEST_OPERATIONS,
    ),
    Mutant(
        "a conversion that pays a dollar too much",
        SETS,
        "(len(given) - 1) * size",
        "len(given) * size",
        TEST_SETS,
    ),
    Mutant(
        "stock merged from under a quote",
        OPERATIONS,
        "pairs - kept.get((strategy, market), 0)",
        "pairs",
        TEST_OPERATIONS,
    ),
    Mutant(
        "a quote that crosses",
        QUOTING,
        "        bid = min(bid, best_ask - tick_size)\n",
        "        pass\n",
        TEST_QUOTING,
    ),
    Mutant(
        "inventory without a limit",
        QUOTING,
        "size = rules.floor_size(min(quote.size, room))",
        "size = rules.floor_size(quote.size)",
        TEST_QUOTING,
    ),
    Mutant(
        "a skew the wrong way",
        QUOTING,
        "quote.fair - quote.skew_per_share",
        "quote.fair + quote.skew_per_share",
        TEST_QUOTING,
    ),
    Mutant(
        "a quote left standing",
        QUOTING,
        "for key in sorted({*stated, *resting}):",
        "for key in sorted(stated):",
        TEST_QUOTING,
    ),
    Mutant(
        "legs of different sizes",
        BASKETS,
        "size = steps * rules.SIZE_STEP",
        "size = leg.size",
        TEST_BASKETS,
    ),
    Mutant(
        "a broken basket kept",
        LEGGING,
        "    return _unwind(account, replace(assembly, unwinding=True), had, tick, venue)\n",
        "    return _forget(account, assembly), []\n",
        TEST_BASKETS,
    ),
    # The order of a tick.
    Mutant(
        "fills under a halt",
        ARRIVALS,
        "halted = control.halted(order.strategy, order.market)",
        "halted = None",
        TEST_ENGINE,
    ),
    Mutant(
        "exits under a halt",
        EXITS,
        "if leaving.may_sell(account, control, (held.strategy, held.token), held.market):",
        "if True:",
        CORE + "test_hands.py",
    ),
    Mutant(
        "a lapsed tick that trades", ENGINE, "    if not lapsed:\n", "    if True:\n", TEST_QUOTING
    ),
    # Outcomes.
    Mutant(
        "a payout a tick late",
        SETTLING,
        "at >= held.redeem_at",
        "at > held.redeem_at",
        TEST_SETTLING,
    ),
    Mutant(
        "a correction that waits anew",
        SETTLING,
        "redeem_at = held.redeem_at if held.resolved else due",
        "redeem_at = due",
        TEST_CORRECTING,
    ),
    Mutant(
        "a closed market that takes payouts back",
        SETTLING,
        "if word.payouts or word.status in UNDECIDED",
        "if True",
        TEST_CORRECTING,
    ),
    Mutant(
        "an outcome that is never taken back",
        SETTLING,
        "UNDECIDED = (Status.OPEN, Status.PROPOSED, Status.DISPUTED)",
        "UNDECIDED = ()",
        TEST_CORRECTING,
    ),
    Mutant(
        "the same payout corrected",
        SETTLING,
        "if pay != settled.payout:",
        "if True:",
        TEST_CORRECTING,
    ),
    Mutant(
        "a merge that outlives its market",
        SETTLING,
        "[o for o in account.operations.values() if market in o.markets]",
        "[]",
        TEST_SETTLING,
    ),
    Mutant(
        "a state told a tick late",
        SETTLING,
        "if market in words:",
        "if False:",
        TEST_SETTLING,
    ),
    Mutant(
        "a debt forgotten",
        CORRECTING,
        "owed=account.owed + owed,",
        "owed=account.owed,",
        TEST_CORRECTING,
    ),
    Mutant(
        "cash below zero",
        CORRECTING,
        "owed = max(0, settled.paid - account.cash)",
        "owed = 0",
        TEST_CORRECTING,
    ),
    Mutant(
        "a settlement reversed twice",
        CORRECTING,
        "settled=portfolio.put(account.settled, settled.fill, None),",
        "settled=account.settled,",
        TEST_CORRECTING,
    ),
    Mutant(
        "a correction after any time",
        CORRECTING,
        " and at - each.at <= payouts.REMEMBERED_MS",
        "",
        TEST_CORRECTING,
    ),
    Mutant(
        "a debt never repaid",
        ENGINE,
        "account, news = corrections.repay(account, tick.at)",
        "news = []",
        TEST_CORRECTING,
    ),
    Mutant(
        "a debt not in equity",
        MARKS,
        " - account.owed",
        "",
        TEST_CORRECTING,
    ),
    Mutant(
        "a disputed share at its bid",
        MARKS,
        "most = DISPUTED_MOST if disputed else ONE",
        "most = ONE",
        TEST_SETTLING,
    ),
    Mutant(
        "a decided share at its bid",
        MARKS,
        "    if held.resolved:\n",
        "    if False:\n",
        TEST_SETTLING,
    ),
    Mutant(
        "a settlement gain from the cost",
        PAYING,
        "settlement_gain=paid - held.fair_cost",
        "settlement_gain=paid - held.fair_cost + 1",
        TEST_SETTLING,
    ),
)
