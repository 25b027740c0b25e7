"""Switches, limits and the kill switch for people; everything else can only be read.

A save stores a decision with its reason; the rows shown are written by the desk on its next tick.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from execution.admin.hands import (
    CANCEL,
    CLOSE,
    DEPOSIT,
    HALT,
    NEW_ACCOUNT,
    RESUME,
    WITHDRAW,
    Hands,
    decide,
)
from execution.core.risk import UNITS
from execution.core.types import ChangeKind
from execution.models import (
    Account,
    Archive,
    Change,
    Equity,
    HaltState,
    JournalEntry,
    Lapse,
    LedgerAccount,
    LimitState,
    Order,
    Position,
    Posting,
    Reconciliation,
    Refusal,
    StrategyState,
    Trade,
)
from markets.admin import ReadOnly, amount, instant

ONE = 1_000_000


class WhyForm(forms.ModelForm):
    """A decision needs a reason."""

    reason = forms.CharField(
        max_length=500, help_text="Stored with your name; shown on the dashboard.",
        widget=forms.TextInput(attrs={"size": 60}),
    )  # fmt: skip


class Decided(ReadOnly):
    """Rows on which a person may decide; saving records a Change instead of editing the row."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    @admin.display(description="note")
    def note(self, row: Any) -> str:
        """Whether the configuration changed under an override."""
        if row.override is None or row.configured == row.overridden:
            return ""
        return "the configuration changed after the override: keep it or reset it"

    def decision(self, row: Any, form: forms.ModelForm) -> tuple[ChangeKind, str] | None:
        """The kind and value that the form asks for, None when it changes nothing."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        asked = self.decision(obj, form)
        if asked is None:
            messages.warning(request, "Nothing was changed.")
            return
        kind, value = asked
        decide(request, kind, obj.pk, form.cleaned_data["reason"], value)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The Change is the record."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(
            reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_changelist")
        )


class StrategyForm(WhyForm):
    switch = forms.ChoiceField(
        choices=(
            ("enable", "on: trade, whatever the configuration says"),
            ("disable", "off: open nothing, whatever the configuration says"),
            ("reset_strategy", "as the configuration says"),
        )
    )

    class Meta:
        model = StrategyState
        fields = ()


@admin.register(StrategyState)
class StrategyAdmin(Decided):
    form = StrategyForm
    list_display = ("name", "state", "configured", "override", "note", "reason", "description")
    ordering = ("name",)
    readonly_fields = (
        "name", "description", "state", "configured", "override", "note", "state_reason",
        "parameters",
    )  # fmt: skip
    fields = (*readonly_fields, "switch", "reason")

    @admin.display(description="reason of the state")
    def state_reason(self, row: StrategyState) -> str:
        return row.reason or "–"

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        now = {True: "enable", False: "disable"}.get(getattr(obj, "override", None))
        form.base_fields["switch"].initial = now or "reset_strategy"
        return form

    def decision(self, row: Any, form: forms.ModelForm) -> tuple[ChangeKind, str] | None:
        now = {True: "enable", False: "disable"}.get(row.override, "reset_strategy")
        asked = form.cleaned_data["switch"]
        return None if asked == now else (ChangeKind(asked), "")


class LimitForm(WhyForm):
    value = forms.DecimalField(
        max_digits=15, decimal_places=6, min_value=0, required=False, label="new limit",
        help_text="In the limit's unit: dollars, a fraction (0.1 is 10 %), a count or seconds. "
        "Empty: back to the configuration's value.",
    )  # fmt: skip

    class Meta:
        model = LimitState
        fields = ()


@admin.register(LimitState)
class LimitAdmin(Decided):
    form = LimitForm
    list_display = (
        "name", "unit", "shown_used", "in_force", "shown_configured", "shown_override", "note",
    )  # fmt: skip
    ordering = ("name",)
    readonly_fields = list_display
    fields = (*readonly_fields, "value", "reason")

    shown_used = amount("used")
    shown_configured = amount("configured", "configuration")
    shown_override = amount("override")

    @admin.display(description="unit")
    def unit(self, row: LimitState) -> str:
        return str(UNITS.get(row.name, ""))

    @admin.display(description="in force")
    def in_force(self, row: LimitState) -> str:
        value = row.configured if row.override is None else row.override
        return f"{value / ONE:,.6g}"

    def decision(self, row: Any, form: forms.ModelForm) -> tuple[ChangeKind, str] | None:
        value = form.cleaned_data["value"]
        if value is None:
            return None if row.override is None else (ChangeKind.RESET_LIMIT, "")
        return ChangeKind.LIMIT, str(int(value * ONE))


@admin.register(HaltState)
class HaltAdmin(Hands):
    hands = (HALT, RESUME)
    list_display = ("scope", "reason", "who", "since")
    actions = ("resume_selected",)
    since = instant("at", "since")

    @admin.action(description="Resume the selected…")
    def resume_selected(self, request: HttpRequest, rows: QuerySet[HaltState]) -> HttpResponse:
        return self.ask_about(RESUME, rows, lambda row: row.pk)


@admin.register(Archive)
class ArchiveAdmin(ReadOnly):
    list_display = ("account", "era", "opened", "closed", "worth", "paid_in", "who", "why")
    ordering = ("-closed_at", "account")
    exclude = ("state",)
    opened, closed = instant("opened_at", "opened"), instant("closed_at", "closed")
    worth, paid_in = amount("equity"), amount("deposits", "paid in")


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly):
    list_display = ("at", "postings", "found", "took_ms")
    ordering = ("-id",)

    @admin.display(description="faults")
    def found(self, row: Reconciliation) -> str:
        return "; ".join(row.faults) or "none"


@admin.register(Account)
class AccountAdmin(Hands):
    hands = (DEPOSIT, WITHDRAW, NEW_ACCOUNT)
    list_display = ("name", "worth", "free", "held_back", "dd", "stopped", "marked")
    exclude = ("state",)
    worth, free, held_back = amount("equity"), amount("cash"), amount("reserved")
    dd, marked = amount("drawdown"), instant("marked_at", "marked")


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ("recorded_at", "kind", "scope", "value", "who", "why", "applied_tick")
    list_filter = ("kind",)
    search_fields = ("scope", "who", "why")
    ordering = ("-id",)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnly):
    list_display = ("account", "strategy", "kind", "asset", "balance", "debited", "credited")
    list_filter = ("account", "kind")
    search_fields = ("strategy", "asset")
    ordering = ("account", "kind", "strategy", "asset")
    debited, credited = amount("debits"), amount("credits")

    @admin.display(description="balance")
    def balance(self, row: LedgerAccount) -> str:
        return f"{(row.debits - row.credits) / ONE:,.6f}"


class PostingLines(admin.TabularInline):
    model = Posting
    extra = 0
    can_delete = False
    fields = ("debit", "credit", "asset", "units")
    readonly_fields = fields
    units = amount("amount")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        return super().get_queryset(request).select_related("debit", "credit")


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnly):
    list_display = ("when", "account", "kind", "cause", "tick_id")
    list_filter = ("account", "kind")
    search_fields = ("id", "cause")
    ordering = ("-at", "id")
    inlines: Sequence[Any] = (PostingLines,)
    when = instant("at", "at")


class Traded(ReadOnly):
    """Orders, trades and the like: by account and strategy, found by market."""

    list_filter = ("account", "strategy")
    search_fields = ("market", "token")


@admin.register(Order)
class OrderAdmin(Traded, Hands):
    hands = (CANCEL,)
    actions = ("cancel_selected",)
    list_display = (
        "when", "account", "strategy", "side", "outcome", "wanted", "at_price", "got", "state",
        "reason",
    )  # fmt: skip
    list_filter = ("account", "strategy", "state", "side")
    search_fields = ("id", "market", "token")
    ordering = ("-placed_at", "-id")
    raw_id_fields = ("signal",)
    when, wanted = instant("placed_at", "placed"), amount("size")
    at_price, got = amount("price"), amount("filled")

    @admin.action(description="Cancel the selected…")
    def cancel_selected(self, request: HttpRequest, rows: QuerySet[Order]) -> HttpResponse:
        return self.ask_about(CANCEL, rows, lambda row: f"order:{row.pk}")


@admin.register(Trade)
class TradeAdmin(Traded):
    list_display = (
        "when", "account", "strategy", "side", "outcome", "shares", "at_price", "paid_fee",
        "liquidity", "pnl",
    )  # fmt: skip
    list_filter = ("account", "strategy", "liquidity")
    search_fields = ("id", "market", "token")
    ordering = ("-at", "-id")
    raw_id_fields = ("order",)
    when, shares, at_price = instant("at", "at"), amount("size", "shares"), amount("price")
    paid_fee, pnl = amount("fee"), amount("realized_pnl", "realized")


@admin.register(Position)
class PositionAdmin(Traded, Hands):
    hands = (CLOSE,)
    actions = ("close_selected",)
    list_display = ("account", "strategy", "outcome", "market", "shares", "paid", "marked", "worth")
    ordering = ("account", "strategy", "-opened_at")
    shares, paid = amount("size", "shares"), amount("cost")
    marked, worth = amount("mark"), amount("value")

    @admin.action(description="Close the selected…")
    def close_selected(self, request: HttpRequest, rows: QuerySet[Position]) -> HttpResponse:
        return self.ask_about(CLOSE, rows, lambda row: f"token:{row.token}")


@admin.register(Refusal)
class RefusalAdmin(Traded):
    list_display = ("when", "account", "strategy", "code", "limit", "value", "market")
    list_filter = ("account", "strategy", "code")
    ordering = ("-at", "-id")
    when = instant("at", "at")


@admin.register(Lapse)
class LapseAdmin(ReadOnly):
    list_display = ("from_tick", "to_tick", "recorded_at")
    ordering = ("-from_tick",)


@admin.register(Equity)
class EquityAdmin(ReadOnly):
    list_display = ("when", "account", "worth", "free", "dd")
    list_filter = ("account",)
    ordering = ("-at", "account")
    when, worth = instant("at", "at"), amount("equity")
    free, dd = amount("cash"), amount("drawdown")
