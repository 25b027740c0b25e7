"""What must hold before the programs start: a database of ours, logins, files, an empty broker."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from kombu.exceptions import OperationalError

from execution.selectors import overrides
from execution.services import opening, reconciling
from markets.services import feeds, sources, stream
from notifications import services as notifications
from pqap_site import (
    fastforward,
    identity,
    logins,
    logs,
    reachability,
    schedule,
    static_files,
)
from pqap_site.celery import app

log = logging.getLogger(__name__)


class Unready(Exception):
    """Something PQAP cannot start without is missing; the text says what to do."""


def prepare_database() -> str | None:
    """Check whose it is, migrate, open the accounts; the owner's first password, if made now."""
    configuration = settings.PQAP
    env, source = configuration.env, configuration.exchange.source
    identity.check(env, source)
    call_command("migrate", interactive=False, verbosity=0)
    identity.claim(env, source)
    logins.create_roles()
    schedule.rebuild(schedule.entries(configuration))
    opening.open_accounts(fastforward.begins(datetime.now(UTC)))
    check_ledger()
    for override in overrides.in_force():
        log.warning("%s", override)
    return logins.create_owner()


def check_ledger() -> None:
    """Halt everything when the books do not add up: a person must look before money moves."""
    reconciling.reconcile(insist=True)


def prepare_source() -> None:
    """Open the source once, so that a bad recording is one sentence and not an error a cycle."""
    if settings.PQAP.collection.mode != "stream":
        feeds.retire(stream.FEED)
    try:
        sources.current(settings.PQAP)
    except (OSError, ValueError) as problem:
        raise Unready(f"The market data cannot be opened: {problem}") from problem


def prepare_files() -> None:
    """Collect changed static files and forget bells of an earlier life: the rows are the work."""
    if static_files.collect_if_changed(settings.STATIC_ROOT, version=settings.VERSION):
        log.info("Collected the static files.")
    if not settings.BROKER_URL:
        for message in (settings.PATHS.broker / "messages").glob("*.msg"):
            message.unlink(missing_ok=True)


def ring_first() -> None:
    """Choose the markets now: the beat would wait a whole interval after the very first start."""
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
            app.send_task("markets.sync_markets", expires=schedule.SYNC_SECONDS, connection=broker)
    except (OperationalError, OSError) as problem:
        raise Unready(
            f"The broker named by BROKER_URL cannot be reached ({problem}): start it, or unset "
            "BROKER_URL to use the one built in."
        ) from problem


def look_at_exchange() -> None:
    """Warn, once and clearly, when the exchange does not answer; collection keeps trying."""
    exchange = settings.PQAP.exchange
    if exchange.source != "polymarket":
        return
    for url in dict.fromkeys((exchange.gamma_url, exchange.clob_url)):
        sentence = reachability.problem(url)
        if sentence:
            log.warning("%s", sentence)
            return


def tell() -> None:
    """Leave word in the outbox that PQAP has started."""
    now, configuration = datetime.now(UTC), settings.PQAP
    fields = {"env": configuration.env, "source": configuration.exchange.source}
    notifications.announce(
        "started", key=f"started:{now.isoformat()}", level="info", fields=fields, now=now
    )


def catch_up(progress: Callable[[int, int], None]) -> float:
    """Fast-forward the simulated exchange over the time PQAP was off; the seconds it took."""
    if settings.PQAP.exchange.source != "synthetic":
        return 0.0
    started = time.monotonic()
    with logs.quiet_console():
        done = fastforward.run(datetime.now(UTC), progress)
    took = time.monotonic() - started
    log.info("Fast-forwarded %d ticks in %.1f s.", done, took)
    return took


def checkpoint() -> None:
    """After the last process ended: one file is the database."""
    if connection.vendor != "sqlite":
        return
    try:
        if not connection.checkpoint():
            log.warning("The database was still in use; its log stays beside it until next time.")
    finally:
        connection.close()
