"""What runs when: the whole beat schedule, in code, kept in the database for the admin to pause."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from pqap_site.celery import collect_queue, desk_queue, upkeep_queue
from pqap_site.config import Configuration

SYNC_SECONDS = 60
"""A whole walk of the catalogue takes several sittings; between two walks a sync is cheap."""
NOTIFY_SECONDS = 5
PAST_SECONDS = 60
ARCHIVE_SECONDS = 60
PRUNE_SECONDS = 300
SCORE_SECONDS = 60
RECONCILE_SECONDS = 600
REFIT_SECONDS = 21_600
BEGIN_SECONDS = 900
MARK = "PQAP: "
"""Begins the description of every entry made here, so that a person's own entries stay."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One task rung every so many seconds; a bell not heard within one interval is void."""

    task: str
    seconds: int
    queue: str
    description: str


def entries(configuration: Configuration) -> tuple[Entry, ...]:
    """The schedule this configuration asks for; a stream collects by itself."""
    env = configuration.env
    collect, desk, upkeep = collect_queue(env), desk_queue(env), upkeep_queue(env)
    poll = configuration.collection.poll_seconds
    reading = Entry("markets.collect", poll, collect, "reads the books of every tracked market")
    return (
        *(() if configuration.collection.mode == "stream" else (reading,)),
        Entry(
            "markets.sync_markets",
            SYNC_SECONDS,
            upkeep,
            "reads the list of markets and chooses which to track",
        ),
        Entry("markets.import_past", PAST_SECONDS, upkeep, "asks for the past of new markets"),
        Entry("markets.seal", ARCHIVE_SECONDS, upkeep, "brings finished days into the archive"),
        Entry("markets.prune", ARCHIVE_SECONDS, upkeep, "deletes what has outlived its time"),
        Entry("strategies.prune", PRUNE_SECONDS, upkeep, "folds old evaluations into days"),
        Entry("strategies.score", SCORE_SECONDS, upkeep, "holds signals against what came"),
        Entry("execution.advance", poll, desk, "evaluates and trades the new ticks"),
        Entry("execution.reconcile", RECONCILE_SECONDS, upkeep, "compares accounts and ledger"),
        Entry("execution.begin_learning", BEGIN_SECONDS, upkeep, "fits what was never fitted yet"),
        Entry("execution.refit", REFIT_SECONDS, upkeep, "fits what rules learn anew"),
        Entry("notifications.notify", NOTIFY_SECONDS, upkeep, "tells people what happened"),
    )


@transaction.atomic
def rebuild(wanted: Iterable[Entry]) -> None:
    """Make the stored schedule equal `wanted`; whether a person paused an entry is left alone."""
    names = []
    for entry in wanted:
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=entry.seconds, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.update_or_create(
            name=entry.task,
            defaults={
                "task": entry.task,
                "interval": interval,
                "queue": entry.queue,
                "expire_seconds": entry.seconds,
                "description": MARK + entry.description,
            },
        )
        names.append(entry.task)
    PeriodicTask.objects.filter(description__startswith=MARK).exclude(name__in=names).delete()
    PeriodicTasks.update_changed()
