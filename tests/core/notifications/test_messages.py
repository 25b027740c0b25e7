"""The words for each kind of news."""

import pytest

from notifications.core import messages
from tests.builders import micro

TRADE = {
    "strategy": "mean_reversion_v1",
    "market": "0xabc",
    "outcome": "Yes",
    "side": "buy",
    "price": micro("0.41"),
    "size": micro("25.5"),
    "fee": micro("0.0123"),
    "at": 0,
    "realized_pnl": 0,
}


class TestText:
    @pytest.mark.parametrize(
        ("kind", "fields", "said"),
        [
            (
                "trade",
                TRADE,
                "Bought 25.5 Yes of 0xabc at 0.41, fee $0.0123 (mean_reversion_v1)",
            ),
            (
                "trade",
                TRADE | {"side": "sell", "realized_pnl": -micro("1.255"), "question": "Rain?"},
                "Sold 25.5 Yes of Rain? at 0.41, fee $0.0123, P&L -$1.26 (mean_reversion_v1)",
            ),
            (
                "settlement",
                TRADE | {"price": micro("0.5"), "realized_pnl": micro(1234)},
                "Settled 25.5 Yes of 0xabc: pays 0.5 a share, P&L +$1,234.00 (mean_reversion_v1)",
            ),
            (
                "correction",
                TRADE | {"price": micro(1), "realized_pnl": -micro(30)},
                "Taken back: 25.5 Yes of 0xabc had been paid 1 a share, P&L -$30.00 "
                "(mean_reversion_v1)",
            ),
            (
                "halt",
                {"scope": "all", "who": "ann", "why": "looks odd"},
                "Trading halted (everything) by ann: looks odd",
            ),
            (
                "resume",
                {"scope": "strategy:value_bet_v1", "who": "ann", "why": "fixed"},
                "Trading resumed (strategy value_bet_v1) by ann: fixed",
            ),
            (
                "ledger_mismatch",
                {"faults": ["account base shows cash of 1", "another"]},
                "Accounts and ledger do not agree, nothing new is ordered: account base shows cash "
                "of 1 and 1 more",
            ),
            (
                "limit_breached",
                {"strategy": "s", "code": "DAILY_LOSS", "limit": "daily_loss_limit", "value": "26"},
                "Limit reached: daily loss limit, now 26; s opens nothing",
            ),
            (
                "strategy_error",
                {"strategy": "s", "error": "division by zero"},
                "s failed and says nothing until it works again: division by zero",
            ),
            (
                "auto_disabled",
                {"strategy": "s", "reason": "9 closed events in a row lost"},
                "s was switched off by rule: 9 closed events in a row lost. "
                "A person may enable it again",
            ),
            (
                "started",
                {"env": "demo", "source": "synthetic"},
                "PQAP started: demo, market data from synthetic, paper trading",
            ),
        ],
    )
    def test_says_each_kind(self, kind, fields, said):
        assert messages.text(kind, fields) == said

    def test_every_kind_has_been_read_here(self):
        seen = {mark.args[1][n][0] for mark in TestText.test_says_each_kind.pytestmark
                for n in range(len(mark.args[1]))}  # fmt: skip
        assert seen == set(messages.KINDS)

    def test_a_kind_without_words_is_told_field_by_field(self):
        assert messages.text("model_retired", {"model": "v1"}) == "model retired: model v1"

    def test_news_that_lack_a_field_are_told_all_the_same(self):
        assert messages.text("halt", {"why": "?"}) == "halt: why ?"

    def test_a_trade_does_not_repeat_the_line_people_grep_for(self):
        assert "Trade executed" not in messages.text("trade", TRADE)


class TestDollars:
    @pytest.mark.parametrize(
        ("amount", "said"),
        [
            ("0", "$0.00"),
            ("-0.004", "$0.00"),
            ("-0.005", "-$0.01"),
            ("1234567.895", "$1,234,567.90"),
        ],
    )
    def test_rounds_half_a_cent_away_from_zero(self, amount, said):
        assert messages.dollars(micro(amount)) == said

    def test_shows_a_gain_with_its_sign(self):
        assert messages.dollars(micro("12.45"), signed=True) == "+$12.45"


class TestDecimal:
    @pytest.mark.parametrize("said", ["0", "0.000001", "0.41", "25", "1,000", "-3.5"])
    def test_is_exact_without_needless_zeros(self, said):
        assert messages.decimal(micro(said.replace(",", ""))) == said
