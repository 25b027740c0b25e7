"""The hands in the admin: small forms that store a decision with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from execution.core.decisions import FLATTEN
from execution.core.types import ChangeKind
from execution.services import changes
from markets.admin import ReadOnly

ONE = 1_000_000


class Form(forms.Form):
    """Every decision needs a reason."""

    reason = forms.CharField(max_length=500, widget=forms.TextInput(attrs={"size": 60}))

    @property
    def value(self) -> str:
        """The value of the Change."""
        return ""


class ScopeForm(Form):
    scope = forms.CharField(
        initial="all", max_length=200, help_text="all, strategy:<name> or market:<id>"
    )
    field_order = ("scope",)


class HaltForm(ScopeForm):
    flatten = forms.BooleanField(required=False, help_text="Also sell what is held there.")
    field_order = ("scope", "flatten")

    @property
    def value(self) -> str:
        return FLATTEN if self.cleaned_data["flatten"] else ""


class CloseForm(ScopeForm):
    scope = forms.CharField(
        max_length=200, help_text="all, strategy:<name>, market:<id> or token:<id>"
    )


class CancelForm(ScopeForm):
    scope = forms.CharField(
        max_length=200, help_text="all, strategy:<name>, market:<id> or order:<id>"
    )


class MoneyForm(Form):
    amount = forms.DecimalField(
        max_digits=15, decimal_places=6, min_value=0, help_text="Dollars, in each account."
    )
    field_order = ("amount",)

    @property
    def value(self) -> str:
        return str(int(self.cleaned_data["amount"] * ONE))


class AccountForm(Form):
    capital = forms.DecimalField(
        max_digits=15, decimal_places=6, min_value=0, required=False,
        help_text="Dollars in each new account. Empty: as configured.",
    )  # fmt: skip
    field_order = ("capital",)

    @property
    def value(self) -> str:
        capital = self.cleaned_data["capital"]
        return "" if capital is None else str(int(capital * ONE))


@dataclass(frozen=True, slots=True)
class Hand:
    """One decision a person may take in a list: its form, its words, and who may."""

    kind: ChangeKind
    form: type[Form]
    title: str
    permission: str

    @property
    def url(self) -> str:
        """The name of its address in the admin."""
        return f"admin:execution_{self.kind}"


HALT = Hand(ChangeKind.HALT, HaltForm, "Set the kill switch", "execution.change_haltstate")
RESUME = Hand(ChangeKind.RESUME, ScopeForm, "Resume trading", "execution.change_haltstate")
CLOSE = Hand(ChangeKind.CLOSE, CloseForm, "Close holdings", "execution.change_position")
CANCEL = Hand(ChangeKind.CANCEL, CancelForm, "Cancel orders", "execution.change_order")
DEPOSIT = Hand(ChangeKind.DEPOSIT, MoneyForm, "Deposit", "execution.change_account")
WITHDRAW = Hand(ChangeKind.WITHDRAW, MoneyForm, "Withdraw", "execution.change_account")
NEW_ACCOUNT = Hand(
    ChangeKind.NEW_ACCOUNT, AccountForm, "Begin new accounts", "execution.change_account"
)


class Hands(ReadOnly):
    """A list with buttons for decisions; the rows themselves stay as they are."""

    change_list_template = "admin/execution/hands.html"
    hands: tuple[Hand, ...] = ()

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"{hand.kind}/",
                self.admin_site.admin_view(partial(self.ask, hand=hand)),
                name=f"execution_{hand.kind}",
            )
            for hand in self.hands
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "hands": self.hands}
        return super().changelist_view(request, context)

    def ask(self, request: HttpRequest, *, hand: Hand) -> HttpResponse:
        """The form, and the decision once it is filled in."""
        if not request.user.has_perm(hand.permission):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        initial = {"scope": request.GET["scope"]} if "scope" in request.GET else None
        form = hand.form(given, initial=initial)
        if form.is_valid():
            said = form.cleaned_data
            decide(request, hand.kind, said.get("scope", ""), said["reason"], form.value)
            return HttpResponseRedirect(self._list())
        context = {**self.admin_site.each_context(request), "form": form, "title": hand.title}
        return TemplateResponse(request, "admin/execution/ask.html", context)

    def ask_about(
        self, hand: Hand, rows: QuerySet[Any], scope: Callable[[Any], str]
    ) -> HttpResponse:
        """The form for the first of the selected rows."""
        return HttpResponseRedirect(f"{reverse(hand.url)}?scope={scope(rows[0])}")

    def _list(self) -> str:
        return reverse(f"admin:execution_{self.opts.model_name}_changelist")


def decide(request: HttpRequest, kind: ChangeKind, scope: str, why: str, value: str = "") -> None:
    """Store a decision and say what comes of it."""
    who = request.user.get_username()
    try:
        changes.record(kind=kind, scope=scope, value=value, who=who, why=why)
    except ValueError as fault:
        messages.error(request, f"Nothing was changed: {fault}.")
    else:
        messages.success(request, f"Stored: {kind} {scope}. The next tick applies it.")
