"""The rules a market must pass, the patience of members, and the words for both."""

from dataclasses import replace

import pytest

from markets.core import criteria, ranking, venue
from markets.core.criteria import Filters, Reason
from markets.core.ranking import Rules
from markets.core.types import Market, Status, Terms
from tests.builders import DAY, NOON, market, micro

HOUR = 3_600_000
STRICT = Filters(
    categories=("politics",),
    min_liquidity=micro(1_000),
    max_spread=micro("0.04"),
    min_hours_to_end=24,
    max_days_to_end=60,
    min_volume_24h=micro(500),
    min_price=micro("0.05"),
)


def good() -> Market:
    """One that passes every rule there is."""
    return replace(
        market("m-1", volume_24h=1_000),
        liquidity=micro(5_000),
        spread=micro("0.02"),
        price=micro("0.4"),
        created_at=NOON - 9 * DAY,
    )


def fault(each: Market, *, member: bool = False, filters: Filters = STRICT) -> Reason | None:
    return criteria.fault(
        criteria.case(each, at=NOON, filters=filters, exclude=frozenset(venue.KINDS), member=member)
    )


def with_terms(**changes: object) -> Market:
    return replace(good(), terms=replace(good().terms, **changes))


BROKEN = {
    Reason.LIVE_SPORTS: replace(good(), game_start_at=NOON + HOUR),
    Reason.CRYPTO_SHORT: replace(good(), slug="btc-updown-5m-1784850900"),
    Reason.COMBOS: replace(good(), tags=("combos",)),
    Reason.CLOSED: with_terms(status=Status.CLOSED),
    Reason.ARGUED: with_terms(status=Status.DISPUTED),
    Reason.NOT_ACCEPTING: with_terms(accepting_orders=False),
    Reason.FEE_UNKNOWN: with_terms(fee=None),
    Reason.END_UNKNOWN: with_terms(end_at=None),
    Reason.ENDED: with_terms(end_at=NOON),
    Reason.NEARLY_DECIDED: replace(good(), price=micro("0.96")),
    Reason.YOUNG: replace(good(), created_at=NOON - 23 * HOUR),
    Reason.CATEGORY: replace(good(), category="tech"),
    Reason.LIQUIDITY: replace(good(), liquidity=micro(999)),
    Reason.SPREAD: replace(good(), spread=micro("0.05")),
    Reason.TOO_SOON: with_terms(end_at=NOON + 23 * HOUR),
    Reason.TOO_LATE: with_terms(end_at=NOON + 61 * DAY),
    Reason.VOLUME: replace(good(), volume_24h=micro(499)),
}


class TestRules:
    def test_a_good_market_passes_them_all(self):
        assert fault(good()) is None

    @pytest.mark.parametrize("reason", BROKEN)
    def test_each_can_be_the_one_that_is_broken(self, reason):
        assert fault(BROKEN[reason]) is reason

    def test_none_is_missing_here(self):
        assert set(BROKEN) == {rule.reason for rule in criteria.RULES}

    @pytest.mark.parametrize("reason", BROKEN)
    def test_what_is_told_agrees_with_what_is_done(self, reason):
        judged = ranking.judged(
            BROKEN[reason], at=NOON, rules=Rules(5, frozenset(venue.KINDS), STRICT)
        )
        failed = [check.reason for check in criteria.checks(judged) if not check.passed]

        assert failed[0] is reason
        assert all(check.told.endswith(".") for check in criteria.checks(judged))

    @pytest.mark.parametrize("reason", [*sorted(criteria.FOREIGN), Reason.YOUNG])
    def test_a_kind_that_is_not_excluded_is_no_fault(self, reason):
        judged = ranking.judged(BROKEN[reason], at=NOON, rules=Rules(5, filters=STRICT))

        assert criteria.fault(judged) is None

    @pytest.mark.parametrize(
        "reason",
        [
            Reason.NEARLY_DECIDED,
            Reason.CATEGORY,
            Reason.LIQUIDITY,
            Reason.SPREAD,
            Reason.TOO_SOON,
            Reason.TOO_LATE,
            Reason.VOLUME,
        ],
    )
    def test_no_filter_is_on_unless_asked_for(self, reason):
        assert fault(BROKEN[reason], filters=Filters()) is None


class TestUnknownFigures:
    def test_a_price_that_is_not_listed_is_not_judged(self):
        assert fault(replace(good(), price=None)) is None

    def test_an_empty_side_is_too_wide_for_any_limit_on_the_spread(self):
        assert fault(replace(good(), spread=None)) is Reason.SPREAD
        assert fault(replace(good(), spread=None), filters=Filters()) is None


class TestPatience:
    @pytest.mark.parametrize(
        ("each", "reason"),
        [
            (replace(good(), price=micro("0.03")), Reason.NEARLY_DECIDED),
            (replace(good(), liquidity=micro(600)), Reason.LIQUIDITY),
            (replace(good(), spread=micro("0.07")), Reason.SPREAD),
            (with_terms(end_at=NOON + 13 * HOUR), Reason.TOO_SOON),
            (with_terms(end_at=NOON + 100 * DAY), Reason.TOO_LATE),
            (replace(good(), volume_24h=micro(260)), Reason.VOLUME),
        ],
    )
    def test_a_member_may_be_twice_as_bad(self, each, reason):
        assert fault(each) is reason
        assert fault(each, member=True) is None

    @pytest.mark.parametrize(
        ("each", "reason"),
        [
            (replace(good(), price=micro("0.02")), Reason.NEARLY_DECIDED),
            (replace(good(), spread=micro("0.09")), Reason.SPREAD),
            (with_terms(end_at=NOON + 11 * HOUR), Reason.TOO_SOON),
            (with_terms(accepting_orders=False), Reason.NOT_ACCEPTING),
            (with_terms(fee=None), Reason.FEE_UNKNOWN),
        ],
    )
    def test_and_no_worse(self, each, reason):
        assert fault(each, member=True) is reason


class TestKinds:
    def kinds(self, **changes: object) -> frozenset[str]:
        return venue.kinds(replace(good(), **changes), NOON)

    @pytest.mark.parametrize(
        "slug",
        [
            "hype-updown-5m-1782287400",
            "btc-updown-15m-1784850900",
            "eth-updown-4h-1784850900",
            "bitcoin-up-or-down-november-22-4pm-et",
        ],
    )
    def test_a_short_crypto_market_is_known_by_its_name(self, slug):
        assert self.kinds(slug=slug) == {venue.CRYPTO_SHORT}

    def test_or_by_the_window_it_asks_about(self):
        terms: Terms = replace(good().terms, end_at=NOON + 2 * DAY)
        start = NOON + 2 * DAY - 4 * HOUR

        assert self.kinds(terms=terms, starts_at=start, tags=("crypto",)) == {venue.CRYPTO_SHORT}
        assert self.kinds(terms=terms, starts_at=start - 1, tags=("crypto",)) == set()

    @pytest.mark.parametrize(
        "slug", ["bitcoin-above-64k-on-march-11", "will-bitcoin-be-up-or-down-in-2027"]
    )
    def test_a_long_crypto_market_is_none(self, slug):
        assert self.kinds(slug=slug, tags=("crypto", "crypto-prices")) == set()

    def test_other_questions_may_have_short_windows(self):
        assert self.kinds(starts_at=good().terms.end_at - HOUR, tags=("weather",)) == set()
