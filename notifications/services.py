"""The outbox: news become rows under a stage, rows become messages afterwards, in order."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from execution.selectors import facts
from markets import stages
from notifications.channels.log import Log
from notifications.core import messages
from notifications.core.ports import Channel, News, NotSent
from notifications.models import Notification

log = logging.getLogger(__name__)

STAGE, LEFT = "notify", "desk"
TICKS = 500
"""Ticks whose news are taken in one transaction."""

MESSAGES = 100
"""Messages sent by one call."""

TOO_OLD = timedelta(hours=1)
"""News older than this when found (a fast-forward, a long stop) are kept but not sent."""

PATIENCE = timedelta(hours=24)
"""A message a channel keeps failing on is given up after this long."""

GIVEN_UP = "given up: "
"""How the error of a message begins that will not be tried again."""

Tell = Callable[[int, int], Sequence[News]]

CHANNELS: Mapping[str, Channel] = {"log": Log()}
"""Every channel in use, by the name its rows carry."""


def notify(*, now: datetime) -> int:
    """Write what happened since the last call and send what is waiting; the messages sent."""
    try:
        collect(facts.news, up_to=stages.position(LEFT), now=now)
    except stages.Overtaken:
        log.debug("Another worker has written these notifications")
    return sum(deliver(name, channel, now=now) for name, channel in CHANNELS.items())


def collect(news: Tell, *, up_to: int, now: datetime) -> int:
    """Write the news of the next ticks up to `up_to`; how far the stage has come afterwards."""
    position = stages.position(STAGE)
    to = min(up_to, position + TICKS)
    if to <= position:
        return position
    found = [each for each in news(position, to) if _wanted(each.kind)]
    rows = [row for name in CHANNELS for row in _rows(found, channel=name, now=now)]
    with stages.advance(STAGE, from_=position, to=to):
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return to


def announce(kind: str, *, key: str, level: str, fields: messages.Fields, now: datetime) -> None:
    """Write one message that has no tick (a start, an operator's deed); once for each key."""
    body = messages.text(kind, fields)
    Notification.objects.bulk_create(
        [_row(key, kind, level, body, channel=name, now=now) for name in CHANNELS if _wanted(kind)],
        ignore_conflicts=True,
    )


def deliver(name: str, channel: Channel, *, now: datetime) -> int:
    """Send one channel's waiting messages in the order they were written; how many went.

    A message is claimed before it is sent, so two workers do not send it both. A crash between
    sending and writing that down sends it again. A temporary failure keeps the order: the rest
    waits for the next call.
    """
    sent = 0
    for row in waiting(name).order_by("pk")[:MESSAGES]:
        if not _claim(row):
            break
        try:
            channel.send(row.text, row.level)
        except NotSent as failure:
            if _give_up(row, failure, now):
                continue
            break
        Notification.objects.filter(pk=row.pk).update(sent_at=timezone.now(), error="")
        sent += 1
    return sent


def waiting(channel: str) -> QuerySet[Notification]:
    """Messages of one channel that are still to be sent."""
    unsent = Notification.objects.filter(channel=channel, sent_at=None)
    return unsent.exclude(error__startswith=GIVEN_UP)


def _wanted(kind: str) -> bool:
    switch = messages.SWITCHES.get(kind)
    return switch is None or settings.PQAP.notifications.kinds.get(switch, True)


def _rows(found: Iterable[News], *, channel: str, now: datetime) -> Iterable[Notification]:
    for each in found:
        body = messages.text(each.kind, each.fields)
        row = _row(each.key, each.kind, each.level, body, channel=channel, now=now)
        if _age(each, now) > TOO_OLD:
            row.error = f"{GIVEN_UP}it was old news when it was found"
        yield row


def _row(
    key: str, kind: str, level: str, body: str, *, channel: str, now: datetime
) -> Notification:
    """One channel's copy: the log's carries the plain key, the others' their name before it."""
    unique = key if channel == "log" else f"{channel}:{key}"
    return Notification(
        key=unique, kind=kind, level=level, text=body, channel=channel, created_at=now
    )


def _age(news: News, now: datetime) -> timedelta:
    at = news.fields.get("at")
    return now - datetime.fromtimestamp(at / 1000, UTC) if at else timedelta(0)


def _claim(row: Notification) -> bool:
    mine = Notification.objects.filter(pk=row.pk, attempts=row.attempts, sent_at=None)
    return mine.update(attempts=F("attempts") + 1) == 1


def _give_up(row: Notification, failure: NotSent, now: datetime) -> bool:
    """Write the failure down; whether the message is given up for good."""
    final = failure.permanent or now - row.created_at > PATIENCE
    error = f"{GIVEN_UP if final else ''}{failure.reason}"
    Notification.objects.filter(pk=row.pk).update(error=error)
    if final:
        log.error("A notification was given up: %s", failure.reason)
    return final
