"""The accounts compared with the ledger: a mismatch halts new orders, and says so."""

import logging
import re
import time

from django.utils import timezone

from execution.core.controls import ALL
from execution.core.types import ChangeKind
from execution.models import Change, HaltState, Reconciliation
from execution.selectors import checks
from execution.services import changes

log = logging.getLogger("pqap.desk")

WHO = "reconciliation"


def reconcile(*, insist: bool = False) -> list[str]:
    """Compare, store what was found, and halt everything for each fault that is new.

    A fault that stays is no news, so that a person may resume with open eyes; with `insist` (at
    every start) it halts again unless everything is halted already. Returns the faults.
    """
    started = time.monotonic()
    before = {_kind(fault) for fault in _last()}
    faults = checks.faults()
    for fault in faults:
        log.critical("Ledger: %s", fault)
    fresh = [fault for fault in faults if _kind(fault) not in before]
    if faults and (fresh or (insist and not _halted())):
        first = (fresh or faults)[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        why = f"the ledger does not add up: {first}{more}"
        changes.record(kind=ChangeKind.HALT, scope=ALL, who=WHO, why=why)
    Reconciliation.objects.create(
        at=timezone.now(),
        postings=checks.postings(),
        faults=faults,
        took_ms=int((time.monotonic() - started) * 1000),
    )
    return faults


def _last() -> list[str]:
    found = Reconciliation.objects.order_by("-pk").values_list("faults", flat=True).first()
    return list(found or [])


def _halted() -> bool:
    """Whether everything is halted, or will be on the next tick."""
    waiting = Change.objects.filter(applied_tick=None, kind=ChangeKind.HALT, scope=ALL)
    return HaltState.objects.filter(scope=ALL).exists() or waiting.exists()


def _kind(fault: str) -> str:
    """A fault without its figures, which may drift; tokens and markets stay."""
    return re.sub(r"(?<!token )(?<![\w:])-?\d+\b", "#", fault)
