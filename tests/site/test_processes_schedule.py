"""The schedule, the ring and the queues."""

import dataclasses
import json
import logging

import pytest
from celery import Celery
from django.conf import settings
from django.core.management import CommandError, call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from markets import stages
from pqap_site import celery, ring, schedule
from pqap_site.management.commands import runpqap


@pytest.fixture
def bells(tmp_path, monkeypatch):
    """Rings through an app with a broker of the test's own, and reads what lies in it."""
    app = Celery("trial", set_as_current=False)
    app.conf.update(celery.configuration("demo", "", tmp_path))
    monkeypatch.setattr(ring, "app", app)

    def read():
        messages = [json.loads(f.read_text()) for f in (tmp_path / "messages").glob("*.msg")]
        return [(message["headers"]["task"], message) for message in messages]

    yield read
    app.close()


def test_every_entry_names_a_task_that_exists_on_a_queue_someone_works():
    celery.app.loader.import_default_modules()
    env = settings.PQAP.env
    worked = {celery.collect_queue(env), celery.desk_queue(env), celery.upkeep_queue(env)}

    for entry in schedule.entries(settings.PQAP):
        assert entry.task in celery.app.tasks
        assert entry.queue in worked


def test_only_decisions_go_to_the_desk():
    queues = {entry.task: entry.queue for entry in schedule.entries(settings.PQAP)}
    desk = celery.desk_queue(settings.PQAP.env)

    assert [task for task, queue in queues.items() if queue == desk] == ["execution.advance"]


def test_nothing_but_reading_books_goes_where_the_books_are_read():
    queues = {entry.task: entry.queue for entry in schedule.entries(settings.PQAP)}
    collect = celery.collect_queue(settings.PQAP.env)

    assert [task for task, queue in queues.items() if queue == collect] == ["markets.collect"]


def test_what_rules_learn_is_fitted_anew_every_six_hours_beside_the_desk():
    [refit] = [e for e in schedule.entries(settings.PQAP) if e.task == "execution.refit"]

    assert (refit.seconds, refit.queue) == (21_600, celery.upkeep_queue(settings.PQAP.env))
    for name in ("execution.refit", "execution.begin_learning"):
        assert celery.app.tasks[name].time_limit < celery.VISIBILITY_SECONDS
        assert celery.app.amqp.router.route({}, name)["queue"].name == refit.queue


def streaming(configuration):
    collection = dataclasses.replace(configuration.collection, mode="stream")
    return dataclasses.replace(configuration, collection=collection)


@pytest.mark.django_db
def test_a_stream_collects_by_itself_and_nobody_rings_for_it_until_it_polls_again():
    polling, stream = settings.PQAP, streaming(settings.PQAP)

    def rung():
        return set(PeriodicTask.objects.values_list("name", flat=True)) & set(everything)

    everything = [entry.task for entry in schedule.entries(polling)]
    schedule.rebuild(schedule.entries(stream))
    assert rung() == set(everything) - {"markets.collect"}

    schedule.rebuild(schedule.entries(polling))
    assert rung() == set(everything)


def test_a_stream_takes_the_place_of_the_collect_worker(settings):
    def names():
        return [program.name for program in runpqap.programs("127.0.0.1", 8080)]

    assert names() == ["web", "collect", "desk", "upkeep", "beat"]
    settings.PQAP = streaming(settings.PQAP)
    assert names() == ["web", "stream", "desk", "upkeep", "beat"]


def test_stream_books_refuses_to_run_beside_a_collect_worker():
    with pytest.raises(CommandError, match="set it to stream"):
        call_command("stream_books")


@pytest.mark.django_db
def test_the_stored_schedule_is_what_the_code_says():
    wanted = schedule.entries(settings.PQAP)

    schedule.rebuild(wanted)
    schedule.rebuild(wanted)

    stored = PeriodicTask.objects.filter(description__startswith=schedule.MARK)
    assert {(t.name, t.task, t.queue, t.interval.every, t.expire_seconds) for t in stored} == {
        (e.task, e.task, e.queue, e.seconds, e.seconds) for e in wanted
    }


@pytest.mark.django_db
def test_a_paused_entry_stays_paused_and_a_changed_one_follows_the_code():
    schedule.rebuild(schedule.entries(settings.PQAP))
    PeriodicTask.objects.filter(name="markets.collect").update(enabled=False, queue="elsewhere")

    schedule.rebuild(schedule.entries(settings.PQAP))

    collect = PeriodicTask.objects.get(name="markets.collect")
    assert not collect.enabled
    assert collect.queue == celery.collect_queue(settings.PQAP.env)
    assert PeriodicTask.objects.get(name="execution.advance").enabled


@pytest.mark.django_db
def test_an_entry_no_longer_in_the_code_goes_and_a_persons_own_stays():
    every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="mine", task="x", interval=every)
    gone = schedule.Entry("markets.bygone", 60, "demo-collect", "did something once")

    schedule.rebuild([*schedule.entries(settings.PQAP), gone])
    schedule.rebuild(schedule.entries(settings.PQAP))

    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert "mine" in names
    assert "markets.bygone" not in names


@pytest.mark.parametrize(
    ("stage", "task", "queue"),
    [
        ("collect", "execution.advance", "demo-desk"),
        ("desk", "notifications.notify", "demo-upkeep"),
        ("sync", "markets.import_past", "demo-upkeep"),
    ],
)
def test_a_committed_stage_rings_the_next_task(bells, stage, task, queue):
    ring.ring(name=stage)

    [(rung, message)] = bells()
    assert (rung, message["properties"]["delivery_info"]["routing_key"]) == (task, queue)
    assert message["headers"]["expires"] is not None
    assert message["content-type"] == "application/json"


def test_other_stages_ring_nobody(bells):
    ring.ring(name="notify")

    assert bells() == []


def test_stages_ring_only_where_the_ring_is_wired(bells):
    stages.committed.send(sender=None, name="collect")
    assert bells() == []
    ring.wire()
    try:
        stages.committed.send(sender=None, name="collect")
    finally:
        stages.committed.disconnect(dispatch_uid="pqap_site.ring")

    assert [rung for rung, _ in bells()] == ["execution.advance"]


def test_a_broker_that_fails_costs_a_warning_and_no_tick(monkeypatch, caplog):
    def refuse(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(ring.app, "send_task", refuse)

    with caplog.at_level(logging.WARNING):
        ring.ring(name="collect")

    assert "The bell for execution.advance was not rung (disk full)" in caplog.text


def test_a_redis_lease_outlives_the_longest_task():
    conf = celery.configuration("prod", "redis://localhost/0", settings.PATHS.broker)

    assert conf["broker_transport_options"]["visibility_timeout"] > conf["task_time_limit"]
    assert conf["task_soft_time_limit"] < conf["task_time_limit"]
    assert conf["accept_content"] == ["json"]
