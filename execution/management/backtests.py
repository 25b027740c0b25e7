"""A backtest's sums as a document, and the document as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from execution.core import metrics
from execution.core.backtest import Result, Voice
from execution.core.desk import ACCOUNTS
from execution.core.interchange import instant
from execution.services.backtesting import Asked, Done
from markets.core.amounts import plain
from markets.core.types import ONE

TOUCH_ONLY = "their touch is known and nothing below it, so nothing can fill on them"


def document(asked: Asked, done: Done) -> dict[str, Any]:
    """Everything as JSON-able values: decimal strings, ISO times, counts."""
    tally = done.tally
    names = sorted({*tally.voices, *(name for _, name in tally.results if name)})
    return {
        "configuration": str(settings.PQAP.path),
        "config_digest": settings.PQAP.digest,
        "seed": settings.PQAP.paper.seed,
        "data": _data(asked, done),
        "accounts": {name: _account(done, name) for name in ACCOUNTS},
        "strategies": {name: _strategy(done, name) for name in names},
        "notes": [{"at": instant(at), "text": text} for at, text in tally.notes],
    }


def _data(asked: Asked, done: Done) -> dict[str, Any]:
    fed = done.tally.data
    return {
        "source": str(asked.file) if asked.file else "database",
        "from": instant(fed.first),
        "to": instant(fed.last),
        "ticks": fed.ticks,
        "markets": len(fed.markets),
        "coverage": plain(fed.confirmed * ONE // fed.seen if fed.seen else 0),
        "longest_pause_seconds": fed.pause // 1000,
        "longest_pause_at": instant(fed.paused_at) if fed.pause else None,
        "ticks_without_depth": fed.bare,
        "lapsed_ticks": fed.lapsed,
        "bars_before": done.bars,
    }


def _account(done: Done, name: str) -> dict[str, Any]:
    held = done.portfolios[name]
    return {
        "capital": plain(settings.PQAP.initial_capital),
        "equity": plain(held.equity),
        "pnl": plain(held.equity - held.deposits),
        "rebates": plain(held.rebates),
        "drawdown": plain(done.tally.falls[name]),
    }


def _strategy(done: Done, name: str) -> dict[str, Any]:
    voice = done.tally.voices.get(name, Voice())
    return {
        "traded": name in done.traded,
        "looks": voice.looks,
        "signals": voice.signals,
        "silent": dict(voice.silent.most_common()),
        "accounts": {
            account: _result(done.tally.results.get((account, name), Result()), account, name)
            for account in ACCOUNTS
        },
    }


def _result(result: Result, account: str, name: str) -> dict[str, Any]:
    dollars = [pnl / ONE for _, pnl in sorted(result.events.items())]
    seed = f"{settings.PQAP.paper.seed}|{account}|{name}"
    figure = metrics.total_result(dollars, seed=seed)
    known = figure.low is not None and figure.high is not None
    return {
        "pnl": plain(result.pnl),
        "low": plain(round(figure.low * ONE)) if known else None,
        "high": plain(round(figure.high * ONE)) if known else None,
        "note": figure.note,
        "events": len(dollars),
        "fees": plain(result.fees),
        "trades": result.trades,
        "held": result.held,
        "refused": dict(result.refused.most_common()),
    }


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The document for people."""
    data = told["data"]
    yield f"Data: {data['from']} to {data['to']}, from {_source(data['source'])}"
    yield f"  {data['ticks']} ticks, {data['markets']} markets, {data['bars_before']} bars before"
    yield f"  coverage {_percent(data['coverage'])} of market-ticks confirmed; {_pause(data)}"
    if data["ticks_without_depth"]:
        yield f"  {data['ticks_without_depth']} ticks hold no depth: {TOUCH_ONLY}"
    if data["lapsed_ticks"]:
        yield f"  {data['lapsed_ticks']} ticks lapsed when they were recorded: nothing was opened"
    digest = told["config_digest"][:12]
    yield f"Configuration: {told['configuration']}, digest {digest}, seed {told['seed']}"
    for name, account in told["accounts"].items():
        yield (
            f"Account {name}: P&L {account['pnl']} of {account['capital']} dollars, deepest "
            f"drawdown {_percent(account['drawdown'])}, rebates {account['rebates']}"
        )
    for name, strategy in told["strategies"].items():
        yield from _of_strategy(name, strategy)
    for note in told["notes"]:
        yield f"{note['at']} {note['text']}"


def _of_strategy(name: str, told: Mapping[str, Any]) -> Iterator[str]:
    switch = "" if told["traded"] else " (not enabled: it speaks and does not trade)"
    silent = next(iter(told["silent"].items()), None)
    mostly = f", silent mostly {silent[0]} ({silent[1]} of {told['looks']} looks)" if silent else ""
    yield f"{name}{switch}: {told['signals']} signals{mostly}"
    if not told["traded"]:
        return
    yield f"  {'account':<12}{'P&L':>12}  {'95 % interval':<28}{'fees':>10}{'trades':>8}  refused"
    for account, result in told["accounts"].items():
        refused = ", ".join(f"{code} {count}" for code, count in result["refused"].items())
        yield (
            f"  {account:<12}{_cents(result['pnl']):>12}  {_interval(result):<28}"
            f"{_cents(result['fees']):>10}{result['trades']:>8}  {refused or '-'}"
        )
        if result["note"]:
            yield f"  {'':<12}{'':>12}  {result['note']}"


def _interval(result: Mapping[str, Any]) -> str:
    if result["low"] is None:
        return "-"
    return f"{_cents(result['low'])} to {_cents(result['high'])}"


def _source(name: str) -> str:
    return "the database" if name == "database" else name


def _pause(data: Mapping[str, Any]) -> str:
    if data["longest_pause_at"] is None:
        return "one tick"
    return f"longest pause {data['longest_pause_seconds']} s from {data['longest_pause_at']}"


def _percent(share: str) -> str:
    return f"{float(share):.1%}"


def _cents(amount: str) -> str:
    return f"{float(amount):.2f}"
