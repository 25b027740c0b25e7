"""The admin: people decide with a reason, and can edit nothing else."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from execution import models as execution
from tests import rows
from tests.builders import NOON

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("markets", "strategies", "execution")
]
DECIDABLE = {"StrategyState", "LimitState"}


@pytest.fixture
def owner(client, desk):
    client.force_login(User.objects.create_superuser("owner"))
    return client


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_list_and_one_row_of_each_open(owner):
    rows.halt(NOON)
    for model in OURS:
        assert owner.get(address(model, "changelist")).status_code == 200, model
        row = model.objects.first()
        if row is not None:
            assert owner.get(address(model, "change", row.pk)).status_code == 200, model


def test_nothing_can_be_added_deleted_or_edited_by_hand(owner):
    for model in OURS:
        page = admin.site._registry[model]
        request = owner.get(address(model, "changelist")).wsgi_request
        allowed = page.has_change_permission(request), page.has_add_permission(request)

        assert allowed == (model.__name__ in DECIDABLE, False), model
        assert not page.has_delete_permission(request), model


def test_a_strategy_is_switched_by_a_decision(owner):
    before = execution.StrategyState.objects.values().get(name="dual_arb_v1")
    url = address(execution.StrategyState, "change", "dual_arb_v1")

    owner.post(url, {"switch": "disable", "reason": ""})
    owner.post(url, {"switch": "reset_strategy", "reason": "it is so already"})
    assert execution.Change.objects.count() == 1
    owner.post(url, {"switch": "disable", "reason": "too noisy"})

    stored = execution.Change.objects.latest("pk")
    assert (stored.kind, stored.scope, stored.who, stored.why) == (
        "disable", "dual_arb_v1", "owner", "too noisy",
    )  # fmt: skip
    assert execution.StrategyState.objects.values().get(name="dual_arb_v1") == before


def test_a_limit_is_set_and_reset_by_decisions(owner):
    url = address(execution.LimitState, "change", "max_capital_per_strategy")
    for value in ("-1", "nan", "0.0000001", "many"):
        owner.post(url, {"value": value, "reason": "x"})
    assert execution.Change.objects.count() == 1

    owner.post(url, {"value": "250.5", "reason": "less"})
    owner.post(url, {"value": "", "reason": "as before"})
    stored = list(execution.Change.objects.order_by("pk").values_list("kind", "value"))
    assert stored[1:] == [("limit", "250500000"), ("reset_limit", "")]
    assert execution.LimitState.objects.get(pk="max_capital_per_strategy").override == 300_000_000


def test_the_kill_switch_takes_a_scope_and_a_reason(owner):
    url = reverse("admin:execution_halt")
    assert owner.get(url).status_code == 200
    owner.post(url, {"scope": "all", "reason": ""})
    owner.post(url, {"scope": "everything", "reason": "x"})
    assert execution.Change.objects.count() == 1

    owner.post(url, {"scope": "strategy:dual_arb_v1", "reason": "storm"})
    owner.post(reverse("admin:execution_resume"), {"scope": "all", "reason": "over"})
    stored = list(execution.Change.objects.order_by("pk").values_list("kind", "scope", "why"))
    assert stored[1:] == [("halt", "strategy:dual_arb_v1", "storm"), ("resume", "all", "over")]


def test_staff_without_the_permission_cannot_halt(client, desk):
    client.force_login(User.objects.create_user("helper", is_staff=True))

    assert client.post(reverse("admin:execution_halt"), {"reason": "x"}).status_code == 403
    assert execution.Change.objects.count() == 1


HANDS = {
    "close": {"scope": "strategy:mean_reversion_v1"},
    "cancel": {"scope": "all"},
    "deposit": {"amount": "250.5"},
    "withdraw": {"amount": "20"},
    "new_account": {"capital": ""},
    "halt": {"scope": "all", "flatten": "on"},
}


def test_holdings_orders_and_money_are_handled_by_decisions(owner, settings):
    for kind, body in HANDS.items():
        url = reverse(f"admin:execution_{kind}")
        assert owner.get(url).status_code == 200, kind
        owner.post(url, {**body, "reason": ""})
        owner.post(url, {**body, "reason": f"to {kind}"})

    stored = list(execution.Change.objects.order_by("pk").values_list("kind", "scope", "value"))
    assert stored[1:] == [
        ("close", "strategy:mean_reversion_v1", ""),
        ("cancel", "all", ""),
        ("deposit", "", "250500000"),
        ("withdraw", "", "20000000"),
        ("new_account", "", str(settings.PQAP.initial_capital)),
        ("halt", "all", "flatten"),
    ]


def test_what_cannot_be_done_is_said_and_not_stored(owner):
    for kind, body, said in (
        ("close", {"scope": "token:none"}, "something known and held"),
        ("withdraw", {"amount": "5000"}, "more than the"),
        ("deposit", {"amount": "0"}, "above 0"),
    ):
        answer = owner.post(
            reverse(f"admin:execution_{kind}"), {**body, "reason": "x"}, follow=True
        )
        assert said in answer.content.decode(), kind
    assert execution.Change.objects.count() == 1


def test_a_selected_holding_leads_to_its_close(owner):
    row = execution.Position.objects.first()
    answer = owner.post(
        address(execution.Position, "changelist"),
        {"action": "close_selected", "_selected_action": [row.pk]},
    )

    assert answer["Location"].endswith(f"/close/?scope=token:{row.token}")


@pytest.mark.parametrize("kind", sorted(HANDS))
def test_a_hand_needs_its_permission(client, desk, kind):
    client.force_login(User.objects.create_user("helper", is_staff=True))

    assert client.get(reverse(f"admin:execution_{kind}")).status_code == 403
