"""News are written once with their cause, and sent afterwards, in order."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin

from markets import stages
from notifications import selectors, services, tasks
from notifications.channels.log import Log
from notifications.core.ports import NotSent
from notifications.models import Notification

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    key: str
    kind: str = "halt"
    level: str = "critical"
    fields: dict = field(default_factory=lambda: {"scope": "all", "who": "ann", "why": "test"})


class Chat:
    """Remembers what was sent; refuses what it was told to refuse."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.refusal: NotSent | None = None

    def send(self, text: str, level: str) -> None:
        if self.refusal:
            raise self.refusal
        self.sent.append((text, level))


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.PQAP = SimpleNamespace(notifications=SimpleNamespace(kinds={}))


def write(*items: Item, up_to: int | None = None, now: datetime = NOW) -> int:
    to = stages.position("notify") + 1 if up_to is None else up_to
    return services.collect(lambda after, until: items, up_to=to, now=now)


def texts() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("key", flat=True))


class TestCollect:
    def test_asks_for_the_ticks_after_its_cursor(self):
        asked = []
        ask = lambda after, until: asked.append((after, until)) or []  # noqa: E731
        for up_to in (3, 3, 7):
            services.collect(ask, up_to=up_to, now=NOW)

        assert asked == [(0, 3), (3, 7)]
        assert stages.position("notify") == 7

    def test_takes_a_long_absence_in_pieces(self):
        assert write(up_to=1200) == 500
        assert write(up_to=1200) == 1000
        assert write(up_to=1200) == 1200

    def test_writes_the_text_with_its_cause(self):
        write(Item("halt:1"))

        row = Notification.objects.get()
        assert (row.key, row.kind, row.level, row.channel) == ("halt:1", "halt", "critical", "log")
        assert row.text == "Trading halted (everything) by ann: test"
        assert (row.created_at, row.sent_at, row.attempts) == (NOW, None, 0)

    def test_the_same_cause_is_written_once(self):
        write(Item("halt:1"), Item("halt:2"))
        write(Item("halt:2"), Item("halt:3"), Item("halt:3"))

        assert texts() == ["halt:1", "halt:2", "halt:3"]

    def test_a_kind_switched_off_is_not_written(self, settings):
        settings.PQAP.notifications.kinds = {"kill_switch": False}
        write(Item("halt:1"), Item("limit:1", kind="limit_breached"))

        assert texts() == ["limit:1"]

    def test_old_news_are_kept_but_not_sent(self):
        at = int(NOW.timestamp() * 1000)
        write(
            Item("new", fields={"at": at - 3_600_000}),
            Item("old", fields={"at": at - 3_600_001}),
        )

        assert [row.key for row in services.waiting("log")] == ["new"]
        assert texts() == ["new", "old"]

    def test_an_overtaken_worker_writes_nothing(self):
        def overtaken(after, until):
            write(Item("halt:1"))
            return [Item("halt:2")]

        with pytest.raises(stages.Overtaken):
            services.collect(overtaken, up_to=1, now=NOW)
        assert texts() == ["halt:1"]


class TestAnnounce:
    def test_is_written_once_for_each_key(self):
        for _ in range(2):
            services.announce(
                "started",
                key="started:7",
                level="info",
                fields={"env": "demo", "source": "synthetic"},
                now=NOW,
            )

        assert Notification.objects.get().text.startswith("PQAP started: demo")


class TestDeliver:
    def deliver(self, chat: Chat, now: datetime = NOW) -> int:
        return services.deliver("log", chat, now=now)

    def test_sends_in_order_and_once(self):
        write(Item("1", fields={"why": "first"}), Item("2", fields={"why": "second"}))
        chat = Chat()

        assert self.deliver(chat) == 2
        assert self.deliver(chat) == 0
        assert chat.sent == [("halt: why first", "critical"), ("halt: why second", "critical")]
        assert not Notification.objects.filter(sent_at=None).exists()

    def test_a_temporary_failure_keeps_the_order_and_is_tried_again(self):
        write(Item("1"), Item("2"))
        chat = Chat()
        chat.refusal = NotSent("no network", permanent=False)
        assert self.deliver(chat) == 0
        rows = Notification.objects.order_by("pk").values_list("attempts", "error", "sent_at")
        assert list(rows) == [(1, "no network", None), (0, "", None)]

        chat.refusal = None
        assert self.deliver(chat) == 2
        assert list(rows.values_list("attempts", "error")) == [(2, ""), (1, "")]

    def test_a_permanent_refusal_is_given_up_and_the_next_is_tried(self, caplog):
        write(Item("1"), Item("2"))
        chat = Chat()
        chat.refusal = NotSent("chat not found", permanent=True)

        assert self.deliver(chat) == 0
        chat.refusal = None
        assert self.deliver(chat) == 0
        assert set(Notification.objects.values_list("error", flat=True)) == {
            "given up: chat not found"
        }
        assert "A notification was given up: chat not found" in caplog.messages

    def test_a_failure_that_lasts_a_day_is_given_up(self):
        write(Item("1"))
        chat = Chat()
        chat.refusal = NotSent("no network", permanent=False)
        self.deliver(chat, NOW + timedelta(hours=24))
        assert services.waiting("log").count() == 1

        self.deliver(chat, NOW + timedelta(hours=24, seconds=1))
        assert services.waiting("log").count() == 0

    def test_a_message_claimed_by_another_worker_is_left_to_it(self):
        write(Item("1"))
        stale = Notification.objects.get()

        class Slow(Chat):
            def send(self, text, level):
                assert not services._claim(stale)
                super().send(text, level)

        assert self.deliver(Slow()) == 1

    def test_a_crash_before_marking_sends_again(self):
        write(Item("1"))

        class Crashing(Chat):
            def send(self, text, level):
                super().send(text, level)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            services.deliver("log", Crashing(), now=NOW)

        assert self.deliver(Chat()) == 1
        assert Notification.objects.get().attempts == 2


class TestLog:
    @pytest.mark.parametrize(
        ("level", "number"),
        [
            ("info", logging.INFO),
            ("warning", logging.WARNING),
            ("critical", logging.CRITICAL),
            ("loud", logging.WARNING),
        ],
    )
    def test_writes_one_line_at_the_message_level(self, caplog, level, number):
        caplog.set_level(logging.DEBUG)

        Log().send("100% of it", level)

        assert caplog.record_tuples == [("notifications", number, "100% of it")]


class TestNotify:
    def test_follows_the_desk(self, caplog):
        with stages.advance("desk", from_=0, to=4):
            pass
        tasks.notify()

        assert stages.position("notify") == 4

    def test_sends_what_was_announced_before_the_first_tick(self, caplog):
        caplog.set_level(logging.INFO)
        services.announce("halt", key="1", level="critical", fields=Item("").fields, now=NOW)

        assert services.notify(now=NOW) == 1
        assert "Trading halted (everything) by ann: test" in caplog.messages


class TestReading:
    def test_the_newest_come_first(self):
        write(Item("1", fields={"n": 1}), Item("2", fields={"n": 2}))

        assert [told.text for told in selectors.newest()] == ["halt: n 2", "halt: n 1"]

    def test_unsent_counts_what_waits_too_long(self):
        at = int(NOW.timestamp() * 1000)
        write(Item("1"), Item("old", fields={"at": at - 7_200_000}))

        assert selectors.unsent(older_than=NOW) == 0
        assert selectors.unsent(older_than=NOW + timedelta(seconds=1)) == 1


def test_the_admin_shows_the_outbox_and_lets_nobody_edit_it(admin_client):
    write(Item("1"))
    row = Notification.objects.get()

    page = admin_client.get("/admin/notifications/notification/")
    assert page.status_code == 200
    assert b"Trading halted" in page.content
    model_admin = admin.site.get_model_admin(Notification)
    request = page.wsgi_request
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request, row)
    assert not model_admin.has_delete_permission(request, row)


def test_being_sent_is_written_with_the_time(caplog):
    write(Item("1"))
    services.deliver("log", Chat(), now=NOW)

    assert selectors.newest()[0].sent_at is not None
