"""A portfolio as plain JSON and back, exactly: what a restart goes on from."""

from dataclasses import asdict, fields
from typing import Any

from execution.core.types import (
    Depletion,
    Order,
    OrderState,
    OrderType,
    Portfolio,
    Position,
    Purpose,
    Side,
)
from strategies.core.types import Plan

PLAIN = tuple(
    field.name
    for field in fields(Portfolio)
    if field.name not in ("positions", "orders", "depleted", "cooldowns", "said")
)


def dump(portfolio: Portfolio) -> dict[str, Any]:
    """The portfolio as JSON-able values, canonical: equal portfolios give equal JSON."""
    return {
        **{name: getattr(portfolio, name) for name in PLAIN},
        "positions": [asdict(portfolio.positions[key]) for key in sorted(portfolio.positions)],
        "orders": [asdict(portfolio.orders[key]) for key in sorted(portfolio.orders)],
        "depleted": [
            [*key, gone.taken, gone.displayed] for key, gone in sorted(portfolio.depleted.items())
        ],
        "cooldowns": [[*key, until] for key, until in sorted(portfolio.cooldowns.items())],
        "said": [[*key, *words] for key, words in sorted(portfolio.said.items())],
    }


def load(state: dict[str, Any]) -> Portfolio:
    """The portfolio that `dump` wrote."""
    positions = [_position(item) for item in state["positions"]]
    orders = [_order(item) for item in state["orders"]]
    return Portfolio(
        **{name: state[name] for name in PLAIN},
        positions={(held.strategy, held.token): held for held in positions},
        orders={order.id: order for order in orders},
        depleted={(t, ask, p): Depletion(n, d) for t, ask, p, n, d in state["depleted"]},
        cooldowns={(strategy, market): until for strategy, market, until in state["cooldowns"]},
        said={(s, token): (signal, words) for s, token, signal, words in state["said"]},
    )


def _position(item: dict[str, Any]) -> Position:
    return Position(**{**item, "plan": Plan(**item["plan"])})


def _order(item: dict[str, Any]) -> Order:
    return Order(
        **{
            **item,
            "plan": Plan(**item["plan"]) if item["plan"] else None,
            "side": Side(item["side"]),
            "type": OrderType(item["type"]),
            "purpose": Purpose(item["purpose"]),
            "state": OrderState(item["state"]),
        }
    )
