"""Good configurations: what they load to, what they warn about, and what their digest covers."""

import dataclasses
import os
import pickle
import subprocess
import sys
from datetime import time

import pytest

from pqap_site import config
from tests.builders import micro
from tests.site.config_files import ENVIRONMENTS, ROOT, USERS_FILE, loaded, shipped


def warned(configuration, key):
    """The warnings told at one key."""
    return [line for line in configuration.warnings if f" {key}: " in line]


class TestShippedFiles:
    @pytest.mark.parametrize(
        ("env", "capital", "market", "strategy", "daily", "debug", "source"),
        [
            ("demo", 1000, 100, 400, 100, True, "synthetic"),
            ("dev", 100, 50, 100, 25, True, "polymarket"),
            ("staging", 1000, 500, 400, 100, True, "polymarket"),
            ("prod", 5000, 500, 2000, 250, False, "polymarket"),
        ],
    )
    def test_say_what_the_table_says(self, env, capital, market, strategy, daily, debug, source):
        found = config.load(shipped(env), {})

        limits = found.risk_limits
        assert (found.env, found.debug, found.exchange.source) == (env, debug, source)
        assert found.initial_capital == micro(capital)
        assert limits.max_capital_per_market == micro(market)
        assert limits.max_capital_per_strategy == micro(strategy)
        assert limits.daily_loss_limit == micro(daily)
        assert limits.max_drawdown == micro("0.10")
        assert not found.invalid_strategies

    @pytest.mark.parametrize("env", ENVIRONMENTS)
    def test_equal_a_file_that_names_only_its_environment(self, env, tmp_path):
        """The environment's table and the shipped file may not drift apart."""
        bare = tmp_path / "bare.yaml"
        bare.write_text(f"env: {env}\n")

        short, whole = config.load(bare, {}), config.load(shipped(env), {})

        different = {
            field.name
            for field in dataclasses.fields(config.Configuration)
            if getattr(short, field.name) != getattr(whole, field.name)
        }
        chosen = {"demo": {"api", "sizing", "strategies"}, "dev": {"api"}}.get(env, set())
        assert different - {"path", "digest", "warnings"} == chosen

    @pytest.mark.parametrize(
        ("env", "event", "cluster", "total", "orders"),
        [
            ("demo", 100, 200, 600, 120),
            ("dev", 50, 100, 100, 60),
            ("staging", 500, 600, 800, 120),
            ("prod", 500, 1000, 3000, 120),
        ],
    )
    def test_say_what_may_be_lost_and_how_fast(self, env, event, cluster, total, orders):
        limits = config.load(shipped(env), {}).risk_limits

        assert limits.max_event_loss == micro(event)
        assert limits.max_cluster_loss == micro(cluster)
        assert limits.max_total_exposure == micro(total)
        assert limits.max_orders_per_minute == micro(orders)
        assert limits.max_book_age == micro(15)
        softer = (limits.halve_at_drawdown, limits.flatten_at_daily_loss, limits.rolling_daily_loss)
        assert softer == (0, 0, 0)

    def test_open_reading_without_login_only_where_nobody_else_can_reach(self):
        open_ones = [env for env in ENVIRONMENTS if config.load(shipped(env), {}).api.public_read]

        assert open_ones == ["demo", "dev"]
        assert all(config.load(shipped(env), {}).api.bind == "127.0.0.1" for env in open_ones)

    def test_dev_says_that_the_drawdown_comes_before_the_daily_loss(self):
        [line] = warned(config.load(shipped("dev"), {}), "risk_limits.daily_loss_limit")

        assert line.startswith("configs/dev.yaml:")
        assert "25 can never bind: max_drawdown, 10 dollars" in line

    @pytest.mark.parametrize("env", ["demo", "staging", "prod"])
    def test_others_have_limits_that_can_all_bind(self, env):
        assert not [w for w in config.load(shipped(env), {}).warnings if "never bind" in w]

    def test_demo_enables_every_strategy(self):
        assert len(config.load(shipped("demo"), {}).enabled_strategies) == 8


class TestUsersFile:
    def test_loads_as_written(self, tmp_path):
        file = tmp_path / "users.yaml"
        file.write_text(USERS_FILE)

        found = config.load(file, {})

        assert found.enabled_strategies == ("dual_arb_v1", "mean_reversion_v1")
        assert found.strategies["mean_reversion_v1"].entry_zscore == 2.0
        assert found.strategies["mean_reversion_v1"].exit_zscore == 0.5
        assert found.risk_limits.max_capital_per_strategy == micro(400)
        assert found.risk_limits.max_drawdown == micro("0.10")
        assert found.warnings == ()

    def test_stands_in_the_product_with_the_same_defaults_for_the_rest(self, tmp_path):
        found = loaded(tmp_path, USERS_FILE)

        assert (found.collection.poll_seconds, found.collection.markets) == (10, 50)
        assert (found.paper.latency_ms, found.paper.latency_p95_ms) == (250, 1200)
        assert found.paper.redeem_minutes == 15
        assert (found.api.bind, found.api.port, found.api.public_read) == (
            "127.0.0.1",
            8080,
            False,
        )
        assert found.backup.at == time(2, 0)
        assert found.time_zone == "UTC"


class TestValues:
    @pytest.mark.parametrize("written", ["1000", '"1000"', "1_000", "1e3", "1000.000000", "+1000."])
    def test_numbers_may_be_quoted_and_written_in_any_plain_way(self, written, tmp_path):
        found = loaded(tmp_path, f"env: demo\ninitial_capital: {written}\n")

        assert found.initial_capital == 1_000_000_000

    @pytest.mark.parametrize(
        ("written", "expected"),
        [("0.000001", 1), ("0.1", 100_000), ("999999999.999999", 999_999_999_999_999)],
    )
    def test_money_is_exact_to_the_micro_dollar(self, written, expected, tmp_path):
        text = f"env: demo\nrisk_limits: {{daily_loss_limit: {written}}}\n"

        assert loaded(tmp_path, text).risk_limits.daily_loss_limit == expected

    def test_pins_take_ids_slugs_and_urls_as_written(self, tmp_path):
        pins = ["0x" + "ab" * 32, "0123", "2026-01-01", "https://polymarket.com/event/x?tid=1"]
        text = "env: dev\ncollection:\n  pinned:\n" + "".join(f"    - {pin}\n" for pin in pins)

        assert loaded(tmp_path, text).collection.pinned == tuple(pins)

    @pytest.mark.parametrize("written", ["22:30", '"22:30"'])
    def test_a_time_needs_no_quotes(self, written, tmp_path):
        assert loaded(tmp_path, f"env: dev\nbackup: {{at: {written}}}\n").backup.at == time(22, 30)

    def test_quiet_hours_may_cross_midnight(self, tmp_path):
        found = loaded(tmp_path, "env: dev\nnotifications: {quiet_hours: 22:00-07:30}\n")

        assert found.notifications.quiet_hours == (time(22), time(7, 30))

    def test_one_kind_of_message_can_be_switched_off(self, tmp_path):
        found = loaded(tmp_path, "env: dev\nnotifications: {kinds: {trade: false}}\n")

        assert [kind for kind, on in found.notifications.kinds.items() if not on] == ["trade"]

    @pytest.mark.parametrize("section", ["strategies", "risk_limits", "collection", "site"])
    def test_a_section_with_every_key_commented_out_means_its_defaults(self, section, tmp_path):
        plain = loaded(tmp_path, "env: dev\n")

        assert loaded(tmp_path, f"env: dev\n{section}:\n").digest == plain.digest

    def test_no_strategy_is_monitoring_only_and_said(self, tmp_path):
        found = loaded(tmp_path, "env: dev\nenabled_strategies: []\n")

        assert found.enabled_strategies == ()
        assert "monitoring only" in warned(found, "enabled_strategies")[0]

    def test_a_replay_names_its_recording(self, tmp_path):
        (tmp_path / "books.parquet").touch()
        text = f"env: dev\nexchange: {{source: replay, recording: {tmp_path}/books.parquet}}\n"

        found = loaded(tmp_path, text).exchange

        assert (found.recording, found.speed) == (tmp_path / "books.parquet", 1.0)

    def test_it_survives_the_way_to_another_process(self, tmp_path):
        found = loaded(tmp_path, USERS_FILE)

        assert pickle.loads(pickle.dumps(found)) == found

    def test_text_begins_after_a_byte_order_mark_and_ends_lines_either_way(self, tmp_path):
        text = "\ufeff" + USERS_FILE.replace("\n", "\r\n")

        assert loaded(tmp_path, text).digest == loaded(tmp_path, USERS_FILE).digest


class TestLimits:
    @pytest.mark.parametrize(("poll", "age"), [(1, "5"), (3, "5"), (4, "6"), (7, "10.5")])
    def test_the_age_of_books_follows_the_poll(self, poll, age, tmp_path):
        text = f"env: dev\ncollection: {{poll_seconds: {poll}}}\n"

        assert loaded(tmp_path, text).risk_limits.max_book_age == micro(age)

    def test_the_file_may_set_it(self, tmp_path):
        text = "env: dev\nrisk_limits: {max_book_age: 8}\n"

        assert loaded(tmp_path, text).risk_limits.max_book_age == micro(8)

    def test_the_softer_steps_are_switched_on_by_their_number(self, tmp_path):
        text = (
            "env: prod\nrisk_limits: {halve_at_drawdown: 0.05, flatten_at_daily_loss: 150,"
            " rolling_daily_loss: true}\n"
        )

        limits = loaded(tmp_path, text).risk_limits

        assert limits.halve_at_drawdown == 50_000
        assert limits.flatten_at_daily_loss == micro(150)
        assert limits.rolling_daily_loss == 1

    def test_the_cash_floor_is_a_limit_too(self, tmp_path):
        found = loaded(tmp_path, "env: dev\nsizing: {cash_floor: 0.2}\n")

        assert found.risk_limits.cash_floor == found.sizing.cash_floor == 200_000


class TestSizing:
    def test_every_fraction_follows_its_limit(self, tmp_path):
        sizing = loaded(tmp_path, "env: prod\n").sizing

        assert sizing.max_fraction_per_event == 100_000
        assert sizing.max_fraction_per_cluster == 200_000
        assert sizing.max_fraction_per_category == 400_000
        assert sizing.max_fraction_per_strategy == 400_000
        assert sizing.max_fraction_total == 600_000
        assert sizing.risk_free == 50_000

    @pytest.mark.parametrize(
        ("capital", "limit", "expected"),
        [(1000, 500, 500_000), (100, 50, 500_000), (100, 300, 1_000_000), (3, 1, 333_334)],
    )
    def test_the_fraction_of_a_market_follows_its_limit(self, capital, limit, expected, tmp_path):
        text = (
            f"env: dev\ninitial_capital: {capital}\n"
            f"risk_limits: {{max_capital_per_market: {limit}}}\n"
        )

        assert loaded(tmp_path, text).sizing.max_fraction_per_market == expected

    def test_the_file_may_set_it(self, tmp_path):
        text = "env: dev\nsizing: {max_fraction_per_market: 0.02, cash_floor: 0.2}\n"

        sizing = loaded(tmp_path, text).sizing

        assert (sizing.max_fraction_per_market, sizing.cash_floor) == (20_000, 200_000)
        assert (sizing.kelly_fraction, sizing.max_depth_share) == (100_000, 100_000)


class TestWarnings:
    @pytest.mark.parametrize(
        ("text", "key", "said"),
        [
            ("risk_limits: {max_capital_per_market: 500}", "risk_limits.max_capital_per_market",
             "500 is above the capital and can never bind"),
            ("risk_limits: {max_capital_per_strategy: 101}", "risk_limits.max_capital_per_strategy",
             "101 is above the capital"),
            ("risk_limits: {daily_loss_limit: 11}", "risk_limits.daily_loss_limit",
             "max_drawdown, 10 dollars"),
            ("risk_limits: {max_event_loss: 50, max_cluster_loss: 40}",
             "risk_limits.max_event_loss", "50 can never bind: max_cluster_loss, 40 dollars"),
            ("risk_limits: {max_cluster_loss: 90, max_total_exposure: 80}",
             "risk_limits.max_cluster_loss", "90 can never bind: max_total_exposure, 80 dollars"),
            ("risk_limits: {max_total_exposure: 101}", "risk_limits.max_total_exposure",
             "101 is above the capital"),
            ("risk_limits: {max_event_loss: 30}", "risk_limits.max_capital_per_market",
             "binds only where holdings hedge each other: max_event_loss, 30 dollars"),
            ("risk_limits: {max_event_loss: 0.5}", "risk_limits.max_event_loss",
             "nothing can trade"),
            ("risk_limits: {halve_at_drawdown: 0.1}", "risk_limits.halve_at_drawdown",
             "never acts: max_drawdown, 10 %"),
            ("risk_limits: {flatten_at_daily_loss: 11}", "risk_limits.flatten_at_daily_loss",
             "never acts: max_drawdown, 10 dollars"),
            ("sizing: {kelly_fraction: 0.2}", "sizing.kelly_fraction",
             "0.2 is above 0.1, which wants 200 closed trades over at least 50 events"),
            ("sizing: {kelly_fraction: 0.3}", "sizing.kelly_fraction",
             "0.3 is above 0.25: no record justifies that"),
            ("risk_limits: {daily_loss_limit: 0}", "risk_limits.daily_loss_limit",
             "0 stops every opening"),
            ("sizing: {max_fraction_per_market: 0.2}", "risk_limits.max_capital_per_market",
             "sizing.max_fraction_per_market, 20 dollars"),
            ("sizing: {cash_floor: 0.75}", "risk_limits.max_capital_per_market",
             "sizing.cash_floor, which leaves 25"),
            ("sizing: {max_fraction_per_market: 0.02}", "sizing.max_fraction_per_market",
             "only at prices up to 0.4"),
            ("risk_limits: {max_capital_per_market: 0.99}", "risk_limits.max_capital_per_market",
             "nothing can trade"),
            ("api: {public_read: true, bind: 0.0.0.0}", "api.public_read", "without a login"),
            ("collection: {poll_seconds: 600}", "collection.snapshot_seconds",
             "shorter than poll_seconds"),
            ("collection: {markets: 1, pinned: [a, b]}", "collection.pinned", "2 pins"),
            ("exchange: {recording: data/x}", "exchange.recording", "has no effect"),
        ],
    )  # fmt: skip
    def test_what_will_not_do_what_its_author_hopes_is_told(self, text, key, said, tmp_path):
        found = loaded(tmp_path, f"env: dev\n{text}\n")

        [line] = warned(found, key)
        assert said in line
        assert line.startswith(f"{tmp_path}/x.yaml")

    def test_a_market_limit_above_the_only_strategys_names_it(self, tmp_path):
        text = "env: staging\nenabled_strategies: [dual_arb_v1]\n"

        [line] = warned(loaded(tmp_path, text), "risk_limits.max_capital_per_market")

        assert "500 can never bind: max_capital_per_strategy, 400" in line

    def test_a_simulated_exchange_in_production_is_pointed_out(self, tmp_path):
        found = loaded(tmp_path, "env: prod\nexchange: {source: synthetic}\n")

        assert warned(found, "exchange.source")

    def test_caps_that_reach_a_whole_order_are_silent(self, tmp_path):
        text = "env: dev\nenabled_strategies: [dual_arb_v1]\nrisk_limits: {daily_loss_limit: 10}\n"

        assert loaded(tmp_path, text).warnings == ()


class TestVariables:
    def test_set_the_four_addresses(self, tmp_path):
        environ = {
            "PQAP_GAMMA_URL": "http://127.0.0.1:9/gamma/",
            "PQAP_CLOB_URL": "http://localhost:9",
            "PQAP_DATA_URL": "http://[::1]:9",
            "PQAP_WS_URL": "ws://127.0.0.1:9/ws",
        }

        found = loaded(tmp_path, "env: dev\n", environ).exchange

        assert found.gamma_url == "http://127.0.0.1:9/gamma"
        assert found.clob_url == "http://localhost:9"
        assert found.data_url == "http://[::1]:9"
        assert found.ws_url == "ws://127.0.0.1:9/ws"

    def test_an_empty_one_sets_nothing(self, tmp_path):
        found = loaded(tmp_path, "env: dev\n", {"PQAP_CLOB_URL": ""})

        assert found.exchange.clob_url == "https://clob.polymarket.com"


class TestDigest:
    def test_ignores_comments_order_quotes_and_spelled_out_defaults(self, tmp_path):
        other = "# mine\ntime_zone: UTC\n" + USERS_FILE.replace("1000", '"1000.00"')

        assert loaded(tmp_path, other).digest == loaded(tmp_path, USERS_FILE).digest

    def test_ignores_where_the_file_lies(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()

        here, there = loaded(tmp_path, USERS_FILE), loaded(tmp_path / "elsewhere", USERS_FILE)

        assert here.digest == there.digest
        assert len(here.digest) == 64

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("staging", "dev"),
            ("initial_capital: 1000", "initial_capital: 1000.000001"),
            ('"2.0"', '"2.1"'),
            ("  - dual_arb_v1\n", ""),
            ("daily_loss_limit: 100", "daily_loss_limit: 99"),
            ("debug: true", "debug: false"),
            ("debug: true", "debug: true\npaper: {seed: 2}"),
            ("debug: true", "debug: true\nbackup: {at: 02:01}"),
            ("    parameters:", "    mode: shadow\n    parameters:"),
        ],
    )
    def test_changes_with_whatever_takes_effect(self, old, new, tmp_path):
        assert old in USERS_FILE

        changed = loaded(tmp_path, USERS_FILE.replace(old, new)).digest

        assert changed != loaded(tmp_path, USERS_FILE).digest

    def test_changes_with_a_variable_that_takes_effect(self, tmp_path):
        redirected = loaded(tmp_path, USERS_FILE, {"PQAP_CLOB_URL": "http://localhost:1"})

        assert redirected.digest != loaded(tmp_path, USERS_FILE).digest

    def test_is_the_same_in_another_process(self):
        program = (
            "from pathlib import Path; from pqap_site import config;"
            f"print(config.load(Path({str(shipped('demo'))!r}), {{}}).digest)"
        )
        environ = {**os.environ, "PYTHONHASHSEED": "4321"}

        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
        )  # fmt: skip

        assert done.stdout.strip() == config.load(shipped("demo"), {}).digest
