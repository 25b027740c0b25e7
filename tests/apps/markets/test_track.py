"""The command that pins markets and tells why one is in or out, against a local exchange."""

import json
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace

import pytest
from celery import Celery
from django.core.management import CommandError, call_command

from markets import models
from markets.core.criteria import Filters
from markets.selectors import universes
from markets.services import sources, tracking, universe
from pqap_site import celery
from tests import misbehaving
from tests.builders import micro
from tests.exchange import Exchange, World

pytestmark = pytest.mark.django_db
EXCLUDED = ("live_sports", "crypto_short", "combos", "younger_than_24h")


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with Exchange(World(seed=6, markets=30, mix="realistic")) as running:
        yield running


@pytest.fixture(autouse=True)
def _configured(settings, exchange):
    configure(settings, exchange)
    yield
    sources.forget()


@pytest.fixture(autouse=True)
def bells(tmp_path, monkeypatch):
    """The tasks rung for, through a broker of the test's own."""
    app = Celery("trial", set_as_current=False)
    app.conf.update(celery.configuration("demo", "", tmp_path))
    monkeypatch.setattr(tracking, "current_app", app)

    def read() -> list[str]:
        found = (tmp_path / "messages").glob("*.msg")
        return [json.loads(f.read_text())["headers"]["task"] for f in found]

    yield read
    app.close()


def configure(settings, exchange: Exchange, **collection: object) -> None:
    url = exchange.url
    given = {
        "markets": 5,
        "exclude": EXCLUDED,
        "filters": Filters(min_hours_to_end=24, min_price=micro("0.05")),
    }
    settings.PQAP = SimpleNamespace(
        digest="one",
        collection=misbehaving.collection(**given | collection),
        exchange=SimpleNamespace(source="polymarket", gamma_url=url, clob_url=url, data_url=url),
    )


def track(*arguments: str) -> str:
    said = StringIO()
    call_command("track", *arguments, stdout=said)
    return said.getvalue()


def sync(exchange: Exchange) -> None:
    universe.run(exchange.world.now())


def tracked() -> set[str]:
    return set(universes.membership())


def some(exchange: Exchange, kind: str):
    return next(x for x in exchange.world.listings if x.kind == kind)


class TestPinning:
    @pytest.mark.parametrize(
        "form", ["{condition}", "{slug}", "https://polymarket.com/event/{event}/{slug}?tid=1"]
    )
    def test_a_market_by_any_of_its_names_is_in_after_the_next_sync(self, exchange, form, bells):
        sync(exchange)
        game = some(exchange, "sports")
        name = form.format(condition=game.condition, slug=game.slug, event=game.event_slug)
        assert game.condition not in tracked()

        said = track(name, "--because", "final")
        sync(exchange)

        assert game.condition in tracked()
        assert "Pinned" in said
        assert bells() == ["markets.sync_markets"]

    def test_an_event_means_all_its_open_outcomes(self, exchange):
        members = [x for x in exchange.world.listings if x.event == "90011"]
        track(f"polymarket.com/event/{members[0].event_slug}")
        sync(exchange)

        assert {x.condition for x in members if not x.hidden} <= tracked()
        assert not {x.condition for x in members if x.hidden} & tracked()

    def test_a_pin_outlives_restarts_and_says_whose_it_is(self, exchange):
        game = some(exchange, "sports")
        track(game.slug, "--because", "the final")
        sources.forget()
        universes.forget()

        said = track()

        assert game.slug in said
        assert "(the final)" in said
        assert "The exchange's list has not been read yet." in said

    def test_a_pin_can_be_withdrawn(self, exchange, bells):
        game = some(exchange, "sports")
        track(game.slug)
        sync(exchange)
        said = track("--remove", f"https://polymarket.com/event/x/{game.slug}")
        sync(exchange)

        assert game.condition not in tracked()
        assert "pinned no more" in said
        assert bells() == ["markets.sync_markets"] * 2

    def test_a_pin_of_the_configuration_is_shown_and_not_removed(self, exchange, settings):
        game = some(exchange, "sports")
        configure(settings, exchange, pinned=(game.slug,))
        sync(exchange)

        assert f"{game.slug}, by configuration" in track()
        with pytest.raises(CommandError, match="pinned by the configuration: take it out there"):
            track("--remove", game.slug)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["no-such-market"], "is no market and no event that the exchange knows"),
            (["https://example.com/event/x"], "is not an address of polymarket.com"),
            (["two words"], "give a condition id, a slug or a Polymarket address"),
            (["  "], "give a condition id, a slug or a Polymarket address"),
            (["--remove"], "--remove needs at least one name"),
            (["--remove", "no-such-market"], "is not pinned; pinned with track: nothing"),
            (["--why", "x", "y"], "--why takes one market and nothing beside it"),
            (["--why", "no-such-market"], "is no market and no event that the exchange knows"),
        ],
    )
    def test_what_cannot_be_done_is_said_and_changes_nothing(self, arguments, told, bells):
        with pytest.raises(CommandError, match=told):
            track(*arguments)
        assert not models.Wish.objects.exists()
        assert bells() == []

    def test_one_wrong_name_pins_none_of_the_others(self, exchange):
        with pytest.raises(CommandError):
            track(some(exchange, "sports").slug, "no-such-market")

        assert not models.Wish.objects.exists()

    def test_an_exchange_that_is_down_is_said_plainly(self, exchange):
        exchange.fault("/markets/slug", "html")
        try:
            with pytest.raises(CommandError, match="cannot be looked up now"):
                track("some-market")
        finally:
            exchange.mend()


class TestWhy:
    def test_a_ranked_market_passes_every_rule(self, exchange):
        sync(exchange)
        first = next(id for id, told in universes.membership().items() if told == "volume rank 1")

        said = track("--why", first)

        assert "\nIn as of " in said
        assert "volume rank 1." in said
        assert " NO " not in said
        assert "Its rank by 24-hour volume is 1; 5 are tracked" in said

    def test_an_excluded_kind_is_named_with_the_rest_of_its_figures(self, exchange):
        sync(exchange)

        said = track("--why", some(exchange, "sports").slug)

        assert "\nOut as of " in said
        assert "live sports." in said
        assert "NO  It is a live sports or esports market, which is excluded." in said
        assert "The 24-hour volume is" in said

    def test_a_nearly_decided_one_is_told_its_price_and_the_limit(self, exchange):
        sync(exchange)

        said = track("--why", some(exchange, "decided").slug)

        assert "nearly decided." in said
        assert "; at least 0.05 is wanted." in said

    def test_one_outranked_is_told_its_rank(self, exchange):
        sync(exchange)
        row = models.Market.objects.filter(reason="outranked").order_by("rank").first()

        said = track("--why", row.condition_id)

        assert f"Out as of {said.split('as of ')[1][:20]}: volume rank {row.rank}." in said

    def test_a_pinned_one_is_in_all_the_same(self, exchange):
        game = some(exchange, "sports")
        track(game.slug)
        sync(exchange)

        said = track("--why", game.slug)

        assert f"In as of {said.split('as of ')[1][:20]}: pinned: {game.slug}." in said
        assert "It is in all the same" in said

    def test_why_and_choose_agree_on_every_market(self, exchange):
        sync(exchange)
        rows = models.Market.objects.exclude(reason="").values_list("condition_id", "reason")
        wrong = []
        for id, reason in rows:
            (told,) = tracking.why(id, at=exchange.world.now())
            failed = [check.reason for check in told.checks if not check.passed]
            ranked = reason in ("volume_rank", "outranked")
            if reason != "event_outcome" and (failed[:1] or [None])[0] != (
                None if ranked else reason
            ):
                wrong.append((id, reason, failed))

        assert len(rows) > 60
        assert wrong == []

    def test_the_list_tells_what_was_left_out(self, exchange):
        sync(exchange)

        said = track()

        assert "Nothing is pinned." in said
        assert "120 live_sports" in said
        assert "90 crypto_short" in said
