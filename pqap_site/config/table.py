"""What each environment takes when its file is silent: the table people know."""

LIMITS: dict[str, dict[str, str]] = {
    "demo": {
        "max_capital_per_market": "100",
        "max_capital_per_strategy": "400",
        "daily_loss_limit": "100",
        "max_drawdown": "0.10",
        "max_event_loss": "100",
        "max_cluster_loss": "200",
        "max_total_exposure": "600",
        "max_orders_per_minute": "120",
    },
    "dev": {
        "max_capital_per_market": "50",
        "max_capital_per_strategy": "100",
        "daily_loss_limit": "25",
        "max_drawdown": "0.10",
        "max_event_loss": "50",
        "max_cluster_loss": "100",
        "max_total_exposure": "100",
        "max_orders_per_minute": "60",
    },
    "staging": {
        "max_capital_per_market": "500",
        "max_capital_per_strategy": "400",
        "daily_loss_limit": "100",
        "max_drawdown": "0.10",
        "max_event_loss": "500",
        "max_cluster_loss": "600",
        "max_total_exposure": "800",
        "max_orders_per_minute": "120",
    },
    "prod": {
        "max_capital_per_market": "500",
        "max_capital_per_strategy": "2000",
        "daily_loss_limit": "250",
        "max_drawdown": "0.10",
        "max_event_loss": "500",
        "max_cluster_loss": "1000",
        "max_total_exposure": "3000",
        "max_orders_per_minute": "120",
    },
}

TOP: dict[str, dict[str, object]] = {
    "demo": {"debug": True, "initial_capital": "1000", "enabled_strategies": "all"},
    "dev": {
        "debug": True,
        "initial_capital": "100",
        "enabled_strategies": ["dual_arb_v1", "mean_reversion_v1", "market_maker_v1"],
    },
    "staging": {
        "debug": True,
        "initial_capital": "1000",
        "enabled_strategies": [
            "dual_arb_v1",
            "momentum_v1",
            "value_bet_v1",
            "market_maker_v1",
            "mean_reversion_v1",
        ],
    },
    "prod": {
        "debug": False,
        "initial_capital": "5000",
        "enabled_strategies": ["dual_arb_v1", "momentum_v1", "value_bet_v1"],
    },
}

SOURCES = {"demo": "synthetic", "dev": "polymarket", "staging": "polymarket", "prod": "polymarket"}


def filled(tree: dict[str, object], env: str) -> dict[str, object]:
    """The file's values over the environment's; what stands in the file is never changed."""
    return {
        **TOP[env],
        **tree,
        "risk_limits": _over(LIMITS[env], tree.get("risk_limits")),
        "exchange": _over({"source": SOURCES[env]}, tree.get("exchange")),
    }


def _over(defaults: dict[str, str], given: object) -> object:
    if given is None:
        return defaults
    return {**defaults, **given} if isinstance(given, dict) else given
