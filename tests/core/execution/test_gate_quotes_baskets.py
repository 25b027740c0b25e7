"""Quotes and baskets pass the same gate as bets, and halve with them."""

from dataclasses import replace

import pytest

from execution.core.types import Order, Purpose, Refusal
from tests.builders import micro
from tests.core.execution import test_baskets as sets
from tests.core.execution import test_quoting as quotes
from tests.core.execution.test_gate import refused, under
from tests.core.execution.test_quoting import pick
from tests.trading import account

IN_A_DRAWDOWN = replace(account(), high_water=micro(1060))


class TestQuotes:
    def test_a_crowded_minute_leaves_a_side_out(self):
        control = under(max_orders_per_minute=micro(1))

        held, facts = quotes.run(account(), quotes.at(0), quotes.quote(), control=control)

        assert len(held.orders) == 1
        assert refused(facts) == [("ORDER_RATE", "1", "2")]

    def test_another_strategys_resting_order_is_never_met(self):
        held, _ = quotes.run(account(), quotes.at(0), quotes.quote())
        [ask] = [order for order in held.orders.values() if order.token == "no-1"]
        meeting = replace(
            ask, id="x", strategy="other", purpose=Purpose.ENTRY, token="yes-1", index=0,
            price=micro(1) - ask.price, arrives_at=ask.arrives_at + 10**6,
        )  # fmt: skip

        _, facts = quotes.run(
            replace(account(), orders={"x": meeting}), quotes.at(0), quotes.quote()
        )

        assert [each.code for each in pick(facts, Refusal)] == ["SELF_CROSS"]

    def test_both_sides_count_by_the_one_that_may_fill_alone(self):
        """Together they cost less than the dollar a pair pays; each alone can lose its cost."""
        placed, _ = quotes.run(account(), quotes.at(0), quotes.quote())
        least = min(order.reserved for order in placed.orders.values())

        held, facts = quotes.run(
            account(), quotes.at(0), quotes.quote(), control=under(max_event_loss=least)
        )

        assert len(held.orders) == 1
        assert [each.code for each in pick(facts, Refusal)] == ["EVENT_CAP"]

    def test_sizes_halve_in_a_drawdown(self):
        control = under(halve_at_drawdown=50_000)

        held, _ = quotes.run(IN_A_DRAWDOWN, quotes.at(0), quotes.quote(), control=control)

        assert {order.size for order in held.orders.values()} == {micro(10)}

    def test_stock_is_not_split_from_the_cash_that_must_stay(self):
        control = under(cash_floor=990_000)

        held, _ = quotes.run(
            account(), quotes.at(0), quotes.quote(split=micro(30)), control=control
        )

        assert [operation.size for operation in held.operations.values()] in ([], [micro(10)])
        assert held.cash >= micro(990) - held.reserved


class TestBaskets:
    def sent(self, held=None, **limits):
        _, facts = sets.run(held or account(), sets.at(0), sets.basket(), control=under(**limits))
        return {order.size for order in pick(facts, Order)}, refused(facts)

    def test_the_legs_count_by_the_worst_that_may_be_left_of_them(self):
        """Three NO shares of which two must pay: while they are out, one alone may be had."""
        sizes, _ = self.sent(max_event_loss=micro(20))

        [size] = sizes
        assert micro(28) < size < micro(31)

    def test_too_many_orders_for_the_minute_send_none(self):
        sizes, told = self.sent(max_orders_per_minute=micro(2))

        assert sizes == set()
        assert {each[0] for each in told} == {"ORDER_RATE"}

    @pytest.mark.parametrize(("halve_at", "size"), [(50_000, 25), (60_000, 50)])
    def test_sizes_halve_in_a_drawdown(self, halve_at, size):
        sizes, _ = self.sent(IN_A_DRAWDOWN, halve_at_drawdown=halve_at)

        assert sizes == {micro(size)}
