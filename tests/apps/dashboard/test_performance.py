"""/api/performance: its keys, its types, and what it refuses."""

from execution import models
from execution.core import state
from execution.core.types import Portfolio, Trial
from tests.apps.dashboard.test_api import DECIMAL, TIME

KEYS = (
    "account strategy since until days deposits pnl realized_pnl unrealized_pnl fees rebates "
    "estimated_rebates trades clusters open_clusters attribution cuts statistics trial"
)
PARTS = "signal settlement spread latency slippage fees rebates open undivided result"
STATISTICS = (
    "sharpe sharpe_corrected psr dsr days_needed event_mean event_t event_ratio concentration "
    "win_rate breakeven drawdown"
)


def test_has_its_keys_and_types(client, desk):
    answer = client.get("/api/performance").json()

    assert list(answer) == KEYS.split()
    assert list(answer["attribution"]) == PARTS.split()
    assert list(answer["statistics"]) == STATISTICS.split()
    assert set(answer["cuts"]) == {"strategy", "event", "category", "price", "liquidity"}
    assert answer["account"] == "base"
    assert TIME.fullmatch(answer["since"])
    assert all(DECIMAL.fullmatch(value) for value in answer["attribution"].values())
    assert answer["trial"] is None


def test_every_statistic_has_an_interval_or_says_why_not(client, desk):
    for name, figure in client.get("/api/performance").json()["statistics"].items():
        assert list(figure) == ["value", "low", "high", "note"]
        assert figure["note"] or None not in (figure["low"], figure["high"]), name
        for value in (figure["value"], figure["low"], figure["high"]):
            assert value is None or DECIMAL.fullmatch(value), name


def test_one_strategy_of_one_account(client, desk):
    trial = Trial(since=desk, suspended_at=desk, clusters=3, shadow=(1, 2, 3))
    plain = state.dump(Portfolio("base", trials={"mean_reversion_v1": trial}))
    models.Account.objects.filter(name="base").update(state=plain)
    answer = client.get("/api/performance?account=base&strategy=mean_reversion_v1").json()

    assert answer["trades"] == 35
    assert answer["trial"]["clusters"] == 3
    assert answer["trial"]["evidence"] == "1"
    assert answer["trial"]["shadow_clusters"] == 3
    assert TIME.fullmatch(answer["trial"]["suspended_at"])
    other = client.get("/api/performance?account=optimistic&strategy=mean_reversion_v1").json()
    assert (other["trades"], other["trial"]) == (0, None)


def test_an_unknown_strategy_is_named_with_what_is_allowed(client, desk):
    answer = client.get("/api/performance?strategy=nobody")

    assert answer.status_code == 400
    assert answer.json()["field"] == "strategy"
    assert "mean_reversion_v1" in answer.json()["message"]


def test_before_the_accounts_are_open(client, db, now):
    assert client.get("/api/performance").status_code == 404
