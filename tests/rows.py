"""Rows as a desk leaves them after a day: for pages, API and screenshots, the same every time."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from execution import models as ex
from markets import models as mk
from strategies import models as st
from tests.builders import DAY, micro

HOUR, MINUTE = 3_600_000, 60_000
QUESTIONS = (
    ("Will the Fed cut rates by 25 bps at the December meeting?", "economics", "0.64", 9),
    ("Will the Senate confirm the new Secretary of Transportation by March?", "politics", "0.415",
     41),
    ("Will “The Long Winter” win Best Picture?", "culture", "0.183", 63),
    ("Will a magnitude 7.0 or stronger earthquake hit Japan by June 30?", "science", "0.272", 150),
    ("Will Norway win the most gold medals at the Winter Olympics?", "culture", "0.581", 35),
    ("Will the UK hold a general election before 2027?", "politics", "0.052", 320),
    ("Will CPI inflation for November come in at or above 3.1 %?", "economics", "0.355", 6),
    ("Will SpaceX land Starship on a drone ship this quarter?", "science", "0.121", 28),
)  # fmt: skip
STRATEGIES = {
    "dual_arb_v1": ("active", "", "Buys YES and NO together when both cost less than a dollar."),
    "mean_reversion_v1": ("active", "", "Buys an outcome that fell further than its usual swings."),
    "market_maker_v1": ("unavailable", "not built yet", "Quotes both sides and earns the spread."),
    "ml_prediction_v1": ("unavailable", "not built yet", "Predicts the six-hour direction."),
    "momentum_v1": ("unavailable", "not built yet", "Follows a move that volume confirms."),
    "set_arb_v1": ("unavailable", "not built yet", "Buys every outcome of an event, when cheap."),
    "time_arb_v1": ("unavailable", "not built yet", "Sells what time alone makes unlikely."),
    "value_bet_v1": ("unavailable", "not built yet", "Bets where the crowd is known to be wrong."),
}
SILENT = {
    "dual_arb_v1": {"NO_SIGNAL": 46, "SPREAD": 2, "INCOHERENT": 2},
    "mean_reversion_v1": {"NO_SIGNAL": 18, "WARMUP": 12, "ACTIVITY": 9, "EDGE": 5, "BAND": 4},
}
HELD = (
    # market, outcome, shares, cost, mark, opened hours ago
    (0, "Yes", "52.50", "32.81", "0.631", 5),
    (1, "Yes", "120.00", "51.36", "0.412", 9),
    (4, "No", "75.25", "29.42", "0.417", 14),
    (3, "No", "40.00", "29.60", "0.725", 21),
    (6, "Yes", "88.00", "33.02", "0.351", 2),
)


def desk(now: int, *, questions: tuple[str, ...] = (), points: int = 288) -> None:
    """Everything below, as of `now` (ms UTC); `questions` replace the first markets' texts.

    `points` is the length of the equity curve, 5 minutes apart.
    """
    catalogue(now, questions)
    ticks(now)
    quality(now)
    opinions(now)
    accounts(now, points)
    orders(now)
    outcomes(now)
    controls(now)


def condition(index: int) -> str:
    return "0x" + f"{index + 1:02x}" * 32


def token(index: int, side: int) -> str:
    return f"{7 + index}{side}" + "48" * 20


def catalogue(now: int, questions: tuple[str, ...] = ()) -> None:
    """Events, markets, tokens and terms."""
    for index, (question, category, _, days) in enumerate(QUESTIONS):
        question = questions[index] if index < len(questions) else question
        event = mk.Event.objects.create(
            event_id=f"event-{index}", slug=f"event-{index}", title=f"Event {index}"
        )
        market = mk.Market.objects.create(
            condition_id=condition(index),
            slug=f"market-{index}",
            question=question,
            category=category,
            event=event,
            created_at_ms=now - 60 * DAY,
            volume_24h=micro(250_000 - 17_500 * index),
        )
        for side, outcome in enumerate(("Yes", "No")):
            mk.Token.objects.create(
                token_id=token(index, side), market=market, outcome=outcome, index=side
            )
        for version in (2, 1):
            mk.Terms.objects.create(
                market=market,
                effective_at=now - 30 * DAY * version,
                end_at=now + days * DAY + 5 * HOUR,
                tick_size=micro("0.001" if version == 1 else "0.01"),
                min_size=micro(5),
                fee_rate=micro("0.05"),
                status="open",
                accepting_orders=True,
            )


def ticks(now: int, count: int = 40, spacing: int = 10_000) -> None:
    """The newest ticks with their snapshots, the latest quotes, anomalies and the cursors."""
    newest_terms = [market.terms_set.latest("effective_at").pk for market in markets()]
    members = [[pk, 0] for pk in newest_terms]
    universe = mk.Universe.objects.create(effective_at=now - DAY, members=members)
    for id_ in range(1, count + 1):
        at = now - 2_000 - (count - id_) * spacing
        mk.Tick.objects.create(id=id_, at=at, universe=universe, recorded_at=moment(at + 300))
        mk.Snapshot.objects.bulk_create(
            mk.Snapshot(tick_id=id_, market=market, venue_at=at, **quote(index, id_, at))
            for index, market in enumerate(markets())
        )
    for index, market in enumerate(markets()):
        shown = quote(index, count, now - 2_000)
        changed = now - 2_000 - index * 2 * MINUTE
        mk.Latest.objects.create(market=market, tick_id=count, changed_at=changed, **shown)
    for code, times in (("TORN", 5), ("GHOST", 2), ("CROSSED", 1)):
        for number in range(times):
            mk.Anomaly.objects.create(
                tick_id=count, at=now - number * MINUTE, last_at=now - number * MINUTE,
                market=markets()[number], code=code,
            )  # fmt: skip
    bars(now)
    totals = (("collect.snapshots", count * len(QUESTIONS)),)
    for name, position in (("collect", count), ("desk", count), ("notify", count), *totals):
        mk.Cursor.objects.create(name=name, position=position, moved_at=moment(now - 1_500))


def quality(now: int) -> None:
    """When each market was read, what was missed, and how the feeds stand."""
    for index, market in enumerate(markets()):
        mk.Stint.objects.create(market=market, since=now - (2 if index < 6 else 1) * DAY)
    lost = (
        (None, 30 * HOUR, 40 * MINUTE, "COLLECTOR_OFF", ""),
        (None, 5 * HOUR, MINUTE, "NO_ANSWER", ""),
        (0, 3 * HOUR, 6 * MINUTE, "REFUSED", "CROSSED"),
        (3, 2 * HOUR, 25 * MINUTE, "UNREAD", ""),
        (7, 20 * HOUR, 2 * HOUR, "NOT_TRADING", ""),
    )
    for index, ago, length, reason, detail in lost:
        mk.Gap.objects.create(
            market=None if index is None else markets()[index], tick_id=1, since=now - ago,
            until=now - ago + length, reason=reason, detail=detail,
        )  # fmt: skip
    kinds = {"gamma": {"timeout": 2}, "clob": {"status_502": 1, "timeout": 4}, "data": {}}
    for name, failures in kinds.items():
        mk.Feed.objects.create(
            name=name, state="ok", since=now - 9 * HOUR, seen_at=now - 3_000, requests=31_104,
            failures=failures,
        )  # fmt: skip


def bars(now: int, count: int = 6) -> None:
    """The newest bars of each market; the fourth market misses two."""
    for number in range(count):
        at = (now // (5 * MINUTE) - number) * 5 * MINUTE
        mk.Bar.objects.bulk_create(
            mk.Bar(
                at=at, market=market, bid=400_000, ask=402_000, micro=401_000, changes=3, count=9
            )
            for index, market in enumerate(markets())
            if index != 3 or number > 1
        )


def quote(index: int, tick: int, at: int) -> dict[str, object]:
    """One market's touch, drifting slowly and 2 ticks wide; the last market has no bid."""
    centre = micro(QUESTIONS[index][2]) + int(4000 * math.sin(tick / 6 + index))
    centre = centre // 1000 * 1000
    last = index == len(QUESTIONS) - 1
    return {
        "bid": 0 if last else centre - 1000,
        "ask": centre + 1000,
        "bid_size": 0 if last else micro(420 + 10 * index),
        "ask_size": micro(380 + 15 * index),
        "bid_valid": not last,
        "ask_valid": True,
        "observed_at": at,
        "coherent": True,
    }


def opinions(now: int) -> None:
    """Signals, silences and counts."""
    for number in range(30):
        index = number % 5
        st.Signal.objects.create(
            id=f"signal-{number:02d}",
            tick_id=1 + number,
            at=now - (30 - number) * 37 * MINUTE,
            strategy="mean_reversion_v1",
            version="1",
            market=condition(index),
            token=token(index, 0),
            outcome="Yes",
            fair=micro(QUESTIONS[index][2]) + 30_000,
            limit=micro(QUESTIONS[index][2]) + 5_000,
            edge=12_500,
            size=micro(50),
            plan={"max_hold_ms": 6 * HOUR, "hold_to_resolution": False},
            why="z = -2.4 against an entry of -2.0",
            disposition=("traded", "refused", "sized_to_zero", "superseded")[number % 4],
            reason="MARKET_CAP" if number % 4 == 1 else "",
            closed_tick_id=None if number > 27 else number + 2,
        )
    for index in range(len(QUESTIONS)):
        for strategy, reason in (("dual_arb_v1", "NO_SIGNAL"), ("mean_reversion_v1", "WARMUP")):
            st.SilenceRun.objects.create(
                strategy=strategy,
                market=condition(index),
                reason=reason,
                detail="have 120 / need 240 bars" if reason == "WARMUP" else "",
                from_tick=5 + index,
                from_at=now - (8 - index) * HOUR,
                to_tick=30 if index == 7 else None,
                to_at=now - HOUR // 2 if index == 7 else None,
            )
    for strategy, silent in SILENT.items():
        for tick in (39, 40):
            st.Evaluation.objects.create(
                tick_id=tick,
                at=now - (41 - tick) * 10_000,
                strategy=strategy,
                version="1",
                seen=50,
                signalled=50 - sum(silent.values()),
                silent=silent,
            )


def accounts(now: int, points: int = 288) -> None:
    """Three accounts, their equity and the base account's holdings."""
    tilt = {"pessimistic": -9_000, "base": 0, "optimistic": 6_500}
    for name, slope in tilt.items():
        curve = list(walk(now, slope, points))
        high = max(value for _, value in curve)
        _, equity = curve[-1]
        cost = micro("176.21")
        ex.Account.objects.create(
            name=name,
            opened_at=min(curve[0][0], now - 25 * HOUR),
            seed=1,
            config_digest="3f9a2c0d" * 8,
            initial=micro(1000),
            cash=equity - micro("171.95"),
            reserved=micro("12.40"),
            equity=equity,
            high_water=high,
            day_open=curve[-100][1],
            deposits=micro(1000),
            realized=equity - micro(1000) + cost - micro("171.95"),
            fees=micro("6.82"),
            drawdown=(high - equity) * 1_000_000 // high,
            marked_at=now - 2_000,
        )
        ex.Equity.objects.bulk_create(
            ex.Equity(
                account=name,
                at=at,
                cash=value - micro(160),
                reserved=0,
                equity=value,
                drawdown=max(0, (high - value) * 1_000_000 // high),
            )
            for at, value in curve
        )
        hold(name, now)


def walk(now: int, slope: int, points: int) -> Iterator[tuple[int, int]]:
    """Equity five minutes apart: a drift with waves, no randomness."""
    for step in range(points):
        wave = 6 * math.sin(step / 55) + 3.5 * math.sin(step / 17) + 2 * math.sin(step / 5.3)
        # every account opens with the same capital
        waved = wave * min(1, step / 60)
        value = micro(1000) + int(13_500 * step / 2) + int(waved * 1_000_000) + slope * step // 4
        yield now - 2_000 - (points - 1 - step) * 5 * MINUTE, value


def hold(account: str, now: int) -> None:
    """The positions of one account."""
    for index, outcome, size, cost, mark, hours in HELD:
        ex.Position.objects.create(
            account=account,
            strategy="mean_reversion_v1",
            market=condition(index),
            token=token(index, int(outcome == "No")),
            outcome=outcome,
            size=micro(size),
            cost=micro(cost),
            mark=micro(mark),
            value=micro(size) * micro(mark) // 1_000_000,
            opened_at=now - hours * HOUR,
        )


def outcomes(now: int) -> None:
    """One market that ended half and half, and one whose outcome is proposed."""
    said = (
        (2, "proposed", 90, (None, None, micro(1), 0)),
        (2, "resolved", 40, (500_000, 500_000, None, None)),
        (4, "proposed", 15, (None, None, 0, micro(1))),
    )
    for index, status, minutes, (yes, no, yes_proposed, no_proposed) in said:
        mk.Resolution.objects.create(
            market=markets()[index],
            tick_id=40 - minutes // 10,
            status=status,
            at=now - minutes * MINUTE,
            yes_payout=yes,
            no_payout=no,
            yes_proposed=yes_proposed,
            no_proposed=no_proposed,
        )


def orders(now: int, count: int = 34) -> None:
    """Orders and their trades in the base account, a settlement, refusals."""
    for number in range(count):
        index, selling = number % 5, number % 3 == 2
        at = now - (count - number) * 43 * MINUTE
        order = ex.Order.objects.create(
            id=f"order-{number:02d}",
            tick_id=number + 1,
            account="base",
            strategy="mean_reversion_v1",
            market=condition(index),
            token=token(index, 0),
            outcome="Yes",
            side="sell" if selling else "buy",
            type="FAK",
            price=micro(QUESTIONS[index][2]),
            size=micro(60),
            purpose="exit" if selling else "entry",
            placed_at=at,
            arrives_at=at + 250,
            filled=micro("47.50"),
            state="partly_filled" if number % 4 else "filled",
        )
        ex.Trade.objects.create(
            id=f"trade-{number:02d}",
            tick_id=number + 2,
            account="base",
            order=order,
            strategy=order.strategy,
            market=order.market,
            token=order.token,
            outcome=order.outcome,
            side=order.side,
            price=order.price,
            size=order.filled,
            notional=order.price * order.filled // 1_000_000,
            fee=micro("0.21"),
            liquidity="taker",
            evidence="book crossed at level 1: displayed 410.00, already taken 0, believed 246.00",
            book_at=at + 9_000,
            at=at + 10_000,
            realized_pnl=micro("1.85") * (-1) ** number if selling else -micro("0.21"),
        )
    ex.Trade.objects.create(
        id="trade-settled",
        tick_id=38,
        account="base",
        strategy="mean_reversion_v1",
        market=condition(2),
        token=token(2, 0),
        outcome="Yes",
        side="sell",
        price=500_000,
        size=micro("41.20"),
        notional=micro("20.60"),
        fee=0,
        liquidity="settlement",
        evidence="resolved: pays 500000 a share",
        book_at=now - 25 * MINUTE,
        at=now - 25 * MINUTE,
        realized_pnl=micro("13.06"),
    )
    for code, times in (("MARKET_CAP", 7), ("COOLDOWN", 4), ("DEPTH", 2)):
        for number in range(times):
            ex.Refusal.objects.create(
                tick_id=40 - number, at=now - number * MINUTE, account="base",
                strategy="mean_reversion_v1", market=condition(number % 5),
                token=token(number % 5, 0), code=code, limit="50", value="61.2",
            )  # fmt: skip


def controls(now: int) -> None:
    """Switches, limits and two decisions."""
    for name, (state, reason, description) in STRATEGIES.items():
        ex.StrategyState.objects.create(
            name=name,
            configured=state == "active",
            state=state,
            reason=reason,
            description=description,
            parameters={"entry_zscore": 2.0} if name == "mean_reversion_v1" else {},
        )
    limits = (
        ("max_capital_per_market", 100, None, "51.36"),
        ("max_capital_per_strategy", 400, 300, "176.21"),
        ("daily_loss_limit", 100, None, "3.88"),
        ("max_drawdown", "0.1", None, "0.0172"),
    )
    for name, configured, override, used in limits:
        ex.LimitState.objects.create(
            name=name,
            configured=micro(configured),
            override=None if override is None else micro(override),
            used=micro(used),
        )
    ex.Change.objects.create(
        kind="limit", scope="max_capital_per_strategy", value=str(micro(300)), who="anna",
        why="half of it until the week is over", recorded_at=moment(now - 20 * HOUR),
        applied_tick=3,
    )  # fmt: skip


def halt(now: int, reason: str = "drawdown of 10.2 % reached the limit of 10 %") -> None:
    """The kill switch, latched by the desk."""
    ex.HaltState.objects.create(scope="all", reason=reason, who="desk", at=now - 4 * MINUTE)


def markets() -> list[mk.Market]:
    return list(mk.Market.objects.order_by("pk"))


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
