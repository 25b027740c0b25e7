"""Wrong configurations: each refusal names file, line, key, the value given and what is allowed."""

import random

import pytest

from pqap_site import config
from tests.site.config_files import REGISTRY, USERS_FILE, loaded, refusal, shipped

MONEY = "0 or more (dollars, at most 1000000000, 6 decimals)"
NAMES = ", ".join(REGISTRY)

WRONG = [
    # text after "env: dev" on line 1, line, key, value, what is allowed
    ("initial_capital: -5", 2, "initial_capital", "-5", "more than 0 (dollars"),
    ("initial_capital: 0", 2, "initial_capital", "0", "more than 0 (dollars"),
    ("initial_capital: .nan", 2, "initial_capital", ".nan", "more than 0 (dollars"),
    ('initial_capital: "nan"', 2, "initial_capital", "nan", "more than 0 (dollars"),
    ("initial_capital: .inf", 2, "initial_capital", ".inf", "more than 0 (dollars"),
    ('initial_capital: "Infinity"', 2, "initial_capital", "Infinity", "more than 0 (dollars"),
    ("initial_capital: true", 2, "initial_capital", "true", "more than 0 (dollars"),
    ("initial_capital: [100]", 2, "initial_capital", "a list of 1", "more than 0 (dollars"),
    ("initial_capital:", 2, "initial_capital", "nothing", "more than 0 (dollars"),
    ("initial_capital: 100 dollars", 2, "initial_capital", "100 dollars", "more than 0 (dollars"),
    ("initial_capital: 0x64", 2, "initial_capital", "0x64", "more than 0 (dollars"),
    ("initial_capital: 0100", 2, "initial_capital", "0100", "more than 0 (dollars"),
    ("initial_capital: 1:40", 2, "initial_capital", "1:40", "more than 0 (dollars"),
    ("initial_capital: 1e10", 2, "initial_capital", "1e10", "at most 1000000000"),
    ("initial_capital: 1e999999999", 2, "initial_capital", "1e999999999", "at most 1000000000"),
    ("initial_capital: ١٠٠", 2, "initial_capital", "١٠٠", "more than 0 (dollars"),
    ("debug: maybe", 2, "debug", "maybe", "true or false"),
    ('debug: "true"', 2, "debug", "true", "true or false; without quotes"),
    ("debug: 1", 2, "debug", "1", "true or false"),
    ("risk_limits:\n  daily_loss_limit: -5", 3, "risk_limits.daily_loss_limit", "-5", MONEY),
    ("risk_limits:\n  daily_loss_limit: 0.0000001", 3, "risk_limits.daily_loss_limit",
     "0.0000001", "6 decimals at most"),
    ("risk_limits:\n  max_capital_per_market: false", 3, "risk_limits.max_capital_per_market",
     "false", MONEY),
    ("risk_limits:\n  max_drawdown: 10", 3, "risk_limits.max_drawdown", "10",
     "a fraction above 0, at most 1 (0.10 is 10 %); write 0.1 for 10 %"),
    ("risk_limits:\n  max_drawdown: 0", 3, "risk_limits.max_drawdown", "0", "a fraction above 0"),
    ("risk_limits:\n  max_drawdown: 10 %", 3, "risk_limits.max_drawdown", "10 %", "a fraction"),
    ("risk_limits:\n  max_orders_per_minute: 0", 3, "risk_limits.max_orders_per_minute", "0",
     "a whole number from 1 to 100000"),
    ("risk_limits:\n  max_book_age: 0.5", 3, "risk_limits.max_book_age", "0.5", "or null"),
    ("risk_limits:\n  max_event_loss: -1", 3, "risk_limits.max_event_loss", "-1", MONEY),
    ("risk_limits:\n  flatten_at_daily_loss: 0", 3, "risk_limits.flatten_at_daily_loss", "0",
     "more than 0"),
    ("risk_limits: 5", 2, "risk_limits", "5", "a block of keys"),
    ("risk_limits: [5]", 2, "risk_limits", "a list of 1", "a block of keys"),
    ("enabled_strategies: dual_arb_v1", 2, "enabled_strategies", "dual_arb_v1",
     "a list of strategy names, [] for monitoring only, or all"),
    ("enabled_strategies:", 2, "enabled_strategies", "nothing", "a list of strategy names"),
    ("enabled_strategies:\n  - dual_arb_v1\n  - dual_arb", 4, "enabled_strategies", "dual_arb",
     f"one of {NAMES}; did you mean dual_arb_v1?"),
    ("enabled_strategies:\n  - 7", 3, "enabled_strategies", "7", f"one of {NAMES}"),
    ("enabled_strategies:\n  - [dual_arb_v1]", 3, "enabled_strategies", "a list of 1", NAMES),
    ("strategies: dual_arb_v1", 2, "strategies", "dual_arb_v1", "a block of keys"),
    ("strategies:\n  dual_arb_v1: 5", 3, "strategies.dual_arb_v1", "5", "a block of keys"),
    ("strategies:\n  dual_arb_v1:\n    mode: live", 4, "strategies.dual_arb_v1.mode", "live",
     "one of paper, shadow"),
    ("strategies:\n  momentum_v1:\n    mode: live", 4, "strategies.momentum_v1.mode", "live",
     "one of paper, shadow"),
    ("strategies:\n  dual_arb_v1:\n    parameters: 3", 4, "strategies.dual_arb_v1.parameters", "3",
     "a block of keys"),
    ("exchange:\n  source: kalshi", 3, "exchange.source", "kalshi",
     "one of polymarket, synthetic, replay"),
    ("exchange:\n  source: replay", 2, "exchange.recording", "nothing",
     "a recorded file or folder, because source is replay"),
    ("exchange:\n  source: replay\n  recording: data/none", 4, "exchange.recording", "data/none",
     "a recorded file or folder that exists"),
    ("exchange:\n  gamma_url: ftp://x.org", 3, "exchange.gamma_url", "ftp://x.org",
     "an address http://... or https://..."),
    ("exchange:\n  ws_url: https://x.org", 3, "exchange.ws_url", "https://x.org",
     "an address ws://... or wss://..."),
    ("exchange:\n  clob_url: https://", 3, "exchange.clob_url", "https://", "an address http"),
    ("exchange:\n  clob_url: http://x:99999", 3, "exchange.clob_url", "http://x:99999", "an addr"),
    ("exchange:\n  data_url: http://x/?q=1", 3, "exchange.data_url", "http://x/?q=1",
     "without ? and #"),
    ("exchange:\n  speed: 0", 3, "exchange.speed", "0", "a number from 0.01 to 100000"),
    ("collection:\n  mode: socket", 3, "collection.mode", "socket", "one of poll, stream"),
    ("exchange:\n  source: synthetic\ncollection:\n  mode: stream", 5, "collection.mode", "stream",
     "poll, because exchange.source is synthetic: only polymarket has a stream"),
    ("collection:\n  poll_seconds: 0", 3, "collection.poll_seconds", "0",
     "a whole number from 1 to 3600 (seconds)"),
    ("collection:\n  markets: 1.5", 3, "collection.markets", "1.5", "a whole number from 1 to"),
    ("collection:\n  pinned:", 3, "collection.pinned", "nothing", "a list, [] for none"),
    ("collection:\n  pinned: abc", 3, "collection.pinned", "abc", "a list, [] for none"),
    ('collection:\n  pinned:\n    - a\n    - "two words"', 5, "collection.pinned", "two words",
     "a market's id, slug or exchange URL"),
    ("collection:\n  exclude:\n    - live_sport", 4, "collection.exclude", "live_sport",
     "one of live_sports, crypto_short, combos, younger_than_24h; did you mean live_sports?"),
    ("collection:\n  retention_days: 1\n  keep_raw_hours: 25", 4, "collection.keep_raw_hours", "25",
     "at most 24, the hours of retention_days"),
    ("paper:\n  fills: perfect", 3, "paper.fills", "perfect",
     "one of pessimistic, base, optimistic"),
    ("paper:\n  latency_p95_ms: 100", 3, "paper.latency_p95_ms", "100",
     "at least latency_ms, 250"),
    ("paper:\n  seed: -1", 3, "paper.seed", "-1", "a whole number from 0 to"),
    ("sizing:\n  kelly_fraction: 1.1", 3, "sizing.kelly_fraction", "1.1",
     "a fraction above 0, at most 1"),
    ("sizing:\n  cash_floor: 1", 3, "sizing.cash_floor", "1", "a fraction from 0 to 0.99"),
    ("sizing:\n  max_fraction_per_market: 2", 3, "sizing.max_fraction_per_market", "2", "or null"),
    ("api:\n  port: 70000", 3, "api.port", "70000", "a whole number from 1 to 65535"),
    ("api:\n  bind: example.org", 3, "api.bind", "example.org", "an IP address of this machine"),
    ("time_zone: Europe/Berln", 2, "time_zone", "Europe/Berln",
     "the name of a time zone, such as UTC or Europe/Berlin; did you mean Europe/Berlin?"),
    ("time_zone: ../../etc/passwd", 2, "time_zone", "../../etc/passwd", "the name of a time zone"),
    ("site:\n  url: pqap.example.org", 3, "site.url", "pqap.example.org", "or null"),
    ("site:\n  contacts: 5551234", 3, "site.contacts", "5551234", "put it in quotes"),
    ("logging:\n  level: info", 3, "logging.level", "info",
     "one of DEBUG, INFO, WARNING, ERROR, CRITICAL; did you mean INFO?"),
    ("logging:\n  format: xml", 3, "logging.format", "xml", "one of text, json"),
    ("notifications:\n  quiet_hours: 22:00-25:00", 3, "notifications.quiet_hours", "22:00-25:00",
     'two times such as "22:00-07:00", or null'),
    ("notifications:\n  kinds:\n    trade: 0", 4, "notifications.kinds.trade", "0",
     "true or false"),
    ('backup:\n  at: "24:00"', 3, "backup.at", "24:00", 'a time from "00:00" to "23:59"'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "key", "value", "allowed"), WRONG, ids=[repr(case[0]) for case in WRONG]
)
def test_a_wrong_value_is_told_with_line_key_value_and_what_is_allowed(
    text, line, key, value, allowed, tmp_path
):
    [told] = refusal(tmp_path, f"env: dev\n{text}\n")

    assert told.startswith(f"x.yaml:{line}: {key}: {value} is not allowed; it must be ")
    assert allowed in told


UNKNOWN = [
    ("risk_limit: {}", 2, "risk_limit", "did you mean risk_limits?"),
    ("Debug: true", 2, "Debug", "did you mean debug?"),
    ("1: 2", 2, "1", "allowed here: env, debug, "),
    ("<<: {debug: true}", 2, "<<", "allowed here: env, debug, "),
    ("risk_limits:\n  daily_loss: 5", 3, "risk_limits.daily_loss", "mean daily_loss_limit?"),
    ("collection:\n  poll_second: 5", 3, "collection.poll_second", "did you mean poll_seconds?"),
    ("exchange:\n  gama_url: x", 3, "exchange.gama_url", "did you mean gamma_url?"),
    ("notifications:\n  kinds: {trades: true}", 3, "notifications.kinds.trades", "mean trade?"),
    ("strategies:\n  dual_arb_v1:\n    enabled: true", 4, "strategies.dual_arb_v1.enabled",
     "allowed here: class, mode, forecasts, parameters"),
    ("strategies:\n  dual_arb_v1:\n    parameters:\n      entry_zscor: 2", 5,
     "strategies.dual_arb_v1.parameters.entry_zscor", "did you mean entry_zscore?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "said"), UNKNOWN)
def test_an_unknown_key_is_told_with_those_allowed(text, line, key, said, tmp_path):
    [told] = refusal(tmp_path, f"env: dev\n{text}\n")

    assert told.startswith(f"x.yaml:{line}: {key}: unknown key, given ")
    assert "; allowed here: " in told
    assert said in told


def test_an_unknown_strategy_is_told_with_those_known(tmp_path):
    [told] = refusal(tmp_path, "env: dev\nstrategies:\n  mean_reversion: {}\n")

    assert told == (
        f"x.yaml:3: strategies.mean_reversion: unknown strategy; allowed here: {NAMES}"
        "; did you mean mean_reversion_v1?"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("debug: true\n", "x.yaml: env: is missing; it must be one of demo, dev, staging, prod"),
        ("env: stagng\n", "x.yaml:1: env: stagng is not allowed; it must be one of demo, dev, "
         "staging, prod; did you mean staging?"),
        ("env: dev\ndebug: true\ndebug: false\n", "x.yaml:3: debug: false is not allowed: the key "
         "already stands on line 2 and may be given only once"),
    ],
)  # fmt: skip
def test_an_environment_is_named_once_and_rightly(text, told, tmp_path):
    assert refusal(tmp_path, text) == [told]


SHAPES = [
    ("", 1, "the file is empty; it must be keys and values"),
    ("# only a comment\n", 1, "the file is empty; it must be keys and values"),
    ("- env\n- dev\n", 1, "the file is a list; it must be keys and values"),
    ("env\n", 1, "the file is one value; it must be keys and values"),
    ("env: dev\n---\nenv: prod\n", 2, "a second document (---) is not allowed"),
    ("env: &here dev\n", 1, "anchors (&) and aliases (*) are not allowed"),
    ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "anchors (&) and aliases (*)"),
    ("env: !!python/object/apply:os.system [ls]\n", 1, "tags (!) are not allowed"),
    ("env: !!str dev\n", 1, "tags (!) are not allowed"),
    ("a: " + "[" * 5000 + "\n", 1, "nested more than 12 deep"),
    ("a: " + "{a: " * 500 + "\n", 1, "nested more than 12 deep"),
    ("env: dev\n\tdebug: true\n", 2, "this is not valid YAML"),
    ("env: dev\ndebug: [true\n", 3, "this is not valid YAML"),
    ("env: dev\ndebug: 'true\n", 3, "this is not valid YAML"),
    ('env: "\\UFFFFFFFF"\n', 0, "this is not valid YAML: an escape or a number in it"),
    ("env: dev\nsite: \x07\n", 2, "an invisible control character is not allowed"),
    ("env: dev\n? [a]\n: b\n", 2, "a key must be one plain word"),
    ("env: dev\nsite: {server: |\n", 2, "this is not valid YAML"),
    ("env: dev\nsite:\n  server: |\n    a\n    b\n", 3, "line breaks and invisible characters"),
    ('env: dev\nsite:\n  server: "\\ud800"\n', 3, "line breaks and invisible characters"),
    ("env: dev\n" + "#" * 200_000, 0, "the file is larger than 128 kB"),
]


@pytest.mark.parametrize(("text", "line", "said"), SHAPES, ids=[repr(s[0][:40]) for s in SHAPES])
def test_a_file_that_is_no_plain_yaml_is_told_with_its_line(text, line, said, tmp_path):
    told = refusal(tmp_path, text)

    assert told[0].startswith(f"x.yaml:{line}: " if line else "x.yaml: ")
    assert said in told[0]


class TestFiles:
    def test_that_are_missing_name_those_that_exist(self, tmp_path):
        (tmp_path / "dev.yaml").touch()

        with pytest.raises(config.Refused) as refused:
            config.load(tmp_path / "deb.yaml", {}, registry=REGISTRY)

        there = f"{tmp_path}/dev.yaml"
        wanted = f"deb.yaml: no such file; there are {there}; did you mean {there}?"
        assert str(refused.value) == f"{tmp_path}/{wanted}"

    def test_that_are_folders(self, tmp_path):
        with pytest.raises(config.Refused, match="this is not a file"):
            config.load(tmp_path, {}, registry=REGISTRY)

    def test_whose_name_no_system_takes(self, tmp_path):
        for name in ("a\0b", "x" * 5000):
            with pytest.raises(config.Refused, match=r"cannot be read|no such file"):
                config.load(tmp_path / name, {}, registry=REGISTRY)

    def test_that_are_not_utf8_name_the_line(self, tmp_path):
        file = tmp_path / "x.yaml"
        file.write_bytes("env: dev\nsite: {server: Zürich}\n".encode("latin-1"))

        with pytest.raises(config.Refused, match=r"x\.yaml:2: this is not UTF-8 text"):
            config.load(file, {}, registry=REGISTRY)


def test_every_fault_is_told_in_the_order_of_the_file(tmp_path):
    text = "env: def\ndebug: 3\nrisk_limit: 1\npaper: {seed: x}\nenabled_strategies: [nobody]\n"

    told = refusal(tmp_path, text)

    assert [line.split(":")[1] for line in told] == ["1", "2", "3", "4", "5"]


def test_wrong_variables_are_told_by_name_and_beside_the_files_faults(tmp_path):
    environ = {"PQAP_CLOB_URL": "nowhere", "PQAP_WS_URL": "https://x.org"}

    told = refusal(tmp_path, "env: dev\ndebug: 3\n", environ)

    assert told[0].startswith("x.yaml: PQAP_CLOB_URL (an environment variable): nowhere is not")
    assert told[1].endswith("it must be an address ws://... or wss://...")
    assert len(told) == 3


def test_a_wrong_variable_alone_refuses_a_good_file(tmp_path):
    [told] = refusal(tmp_path, "env: dev\n", {"PQAP_GAMMA_URL": "http://u:p@x.org"})

    assert told.startswith("x.yaml: PQAP_GAMMA_URL (an environment variable): (hidden) is not")


SECRETS = [
    "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "kq3-5XbZ0TnYb8lqYJ9rJ1o6hBTlSp3vX2u7Jm1m1aA=",
    "9f1c2d3e-aaaa-bbbb-cccc-0123456789ab",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "place",
    ["POLYMARKET_PRIVATE_KEY: {}", "{}: 1", "debug: {}", "site: {{token: {}}}", "env: {}",
     "collection: {{exclude: [{}]}}", "site: {{url: 'https://u:{}@x.org'}}",
     "enabled_strategies: [{}]", "strategies: {{dual_arb_v1: {{parameters: {{legs: {}}}}}}}"],
)  # fmt: skip
def test_what_looks_like_a_secret_is_never_repeated(place, secret, tmp_path):
    quoted = f'"{secret}"'
    told = refusal(tmp_path, place.format(secret if "url" in place else quoted) + "\n")

    assert secret not in "\n".join(told)
    assert "hidden" in "\n".join(told)


def test_a_key_that_names_a_secret_hides_even_a_short_value_and_says_where_it_belongs(tmp_path):
    [told] = refusal(tmp_path, "env: dev\nTELEGRAM_BOT_TOKEN: abc\n")

    assert "abc" not in told
    assert told.endswith("secrets belong in .env, never in this file")


def test_a_long_value_is_cut(tmp_path):
    [told] = refusal(tmp_path, f"env: dev\ndebug: {'very ' * 50}\n")

    assert len(told) < 150


PIECES = [
    ":", "-", "&a ", "*a", "!!int ", '"', "'", "[", "]", "{", "}", "\n", "\t", "#", "nan", "-1",
    "1e400", "null", "true", "\x00", "\ufeff", "\ud7ff", "é", "%YAML 9.9\n", "---\n", "? ", "|",
    ">", "\\", "0x1F", "9" * 60, "~", "=", "<<: ", ",", "10:10", "2026-01-01",
]  # fmt: skip


def mutated(chance: random.Random, text: str) -> str:
    """The text after one to three small accidents."""
    for _ in range(chance.randint(1, 3)):
        lines = text.split("\n")
        at, line = chance.randrange(len(text)), chance.randrange(len(lines))
        accident = chance.randrange(5)
        if accident == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif accident == 1:
            text = text[:at] + text[at + chance.randint(1, 8) :]
        elif accident == 2:
            lines[line] = lines[line].partition(":")[0] + ": " + chance.choice(PIECES)
            text = "\n".join(lines)
        elif accident == 3:
            lines.insert(chance.randrange(len(lines)), lines[line])
            text = "\n".join(lines)
        else:
            lines[line] = chance.choice(["  ", " ", ""]) + lines[line].lstrip()
            text = "\n".join(lines)
        text = text or "env: dev"
    return text


def test_500_random_accidents_load_or_are_refused_and_nothing_else(tmp_path):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sections = "env: dev\nrisk_limits:" + shipped("dev").read_text().partition("risk_limits:")[2]
    good = [USERS_FILE, sections]
    assert all(loaded(tmp_path, text) for text in good)
    told: list[str] = []
    refused = 0

    for _ in range(500):
        text = mutated(chance, chance.choice(good))
        try:
            loaded(tmp_path, text)
        except config.Refused as refusal:
            refused += 1
            told += str(refusal).splitlines()

    assert 5 <= refused <= 495
    assert [line for line in told if not line.startswith(str(tmp_path))] == []
