"""Rows written in bulk hold what was given, on both databases."""

import os
import random

import pytest

from markets import models
from markets.services import bulk
from markets.services.rows import _LATEST, _SNAPSHOT
from tests import builders
from tests.builders import NOON

KEYS = [1, 2, 3]


@pytest.fixture
def listed(database):
    """Three markets and the tick that rows belong to."""
    from markets.services import catalogue

    catalogue.store([builders.market(f"m-{n}") for n in KEYS], NOON)
    universe = models.Universe.objects.create(effective_at=NOON, members=[])
    models.Tick.objects.create(id=7, at=NOON, universe=universe, recorded_at="2026-01-01T00:00Z")
    return list(models.Market.objects.order_by("pk").values_list("pk", flat=True))


def some_rows(keys: list[int]) -> list[tuple]:
    luck = random.Random(int(os.environ["PQAP_TEST_SEED"]))
    large = 10**15 - 1
    return [
        (
            7, key, luck.randint(0, 10**6), luck.randint(0, 10**6), large, luck.randint(0, large),
            True, False, NOON + luck.randint(0, 999), bool(luck.getrandbits(1)), 0,
            luck.choice([None, b"", luck.randbytes(242)]), luck.choice([None, luck.randbytes(30)]),
        )
        for key in keys
    ]  # fmt: skip


def stored(model: type, columns: dict[str, str]) -> list[tuple]:
    rows = model.objects.order_by("market_id").values_list(*columns)
    return [tuple(bytes(x) if isinstance(x, memoryview) else x for x in row) for row in rows]


def test_inserted_rows_are_read_back(listed):
    rows = some_rows(listed)

    bulk.insert("market_snapshots", _SNAPSHOT, iter(rows))

    assert stored(models.Snapshot, _SNAPSHOT) == rows


def test_nothing_may_be_inserted(listed):
    bulk.insert("market_snapshots", _SNAPSHOT, [])
    bulk.upsert("markets_latest", _LATEST, [], key="market_id")

    assert not models.Snapshot.objects.exists()


def test_upserted_rows_replace_those_of_their_key(listed):
    first = [(*row[:10], True, 9) for row in some_rows(listed)]
    bulk.upsert("markets_latest", _LATEST, first[:2], key="market_id")
    second = [(8, *row[1:9], False, True, 9) for row in first[1:]]

    bulk.upsert("markets_latest", _LATEST, second, key="market_id")

    assert stored(models.Latest, _LATEST) == [first[0], *second]


def test_a_column_may_keep_what_it_holds_where_nothing_is_new(listed):
    first = [(*row[:10], True, 9) for row in some_rows(listed)]
    bulk.upsert("markets_latest", _LATEST, first, key="market_id")
    news = [(8, row[1], 0, 5, *row[4:]) for row in first]

    bulk.upsert("markets_latest", _LATEST, news, key="market_id", unless_zero=("bid", "ask"))

    expected = [(8, row[1], row[2], 5, *row[4:]) for row in first]
    assert stored(models.Latest, _LATEST) == expected
