"""A stage's cursor: claim, fence and idempotence in one row."""

import threading

import pytest
from django.db import connection, connections, transaction

from markets import models, stages


class TestAdvance:
    @pytest.mark.django_db
    def test_starts_at_nothing(self):
        assert stages.position("desk") == 0

    @pytest.mark.django_db
    def test_moves_the_cursor(self):
        with stages.advance("desk", from_=0, to=3):
            pass
        with stages.advance("desk", from_=3, to=4):
            pass

        assert stages.position("desk") == 4

    @pytest.mark.django_db
    @pytest.mark.parametrize("stale", [0, 2, 4])
    def test_refuses_whoever_read_another_position(self, stale):
        with stages.advance("desk", from_=0, to=3):
            pass

        with pytest.raises(stages.Overtaken), stages.advance("desk", from_=stale, to=5):
            pytest.fail("an overtaken stage must not run its body")
        assert stages.position("desk") == 3

    @pytest.mark.django_db
    def test_keeps_nothing_of_a_body_that_fails(self):
        def fail() -> None:
            with stages.advance("desk", from_=0, to=1):
                stages.tally("rows", 5)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert (stages.position("desk"), stages.position("rows")) == (0, 0)

    @pytest.mark.django_db
    def test_cursors_are_apart(self):
        with stages.advance("collect", from_=0, to=9):
            pass

        assert (stages.position("collect"), stages.position("desk")) == (9, 0)


class TestCommitted:
    @pytest.fixture
    def heard(self):
        names = []

        def hear(sender, name, **_):
            names.append((name, connection.in_atomic_block))

        stages.committed.connect(hear)
        yield names
        stages.committed.disconnect(hear)

    @pytest.mark.django_db(transaction=True)
    def test_is_sent_once_the_rows_are_safe(self, heard):
        with stages.advance("collect", from_=0, to=1):
            assert heard == []

        assert heard == [("collect", False)]

    @pytest.mark.django_db(transaction=True)
    def test_waits_for_an_outer_transaction(self, heard):
        with transaction.atomic():
            with stages.advance("collect", from_=0, to=1):
                pass
            assert heard == []

        assert heard == [("collect", False)]

    @pytest.mark.django_db(transaction=True)
    def test_is_not_sent_when_overtaken(self, heard):
        with pytest.raises(stages.Overtaken), stages.advance("collect", from_=5, to=6):
            pass

        assert heard == []

    @pytest.mark.django_db(transaction=True)
    def test_a_bell_that_fails_harms_nothing(self):
        def fail(**_):
            raise RuntimeError("no broker")

        stages.committed.connect(fail)
        try:
            with stages.advance("collect", from_=0, to=1):
                pass
        finally:
            stages.committed.disconnect(fail)

        assert stages.position("collect") == 1


class TestTally:
    @pytest.mark.django_db
    def test_adds_up(self):
        for count in (3, 4):
            stages.tally("rows", count)

        assert stages.position("rows") == 7


def race(rivals: int, start: int) -> list[str]:
    """Every rival reads one position, then all try to move it and write a row."""
    ready, outcomes = threading.Barrier(rivals), []

    def run(number: int) -> None:
        try:
            seen = stages.position("desk")
            ready.wait(10)
            with stages.advance("desk", from_=seen, to=seen + 1):
                models.Pin.objects.create(condition_id=f"{start}", reason=f"rival {number}")
            outcomes.append("committed")
        except stages.Overtaken:
            outcomes.append("overtaken")
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


class TestRace:
    def test_one_commits_and_the_others_are_overtaken(self, database):
        for start in range(5):
            assert race(3, start) == ["committed", "overtaken", "overtaken"]
            assert stages.position("desk") == start + 1
            assert models.Pin.objects.filter(condition_id=f"{start}").count() == 1
