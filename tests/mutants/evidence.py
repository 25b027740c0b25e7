"""Faults in the evidence on strategies, in the statistics, and in the parts of a result."""

from tests.mutants.catalogue import COSTS, Mutant

CORE = "tests/core/execution/"
TRIALS, VERDICTS = "execution/core/trials.py", "execution/core/verdicts.py"
SHADOWS, EVIDENCE = "execution/core/shadows.py", "execution/core/evidence.py"
SCORING, METRICS = "strategies/core/scoring.py", "execution/core/metrics.py"
RESAMPLING, CONTROLS = "execution/core/resampling.py", "execution/core/controls.py"
PARTS, PORTFOLIO = "execution/core/attribution.py", "execution/core/portfolio.py"
TEST_TRIALS, TEST_METRICS = CORE + "test_trials.py", CORE + "test_metrics.py"
TEST_PARTS, TEST_SCORING = CORE + "test_attribution.py", "tests/core/strategies/test_scoring.py"

MUTANTS = (
    Mutant("a claim that costs nothing", SCORING, "return 1 + stake * (claimed - came)",
           "return 1.0", TEST_SCORING),
    Mutant("an outcome against itself", SCORING, "(claimed - came)\n\n\ndef e_process",
           "(came - claimed)\n\n\ndef e_process", TEST_SCORING),
    Mutant("one loss in a row too many", SCORING, "return ceil(log(horizon",
           "return 1 + ceil(log(horizon", TEST_SCORING),
    Mutant("evidence by the fill", TRIALS, "        if event not in held:", "        if True:",
           TEST_TRIALS),
    Mutant("fees of purchases forgotten", TRIALS, "result=cluster.result + fill.realized_pnl",
           "result=cluster.result + fill.realized_pnl + fill.fee", TEST_TRIALS),
    Mutant("sales judged as if kept to the end", TRIALS,
           "    if fill.liquidity is Liquidity.SETTLEMENT and fill.claimed > 0:\n",
           "    if fill.claimed > 0:\n", TEST_TRIALS),
    Mutant("trials in every account", TRIALS,
           "    if account.account != AccountName.BASE:\n        return account, []\n", "",
           TEST_TRIALS),
    Mutant("a window without an end", TRIALS, "(*trial.results, cluster.result)[-WINDOW:]",
           "(*trial.results, cluster.result)", TEST_TRIALS),
    Mutant("a trial that never ends", TRIALS, "Trial(since=at, open=trial.open)", "trial",
           TEST_TRIALS),
    Mutant("orders that ended through nobody's fault", TRIALS,
           "if fact.reason in NOT_ITS_FAULT:", "if True:", TEST_TRIALS),
    Mutant("an event that counts without bounds", EVIDENCE, ", -WIDEST), WIDEST)",
           ", -1e9), 1e9)", TEST_TRIALS),
    Mutant("an alarm for lucky claims", VERDICTS, "return max(float(CUSUM), reached)",
           "return float(CUSUM)", TEST_TRIALS),
    Mutant("long shots that may not lose", VERDICTS, "            yield 1 - chance / ONE\n",
           "            yield 0.1\n", TEST_TRIALS),
    Mutant("a floor forgotten", VERDICTS, "max(SLIP_TIMES * expected, SLIP_FLOOR)",
           "SLIP_TIMES * expected", TEST_TRIALS),
    Mutant("a model forgotten", VERDICTS, "max(SLIP_TIMES * expected, SLIP_FLOOR)", "SLIP_FLOOR",
           TEST_TRIALS),
    Mutant("a fall of any depth", VERDICTS, "if fell <= FALL_TIMES * claimed:", "if True:",
           TEST_TRIALS),
    Mutant("a suspension nobody heeds", CONTROLS, " and strategy not in self.suspended", "",
           TEST_TRIALS),
    Mutant("a suspension nobody lifts", CONTROLS, ", suspended=lifted)", ")", TEST_TRIALS),
    Mutant("shadows that pay no fee to leave", SHADOWS,
           "paid = bid - venue.taker_fee(ONE, bid, fee)", "paid = bid", TEST_TRIALS),
    Mutant("shadows that pay no fee to enter", SHADOWS,
           "cost = ask + venue.taker_fee(ONE, ask, terms.fee)", "cost = ask", TEST_TRIALS),
    Mutant("shadows filled at any price", SHADOWS, " or ask > leg.limit", "", TEST_TRIALS),
    Mutant("shadows without rest", SHADOWS, "until = tick.at + pause if pause else 0",
           "until = 0", TEST_TRIALS),
    Mutant("shadows on their own tick's book", SHADOWS,
           "tick.observed_at[column] > leg.placed_at)", "True)", TEST_TRIALS),
    Mutant("claims that do not leave with the shares", PORTFOLIO,
           "claimed=held.claimed - (rest.claimed if rest else 0)", "claimed=0", TEST_TRIALS),
    Mutant("skew of the wrong sign", METRICS, "1 - self.skew * self.sharpe",
           "1 + self.skew * self.sharpe", TEST_METRICS),
    Mutant("a year of 252 days", METRICS, "YEAR = 365", "YEAR = 252", TEST_METRICS),
    Mutant("days that stand alone", METRICS, "variance = periods + 2 * shared",
           "variance = float(periods)", TEST_METRICS),
    Mutant("a ratio shown too soon", METRICS, "LEAST_DAYS, LEAST_CLUSTERS = 60, 30",
           "LEAST_DAYS, LEAST_CLUSTERS = 6, 3", TEST_METRICS),
    Mutant("one block drawn for all", RESAMPLING, "* count).astype(np.int64)",
           "* 0).astype(np.int64)", TEST_METRICS),
    Mutant("costs that add to the result", PARTS, "return gains - costs", "return gains + costs",
           TEST_PARTS),
    Mutant("holdings at cost", PARTS, "open=held.value - held.fair_cost",
           "open=held.value - held.cost", TEST_PARTS),
    Mutant("latency counted twice", COSTS, "slippage_cost=sign * (fill.notional - arrived)",
           "slippage_cost=sign * (fill.notional - decided)", TEST_PARTS),
)  # fmt: skip
