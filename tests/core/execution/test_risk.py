"""`risk.refuse`: the one gate, limit by limit, each to the micro-dollar."""

from dataclasses import replace

import pytest

from execution.core import risk
from execution.core.types import Order, OrderState, OrderType, Portfolio, Purpose, RefusalCode, Side
from markets.core.types import ONE, Event
from tests.builders import NOON, market, micro, tick, universe
from tests.core.execution.test_exposure import holding, position
from tests.trading import LIMITS

COIN = replace(
    market("m-4", event="coin-2"), event=Event("coin-2", "bitcoin-above-on-march-12", "")
)
WORLD = universe(
    market("m-1", event="race", neg_risk=True),
    market("m-2", event="race", neg_risk=True),
    replace(market("m-3", event="coin"), event=Event("coin", "bitcoin-above-on-march-11", "")),
    COIN,
    market("m-5", event="dear", fee_rate=None),
)
NOW = tick(WORLD)
LATER = tick(WORLD, at=NOON + 16_000)


def buy(name: str = "m-3", *, index: int = 0, size: int = 10, reserved: str = "4", **changed):
    order = Order(
        "new", "base", "tester", name, f"{name}/{index}", "", Side.BUY, OrderType.FAK,
        micro("0.40"), micro(size), Purpose.ENTRY, NOON, NOON, index=index,
        reserved=micro(reserved),
    )  # fmt: skip
    return replace(order, **changed)


def resting(name: str = "m-3", *, id: str = "old", **changed):
    return buy(name, id=id, type=OrderType.GTC, state=OrderState.RESTING, **changed)


def rich(account: Portfolio | None = None, **changed) -> Portfolio:
    account = account or Portfolio("base")
    return replace(account, cash=micro(1000), equity=micro(1000), **changed)


def code(order: Order, account: Portfolio | None = None, now=NOW, **limits):
    breach = risk.refuse(order, account or rich(), replace(LIMITS, **limits), now)
    return breach.code if breach else None


def test_an_order_within_every_limit_passes():
    assert code(buy()) is None


class TestCaps:
    """At the limit an order passes; one micro-dollar below it is refused with limit and value."""

    @pytest.mark.parametrize(
        ("name", "found", "used"),
        [
            ("max_capital_per_market", RefusalCode.MARKET_CAP, "4"),
            ("max_capital_per_strategy", RefusalCode.STRATEGY_CAP, "14"),
            ("max_event_loss", RefusalCode.EVENT_CAP, "4"),
            ("max_cluster_loss", RefusalCode.CLUSTER_CAP, "7"),
            ("max_total_exposure", RefusalCode.TOTAL_CAP, "14"),
        ],
    )
    def test_each_to_the_micro_dollar(self, name, found, used):
        held = holding(position("m-4", 0, 10, "0.30"), position("m-1", 0, 10, "0.70"))
        exact = replace(LIMITS, **{name: micro(used)})
        below = replace(LIMITS, **{name: micro(used) - 1})

        assert risk.refuse(buy(), rich(held), exact, NOW) is None
        assert risk.refuse(buy(), rich(held), below, NOW) == risk.Breach(
            found, micro(used) - 1, micro(used)
        )

    def test_the_cash_floor_is_hard(self):
        account = replace(rich(), cash=micro(204))

        assert code(buy(), account, cash_floor=200_000) is None
        assert code(buy(), replace(account, cash=micro(204) - 1), cash_floor=200_000) == "CASH"

    def test_outcomes_that_exclude_each_other_are_not_added_up(self):
        held = rich(holding(position("m-1", 1, 10, "0.60")))
        order = buy("m-2", index=1, size=10, reserved="5")

        assert code(order, held, max_event_loss=micro(6)) is None

    def test_what_raises_no_worst_case_passes_however_much_is_held(self):
        held = rich(holding(position("m-3", 0, 100, "0.40")))
        hedge = buy("m-3", index=1, size=100, reserved="55")

        assert code(hedge, held, max_event_loss=micro(10)) is None
        assert code(buy("m-3"), held, max_event_loss=micro(10)) == "EVENT_CAP"

    def test_a_hedge_that_only_waits_makes_no_room(self):
        held = rich(
            replace(
                holding(position("m-3", 0, 100, "0.40"), orders=(
                    resting(index=1, size=100, reserved="55", id="hedge"),
                ))
            )
        )  # fmt: skip

        assert code(buy("m-3"), held, max_event_loss=micro(43)) == "EVENT_CAP"


class TestBook:
    def test_a_book_too_old_is_refused_with_both_ages(self):
        late = replace(NOW, at=NOON + 15_001)

        assert code(buy(), now=replace(NOW, at=NOON + 15_000)) is None
        assert risk.refuse(buy(), rich(), LIMITS, late) == risk.Breach(
            RefusalCode.STALE, 15_000, 15_001
        )

    def test_books_that_do_not_show_one_instant_are_stale(self):
        assert code(buy(), now=replace(NOW, coherent=~NOW.coherent)) == "STALE"

    def test_an_unknown_fee_or_market_is_never_traded(self):
        assert code(buy("m-5")) == "FEE_UNKNOWN"
        assert code(buy("m-9")) == "NOT_ACCEPTING"

    def test_a_market_that_takes_no_orders_is_left_alone(self):
        shut = replace(COIN, terms=replace(COIN.terms, accepting_orders=False))
        now = tick(universe(shut))

        assert code(buy("m-4"), now=now) == "NOT_ACCEPTING"


class TestRate:
    def test_counts_the_last_minute_with_this_order(self):
        placed = (NOON - 60_000, NOON - 59_999, NOON)

        assert risk.recent(placed, NOON) == (NOON - 59_999, NOON)
        assert code(buy(), rich(placed=placed), max_orders_per_minute=micro(3)) is None
        assert code(buy(), rich(placed=placed), max_orders_per_minute=micro(2)) == "ORDER_RATE"

    def test_says_limit_and_value_as_counts(self):
        limits = replace(LIMITS, max_orders_per_minute=ONE)

        assert risk.refuse(buy(), rich(placed=(NOON,)), limits, NOW) == risk.Breach(
            RefusalCode.ORDER_RATE, 1, 2
        )


class TestSelfCross:
    @pytest.mark.parametrize(
        ("ours", "new", "crosses"),
        [
            ((Side.SELL, 0, "0.40"), (Side.BUY, 0, "0.40"), True),
            ((Side.SELL, 0, "0.41"), (Side.BUY, 0, "0.40"), False),
            ((Side.BUY, 1, "0.60"), (Side.BUY, 0, "0.40"), True),
            ((Side.BUY, 1, "0.59"), (Side.BUY, 0, "0.40"), False),
            ((Side.BUY, 0, "0.40"), (Side.SELL, 0, "0.40"), True),
            ((Side.BUY, 0, "0.39"), (Side.SELL, 0, "0.40"), False),
            ((Side.SELL, 1, "0.60"), (Side.SELL, 0, "0.40"), True),
            ((Side.SELL, 1, "0.61"), (Side.SELL, 0, "0.40"), False),
            ((Side.BUY, 0, "0.90"), (Side.BUY, 0, "0.40"), False),
            ((Side.SELL, 1, "0.10"), (Side.BUY, 0, "0.40"), False),
        ],
    )
    def test_our_own_resting_order_is_never_met(self, ours, new, crosses):
        side, index, price = ours
        waiting = resting(side=side, index=index, price=micro(price), strategy="another")
        side, index, price = new
        order = buy(side=side, index=index, price=micro(price), purpose=Purpose.QUOTE)

        found = code(order, rich(holding(orders=(waiting,))))

        assert found == ("SELF_CROSS" if crosses else None)

    def test_what_takes_and_does_not_rest_cannot_be_met(self):
        taking = replace(resting(side=Side.SELL, price=micro("0.10")), type=OrderType.FAK)

        assert code(buy(), rich(holding(orders=(taking,)))) is None

    def test_another_market_is_another_book(self):
        waiting = resting("m-4", side=Side.SELL, price=micro("0.10"))

        assert code(buy(), rich(holding(orders=(waiting,)))) is None


class TestWhatIsNeverRefused:
    HOPELESS = replace(
        LIMITS, max_orders_per_minute=0, max_book_age=0, max_capital_per_market=0,
        max_event_loss=0, max_total_exposure=0,
    )  # fmt: skip

    @pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.REPAIR])
    def test_leaving(self, purpose):
        leaving = buy(side=Side.SELL, purpose=purpose)
        account = rich(stopped=True, day_stopped=True)

        halts = {"all": "stop"}
        assert risk.refuse(leaving, account, self.HOPELESS, LATER, halts=halts) is None

    def test_a_quoted_sale_only_frees_capital(self):
        sale = buy(side=Side.SELL, purpose=Purpose.QUOTE)
        limits = replace(self.HOPELESS, max_orders_per_minute=ONE)

        assert risk.refuse(sale, rich(stopped=True), limits, LATER) is None

    def test_but_the_rate_and_a_halt_hold_for_it(self):
        sale = buy(side=Side.SELL, purpose=Purpose.QUOTE)

        halted = risk.refuse(sale, rich(), LIMITS, NOW, halts={"market:m-3": "odd"})

        assert halted == risk.Breach(RefusalCode.HALTED, "market:m-3", "odd")
        assert code(sale, max_orders_per_minute=0) == "ORDER_RATE"


@pytest.mark.parametrize("scope", ["all", "strategy:tester", "market:m-3"])
def test_a_halt_refuses_in_its_scope(scope):
    breach = risk.refuse(buy(), rich(), LIMITS, NOW, halts={scope: "storm"})

    assert breach == risk.Breach(RefusalCode.HALTED, scope, "storm")


def test_a_halt_elsewhere_does_not():
    assert risk.refuse(buy(), rich(), LIMITS, NOW, halts={"strategy:other": "x"}) is None


def test_a_stopped_account_opens_nothing():
    assert code(buy(), rich(stopped=True)) == "DRAWDOWN"
    assert code(buy(), rich(day_stopped=True)) == "DAILY_LOSS"
    assert code(buy(), rich(flatten=True)) == "DAILY_LOSS"


def test_every_limit_a_person_may_set_has_a_unit_and_is_a_limit():
    assert set(risk.LIMIT_NAMES) <= set(risk.Limits.__dataclass_fields__)
