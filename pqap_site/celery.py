"""The Celery app: a message is a bell, the rows and cursors in the database are the work."""

import os
from pathlib import Path
from typing import Any

# Celery would name its processes after itself; ours say pqap and the environment (titles.py).
os.environ.setdefault("NOSETPS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pqap_site.settings")

from celery import Celery, signals
from django.conf import settings

SOFT_LIMIT_SECONDS = 25
HARD_LIMIT_SECONDS = 30
VISIBILITY_SECONDS = 120
"""Must exceed the longest hard limit of a task, or Redis hands a running one out again."""


def collect_queue(env: str) -> str:
    """Where the books are read, and nothing else: a late read is a tick lost."""
    return f"{env}-collect"


def upkeep_queue(env: str) -> str:
    """Where everything happens that may take a while and that no tick should wait for."""
    return f"{env}-upkeep"


def desk_queue(env: str) -> str:
    """Where decisions happen, in one process, so that its panel stays warm."""
    return f"{env}-desk"


def broker(url: str, folder: Path) -> dict[str, Any]:
    """A server when one is named; otherwise files below `folder`, which may lose a bell."""
    if url:
        redis = {
            "visibility_timeout": VISIBILITY_SECONDS,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        }
        options = redis if url.startswith(("redis", "valkey")) else {}
        return {"broker_url": url, "broker_transport_options": options}
    for part in ("messages", "control"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost//",
        "broker_transport": "pqap_site.filebroker:Transport",
        "broker_transport_options": {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        },
    }


def configuration(env: str, url: str, folder: Path) -> dict[str, Any]:
    """All of Celery's settings; tasks carry no results, no pickles and no times to come."""
    return broker(url, folder) | {
        "task_default_queue": upkeep_queue(env),
        "task_routes": {
            "markets.collect": {"queue": collect_queue(env)},
            "execution.reconcile": {"queue": upkeep_queue(env)},
            "execution.refit": {"queue": upkeep_queue(env)},
            "execution.begin_learning": {"queue": upkeep_queue(env)},
            "execution.*": {"queue": desk_queue(env)},
        },
        "task_soft_time_limit": SOFT_LIMIT_SECONDS,
        "task_time_limit": HARD_LIMIT_SECONDS,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_expires": None,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_enable_remote_control": False,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
        "timezone": "UTC",
        "enable_utc": True,
    }


app = Celery("pqap")
app.conf.update(configuration(settings.PQAP.env, settings.BROKER_URL, settings.PATHS.broker))
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """A listener here is how Celery is told to leave the logging alone."""
