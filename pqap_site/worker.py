"""Runs a Celery worker, the scheduler, or both, in this process."""

import warnings

from celery import signals
from celery.apps.beat import Beat
from celery.apps.worker import Worker
from celery.platforms import SecurityWarning
from django.conf import settings

from pqap_site import lifeline, poolwatch, ring, titles
from pqap_site.celery import app, collect_queue, desk_queue, upkeep_queue

MOST_MEMORY_KB = 1_500_000
"""A pool process is replaced after a task that left it larger, and only then: its panel is warm."""

QUEUES = {
    "desk": (desk_queue,),
    "collect": (collect_queue,),
    "upkeep": (upkeep_queue,),
    "all": (desk_queue, collect_queue, upkeep_queue),
}


def work(queues: str, *, beat: bool) -> int:
    """Consume the named queues until told to stop; the exit code."""
    env = settings.PQAP.env
    role = "worker" if queues == "all" else f"{queues} worker"
    _join_environment(env, role)
    signals.beat_embedded_init.connect(lambda **_: titles.announce(env, "scheduler"), weak=False)
    poolwatch.arm()
    worker = Worker(
        app=app,
        hostname=f"{queues}@pqap-{env}",
        queues=[queue(env) for queue in QUEUES[queues]],
        pool_cls="prefork",
        concurrency=1,
        max_memory_per_child=MOST_MEMORY_KB,
        beat=beat,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return worker.exitcode or 0


def schedule() -> int:
    """Ring the tasks of the schedule until told to stop."""
    env = settings.PQAP.env
    _join_environment(env, "scheduler")
    signals.beat_init.connect(lambda **_: titles.announce(env, "scheduler"), weak=False)
    Beat(app=app, quiet=True, redirect_stdouts=False).run()
    return 0


def command(queues: str, *, python: str, beat: bool = False) -> tuple[str, ...]:
    """The command line that runs `work` or, for the queues "none", `schedule`."""
    return (python, "manage.py", "runworker", "--queues", queues, *(["--beat"] if beat else []))


def _join_environment(env: str, role: str) -> None:
    # Celery warns root of pickled messages; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    lifeline.hold()
    ring.wire()
    titles.announce(env, role)
    signals.worker_process_init.connect(
        lambda **_: titles.announce(env, f"{role} (tasks)"), weak=False
    )
