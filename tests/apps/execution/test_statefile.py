"""The state file: whole or not at all, exact, and taken over once, by anyone's file or ours."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from copy import deepcopy
from dataclasses import fields, replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution import models
from execution.core import decisions, interchange, state
from execution.core.interchange import Unreadable
from execution.core.portfolio import deposit
from execution.core.types import UNRESOLVED, Change, ChangeKind, Portfolio, Position
from execution.selectors import books, checks
from execution.services import desk, importing, statefile
from markets.core.types import ONE
from strategies.core.types import Plan
from tests import rows
from tests.apps.execution.world import decide, go, trading
from tests.builders import NOON, micro, tick

SEED = int(os.environ["PQAP_TEST_SEED"])


@pytest.fixture
def paths(settings, tmp_path):
    settings.PATHS = replace(
        settings.PATHS, state_file=tmp_path / "state.json", halt=tmp_path / "HALT"
    )
    return settings.PATHS


class TestKeeping:
    @pytest.fixture(autouse=True)
    def world(self, db, settings, paths):
        with trading(settings, ticks=12):
            yield

    def test_is_written_after_each_tick_that_changed_an_account(self, paths):
        go(3)
        document = json.loads(paths.state_file.read_text())
        base = models.Account.objects.get(name="base")

        assert document["schema"] == "pqap.paper_trading_state/1"
        assert document["environment"] == "demo"
        assert document["sha256"] == statefile.checksum(document)
        assert document["generated_at"] == interchange.instant(base.marked_at)
        assert document["ledger_head"] == books.head()
        assert document["accounts"]["base"]["cash"] == interchange.plain(base.cash)
        assert document["accounts"]["base"]["positions"]
        assert list(paths.state_file.parent.iterdir()) == [paths.state_file]

    def test_is_the_text_that_exportstate_prints(self, paths, capsys):
        go(3)
        call_command("exportstate")
        assert capsys.readouterr().out == paths.state_file.read_text()

        call_command("exportstate", str(paths.folder / "out.json"))
        assert (paths.folder / "out.json").read_text() == paths.state_file.read_text()

    def test_is_left_alone_while_nothing_changes(self, paths):
        decide(ChangeKind.DISABLE, "taker")
        go(1)
        before = paths.state_file.stat().st_ino
        go(3)
        assert paths.state_file.stat().st_ino == before

        paths.state_file.unlink()
        go(1)
        assert paths.state_file.exists()

    def test_a_failure_to_write_is_one_warning_and_no_tick_fails(self, settings, paths, caplog):
        wall = paths.state_file.parent / "wall"
        wall.write_text("a file where a folder should be")
        settings.PATHS = replace(paths, state_file=wall / "state.json")

        assert [go(1), go(1), go(1)] == [1, 1, 1]
        assert [r.message for r in caplog.records if "could not be written" in r.message][1:] == []
        assert "could not be written" in caplog.text

        wall.unlink()
        go(1)
        assert settings.PATHS.state_file.exists()

    def test_a_write_that_breaks_off_leaves_the_old_file(self, paths, monkeypatch):
        go(1)
        before = paths.state_file.read_text()
        monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no space")))
        go(3)

        assert paths.state_file.read_text() == before
        assert list(paths.state_file.parent.iterdir()) == [paths.state_file]


class TestTakingOver:
    @pytest.fixture(autouse=True)
    def world(self, db, settings, paths):
        with trading(settings, ticks=12):
            go(5)
            decide(ChangeKind.DISABLE, "taker")
            yield

    def exported(self, tmp_path):
        call_command("exportstate", str(tmp_path / "mine.json"))
        return tmp_path / "mine.json"

    def base(self):
        portfolio = books.books().portfolios["base"]
        held = {key: (p.size, p.cost, p.plan) for key, p in portfolio.positions.items()}
        figures = portfolio.deposits, portfolio.realized, portfolio.fees
        return portfolio.cash + portfolio.reserved, *figures, held

    def test_a_new_account_becomes_what_the_old_one_was(self, tmp_path, capsys):
        file, before = self.exported(tmp_path), self.base()
        decide(ChangeKind.NEW_ACCOUNT)
        go(1)
        call_command("importstate", str(file), "--why", "moving house")
        go(1)

        assert before[4]
        assert self.base() == before
        assert checks.faults() == []
        told = capsys.readouterr().out
        assert "deposits: " not in told
        assert "taker: " in told
        assert ": nothing -> " in told

    def test_the_same_file_a_second_time_is_nothing(self, tmp_path, capsys):
        file = self.exported(tmp_path)
        decide(ChangeKind.NEW_ACCOUNT)
        go(1)
        call_command("importstate", str(file), "--why", "once")
        call_command("importstate", str(file), "--why", "twice, still waiting")
        go(1)
        call_command("importstate", str(file), "--why", "thrice", "--as-adjustment")

        assert models.Change.objects.filter(kind="import").count() == 1
        assert models.JournalEntry.objects.filter(kind="import").count() == 1
        assert capsys.readouterr().out.count("taken over before: nothing was changed") == 2

    def test_an_account_that_has_traded_is_left_alone_unless_told(self, tmp_path):
        file = self.exported(tmp_path)
        with pytest.raises(CommandError, match="holds or has traded"):
            call_command("importstate", str(file), "--why", "x")
        assert not models.Change.objects.filter(kind="import").exists()

        call_command("importstate", str(file), "--account", "base", "--as-adjustment", "--why", "x")
        before = self.base()
        go(1)
        assert self.base() == before
        assert checks.faults() == []

    def test_a_dry_run_and_a_run_without_a_reason_change_nothing(self, tmp_path):
        file = self.exported(tmp_path)
        call_command("importstate", str(file), "--dry-run", "--as-adjustment")
        with pytest.raises(CommandError, match="why: a reason is needed"):
            call_command("importstate", str(file), "--as-adjustment")

        assert not models.Change.objects.filter(kind="import").exists()

    def test_what_is_taken_over_can_be_sold(self, tmp_path):
        file = self.exported(tmp_path)
        decide(ChangeKind.NEW_ACCOUNT)
        go(1)
        call_command("importstate", str(file), "--why", "x")
        decide(ChangeKind.CLOSE, "all")
        go(6)

        sold = models.Order.objects.filter(account="base", reason="by hand", filled__gt=0)
        assert sold.exists()
        assert checks.faults() == []

    def test_a_file_that_is_not_there(self):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("importstate", "no/such/file.json", "--why", "x")


# Any account, there and back.

MARKETS = st.tuples(st.integers(0, 7), st.integers(0, 1))
MONEY = st.integers(0, 10**15)
PLANS = st.builds(
    Plan, st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12),
    st.integers(0, 9), st.booleans(), st.integers(0, ONE), st.integers(0, ONE),
    st.integers(0, ONE),
)  # fmt: skip


@st.composite
def portfolios(draw) -> Portfolio:
    positions = {}
    for strategy in ("mean_reversion_v1", "imported"):
        for index, side in sorted(draw(st.sets(MARKETS, max_size=4))):
            token, payout = rows.token(index, side), draw(st.sampled_from([UNRESOLVED, 0, ONE]))
            size, open_ = draw(st.integers(1, 10**14)), payout == UNRESOLVED
            worth = draw(st.integers(0, size)) if open_ else size * payout // ONE
            mark = draw(st.integers(0, ONE)) if open_ else payout
            positions[strategy, token] = Position(
                strategy, rows.condition(index), token, ("Yes", "No")[side], side,
                size, draw(MONEY), draw(st.integers(0, 4 * 10**12)), draw(PLANS), mark, worth,
                f"event-{index}", *(draw(MONEY) for _ in range(4)), draw(st.integers(0, ONE)),
                payout, 0 if open_ else draw(st.integers(1, 4 * 10**12)),
            )  # fmt: skip
    cash, fees = draw(MONEY), draw(MONEY)
    realized = draw(st.integers(-(10**14), 10**14))
    paid = cash + sum(held.cost for held in positions.values()) - realized
    worth = cash + sum(held.value for held in positions.values())
    return Portfolio(
        "base", cash, positions, deposits=paid, realized=realized, fees=fees, equity=worth
    )


@pytest.fixture
def catalogue(db, paths) -> None:
    """Eight known markets and a fresh base account."""
    rows.catalogue(NOON)
    fresh, _ = deposit(Portfolio("base"), micro(1000), NOON, "opening")
    models.Account.objects.create(
        name="base", opened_at=NOON, seed=1, config_digest="", initial=fresh.cash,
        marked_at=NOON, state=state.dump(fresh),
    )  # fmt: skip


def text_of(portfolio: Portfolio) -> str:
    accounts = {"base": interchange.account(portfolio)}
    return statefile.text(accounts, at=NOON, head="ab" * 32)


def there_and_back(portfolio: Portfolio) -> None:
    first = text_of(portfolio)
    wanted = importing.propose(first.encode()).wanted
    change = Change(ChangeKind.IMPORT, "base", wanted.dump(), "ann", "x", 1)
    fresh, _ = deposit(Portfolio("base"), micro(1000), NOON, "opening")
    after, _ = decisions.apply(fresh, change, tick(at=NOON))

    assert text_of(after) == first


MANY = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}


@given(portfolio=portfolios())
@settings(max_examples=200, **MANY)
def test_there_and_back_is_byte_equal(catalogue, portfolio):
    there_and_back(portfolio)


@pytest.mark.slow
@given(portfolio=portfolios())
@settings(max_examples=10_000, **MANY)
def test_there_and_back_is_byte_equal_for_very_many(catalogue, portfolio):
    there_and_back(portfolio)


def test_every_field_of_a_holding_is_in_the_file():
    known = {*interchange.TEXTS, *interchange.AMOUNTS, *interchange.TIMES, "index", "plan"}

    assert {field.name for field in fields(Position)} == known


# Damaged files.

EXAMPLE = Portfolio(
    "base", micro(812.5), {
        ("imported", rows.token(n, 0)): Position(
            "imported", rows.condition(n), rows.token(n, 0), "Yes", 0, micro(120), micro(51.36),
            NOON, Plan(3_600_000), event=f"event-{n}",
        )
        for n in range(3)
    },
    deposits=micro(1000), realized=micro(-33.42), fees=micro(1.2), equity=micro(900),
)  # fmt: skip
JUNK = (None, True, 1, -1, 1.5, 10**400, "", "x", "NaN", "-1", "1e5", "\0", "\ud800", [], {}, [[]])


def damaged(luck: random.Random, whole: str) -> bytes:
    """The text with a few bytes lost, doubled, or changed, or cut off."""
    data = bytearray(whole.encode())
    for _ in range(luck.randint(1, 4)):
        at = luck.randrange(len(data))
        kind = luck.randrange(5)
        if kind == 0:
            data[at] = luck.randrange(256)
        elif kind == 1:
            del data[at : at + luck.randint(1, 40)]
        elif kind == 2:
            data[at:at] = data[at : at + luck.randint(1, 40)]
        elif kind == 3:
            data[at] = luck.choice(b'0123456789"{}[],:')
        else:
            del data[at:]
        if not data:
            return b""
    return bytes(data)


def edited(luck: random.Random, whole: str) -> bytes:
    """The document with values replaced by junk, and its checksum made again."""
    document = json.loads(whole)
    for _ in range(luck.randint(1, 3)):
        spot = document
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = luck.choice(keys)
            if isinstance(spot[key], dict | list) and spot[key] and luck.random() < 0.9:
                spot = spot[key]
                continue
            if luck.random() < 0.3 and isinstance(spot, dict):
                del spot[key]
            else:
                spot[key] = deepcopy(luck.choice(JUNK))
            break
    document["sha256"] = statefile.checksum(document)
    return json.dumps(document).encode()


def refuse_or_read(content: bytes, right: str) -> int:
    """1 for a clean refusal, 0 where the file reads as it should; anything else is a fault."""
    try:
        assert importing.propose(content).wanted.dump() == right
    except Unreadable:
        return 1
    return 0


def damage(rounds: int) -> None:
    print(f"seed {SEED}")
    luck, whole = random.Random(SEED), text_of(EXAMPLE)
    right = importing.propose(whole.encode()).wanted.dump()
    refused = sum(refuse_or_read(damaged(luck, whole), right) for _ in range(rounds))
    assert refused > rounds * 0.8

    for _ in range(rounds // 5):
        with suppress(Unreadable):
            importing.propose(edited(luck, whole))


def test_a_damaged_file_is_refused_cleanly(catalogue):
    damage(500)


@pytest.mark.slow
def test_very_many_damaged_files_are_refused_cleanly(catalogue):
    damage(5_000)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"cash": NaN}', "NaN is not a number"),
        (b'{"cash": 1e99999999999999999999}', "not JSON"),
        (b'{"cash": 1, "cash": 2}', "'cash' is there twice"),
        (b"[]", "schema: None is not known"),
        (b'{"schema": "pqap/9"}', "schema: 'pqap/9' is not known"),
        (b'{"schema": "pqap.paper_trading_state/1", "sha256": "x"}', "is not the checksum"),
        (b'{"schema": "pqap.paper_trading_state/1", "a": 1.5, "sha256": "x"}', "not the checksum"),
        (b'{"cash": "many"}', "cash: 'many' is not allowed; it must be a number"),
        (b'{"cash": true}', "cash: True is not allowed"),
        (b'{"cash": -5}', "0 or more are allowed"),
        (b'{"cash": 1e12}', "below a thousand million"),
        (b'{"cash": 5, "positions": 7}', "it must be a list or an object"),
        (b'{"cash": 5, "positions": [7]}', r"positions\[0\]: 7 is not allowed"),
        (b'{"cash": 5, "positions": [{"size": 5}]}', "it names no token"),
        (b'{"cash": 5, "positions": [{"size": 5, "token": "9"}]}', "knows no token '9'"),
        (b'{"cash": 5, "positions": {"9": {"size": 5}}}', "knows no token '9'"),
        (b'{"cash": 5, "positions": [{"token": "9"}]}', "one of size, shares, quantity"),
        (b'{"cash": 5, "positions": [{"token": "\\ud800", "size": 1}]}', "is no text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(catalogue, content, names):
    with pytest.raises(Unreadable, match=names):
        importing.propose(content)


def test_a_token_of_another_market_is_refused(catalogue):
    [(key, held), *_] = EXAMPLE.positions.items()
    wrong = replace(EXAMPLE, positions={key: replace(held, market=rows.condition(5))})

    with pytest.raises(Unreadable, match=f"token {held.token} belongs to {held.market}"):
        importing.propose(text_of(wrong).encode())


# A plain file of somebody else.


def plain(positions, **more) -> importing.Proposal:
    document = {"cash": 812.1234565, "positions": positions, **more}
    return importing.propose(json.dumps(document).encode())


YES = rows.token(1, 0)
PLAIN = {
    "a list": [{"token_id": YES, "size": 120.5, "avg_price": 0.428}],
    "an object by token": {YES: {"shares": "120.5", "entry_price": 0.428}},
    "by market and outcome": [
        {"market": rows.condition(1), "outcome": "YES", "quantity": 120.5, "price": 0.428}
    ],
    "an object by market": {rows.condition(1): {"side": "yes", "qty": 120.5, "price": "0.428"}},
    "with its cost": [{"asset_id": YES, "amount": 120.5, "cost_basis": 51.574}],
}


@pytest.mark.parametrize("form", PLAIN)
def test_a_plain_file_is_read_in_any_common_form(catalogue, form):
    proposal = plain(PLAIN[form])
    [held] = proposal.wanted.positions

    assert (held.token, held.market, held.outcome) == (YES, rows.condition(1), "Yes")
    assert (held.size, held.cost) == (micro("120.5"), micro("51.574"))
    assert (held.strategy, held.plan.hold_to_resolution) == ("imported", True)
    assert proposal.wanted.deposits == proposal.wanted.cash + held.cost


def test_numbers_are_rounded_half_even_and_each_change_is_told(catalogue):
    proposal = plain(
        [{"token": YES, "size": 10.0000005, "price": 0.333333335}, {"token": "7", "size": 0}]
    )

    assert proposal.wanted.cash == 812_123_456
    assert proposal.wanted.positions[0].size == 10_000_000
    assert proposal.notes == (
        "cash: 812.1234565 became 812.123456",
        "positions[0].size: 10.0000005 became 10",
        "positions[0]: cost 3.33333335 became 3.333333",
        "positions[0]: held to its market's end, opened 2026-01-01T12:00:00.000Z",
        "positions[1]: nothing is held, left out",
    )


def test_the_profit_so_far_goes_on_where_the_capital_is_told(catalogue):
    proposal = plain([{"token": YES, "size": 100, "price": 0.5}], initial_capital=1000)

    assert proposal.wanted.deposits == micro(1000)
    assert proposal.wanted.realized == proposal.wanted.cash + micro(50) - micro(1000)


def test_a_known_strategy_keeps_its_holding_and_an_unknown_one_is_told(catalogue):
    entry = {"token": YES, "size": 1, "price": 0.5}
    known = plain([{**entry, "strategy": "momentum_v1"}])
    unknown = plain([{**entry, "strategy": "gut feeling"}])

    assert known.wanted.positions[0].strategy == "momentum_v1"
    assert unknown.wanted.positions[0].strategy == "imported"
    assert "no strategy is called 'gut feeling'" in " ".join(unknown.notes)


@pytest.mark.parametrize("price", [1.2, -0.1])
def test_an_impossible_price_is_refused(catalogue, price):
    with pytest.raises(Unreadable, match=r"positions\[0\]\.price: a share costs 0 to 1 dollar"):
        plain([{"token": YES, "size": 1, "price": price}])


# Killed in the middle.


def killed(rounds: int) -> None:
    """A child takes a file over and is killed at a random moment; all of it is there or nothing."""
    print(f"seed {SEED}")
    luck, done = random.Random(SEED), 0
    for number in range(rounds):
        before = books.books().portfolios["base"].cash
        content = json.dumps({"cash": 1000 + number}).encode()
        connections.close_all()
        child = os.fork()
        if not child:
            _take_over(content)
        time.sleep(luck.random() * 0.25)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        desk.forget()

        now = books.books().portfolios["base"]
        applied = models.Change.objects.filter(kind="import").exclude(applied_tick=None).last()
        wanted = applied and json.loads(applied.value)["cash"]
        assert now.cash in (before, micro(1000 + number))
        assert now.cash == wanted or applied is None
        assert checks.faults() == []
        done += now.cash != before
        go(1)
    print(f"{done} of {rounds} were done before the kill")


def _take_over(content: bytes) -> None:
    try:
        importing.decide(importing.propose(content, adjust=True), who="ann", why="x")
        go(1)
        time.sleep(5)
    finally:
        os._exit(0)


@pytest.fixture
def on_disk(database, settings, paths):
    if database != "sqlite":
        pytest.skip("what one transaction holds is the same there")
    with trading(settings, ticks=230):
        decide(ChangeKind.DISABLE, "taker")
        go(1)
        yield


def test_killed_while_taking_over_leaves_all_or_nothing(on_disk):
    killed(20)


@pytest.mark.slow
def test_killed_very_often_while_taking_over(on_disk):
    killed(100)
