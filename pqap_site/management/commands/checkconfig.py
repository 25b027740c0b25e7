"""`checkconfig [CONFIG]`: say what a configuration means, without starting or touching anything."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from execution.core.risk import Limits
from markets.core.amounts import plain
from pqap_site import config, environment
from pqap_site.config.advice import percent
from strategies import library

WIDTH = 14


class Command(BaseCommand):
    help = "Check a configuration file without starting anything."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """CONFIG may be positional or --config; without it, the environment acted on."""
        parser.add_argument("file", nargs="?", metavar="CONFIG", help="such as configs/dev.yaml")
        parser.add_argument("--config", help="the same, as an option")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what takes effect; exit 1 with every fault when the file is refused."""
        path = _path(options["file"] or options["config"])
        try:
            configuration = config.load(path, os.environ)
            secrets = environment.load_secrets(configuration.env, environment.BASE_DIR, os.environ)
        except (config.Refused, environment.Unusable) as refused:
            self.stderr.write(f"{refused}\nThis configuration is refused; nothing was started.")
            raise SystemExit(1) from None
        warnings = (*configuration.warnings, *secrets.warnings)
        for label, text in _report(configuration, secrets):
            self.stdout.write(f"{label:<{WIDTH}}{text}".rstrip())
        for warning in warnings:
            self.stdout.write(self.style.WARNING(f"Warning: {warning}"))
        count = f"{len(warnings)} warning{'s' * (len(warnings) != 1)}" if warnings else "no warning"
        self.stdout.write(self.style.SUCCESS(f"This configuration is good, with {count}."))


def _path(given: str | None) -> Path:
    if given:
        return Path(given)
    return environment.resolve(["manage.py", "checkconfig"], os.environ).config


def _report(
    configuration: config.Configuration, secrets: environment.Secrets
) -> Iterator[tuple[str, str]]:
    """The lines of the report, as (label, text)."""
    paths = environment.paths(configuration.env)
    collection, paper, api = configuration.collection, configuration.paper, configuration.api
    yield "Configuration", str(configuration.path)
    yield "Environment", f"{configuration.env}, database {paths.database}, files in {paths.folder}"
    yield "Market data", _source(configuration)
    yield "", f"{collection.markets} markets every {collection.poll_seconds} s"
    yield "Capital", f"{plain(configuration.initial_capital)} dollars, on paper"
    yield from _limits(configuration)
    yield "Paper fills", f"latency {paper.latency_ms} ms, 95 % within {paper.latency_p95_ms} ms"
    yield "", f"outcomes are paid after {paper.redeem_minutes} minutes"
    yield from _strategies(configuration)
    yield "Web", f"{api.bind} port {api.port}, reading {'open' if api.public_read else 'by login'}"
    yield "Time zone", configuration.time_zone
    known = [name for name in environment.SECRET_NAMES if secrets.values.get(name)]
    where = secrets.file.name if secrets.file else "no .env file"
    yield "Secrets", f"{where}; set: {', '.join(known) or 'none, and none is needed'}"
    yield "Digest", configuration.digest[:16]


def _source(configuration: config.Configuration) -> str:
    exchange = configuration.exchange
    if exchange.source == "synthetic":
        return "synthetic: the built-in simulated exchange, no network"
    if exchange.source == "replay":
        return f"replay of {exchange.recording} at {exchange.speed:g} times real time"
    return f"polymarket: {exchange.gamma_url}, {exchange.clob_url}, {exchange.data_url}"


def _limits(configuration: config.Configuration) -> Iterator[tuple[str, str]]:
    limits, sizing = configuration.risk_limits, configuration.sizing
    per_market = plain(limits.max_capital_per_market)
    per_strategy = plain(limits.max_capital_per_strategy)
    yield "Risk limits", f"{per_market} dollars a market, {per_strategy} a strategy"
    daily, drawdown = plain(limits.daily_loss_limit), percent(limits.max_drawdown)
    yield "", f"{daily} dollars loss a day, {drawdown} drawdown"
    event, cluster = plain(limits.max_event_loss), plain(limits.max_cluster_loss)
    total = plain(limits.max_total_exposure)
    yield "", f"at worst {event} dollars an event, {cluster} a cluster, {total} in all"
    rate, age = plain(limits.max_orders_per_minute), plain(limits.max_book_age)
    yield "", f"{rate} orders a minute, books at most {age} s old"
    yield from _softer(limits)
    market, depth = percent(sizing.max_fraction_per_market), percent(sizing.max_depth_share)
    yield "Sizing", f"{percent(sizing.kelly_fraction)} of Kelly, {market} of equity a market"
    yield "", f"{depth} of displayed depth, {percent(sizing.cash_floor)} stays cash"


def _softer(limits: Limits) -> Iterator[tuple[str, str]]:
    if limits.halve_at_drawdown:
        yield "", f"sizes halve at {percent(limits.halve_at_drawdown)} drawdown"
    if limits.flatten_at_daily_loss:
        yield (
            "",
            f"everything is sold at {plain(limits.flatten_at_daily_loss)} dollars loss a day",
        )
    if limits.rolling_daily_loss:
        yield "", "the loss of the last 24 hours counts as a day's"


def _strategies(configuration: config.Configuration) -> Iterator[tuple[str, str]]:
    for position, name in enumerate({**library.REGISTRY, **configuration.outside_strategies}):
        label = "" if position else "Strategies"
        yield label, f"{name:<20}{_state(configuration, name)}"


def _state(configuration: config.Configuration, name: str) -> str:
    """A strategy's state as this file alone decides it."""
    if name in configuration.invalid_strategies:
        return f"off: {configuration.invalid_strategies[name]}"
    if name not in configuration.strategies:
        return "unavailable in this version"
    if name in configuration.shadow_strategies:
        return "shadow: signals are stored, never traded"
    if name in configuration.enabled_strategies:
        return "active"
    return "not enabled: signals are stored, never traded"
