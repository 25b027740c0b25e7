"""The API's hands: what a person may do with holdings, orders and money."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard import access, serializers
from dashboard.api import ACCEPTED, Act
from execution.core.types import ChangeKind


class Close(Act):
    """Sells what is held in a scope from the next tick on, until nothing is left to sell."""

    @extend_schema(request=serializers.CloseOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.CloseOrder)
        return self.record(request, ChangeKind.CLOSE, why=asked["reason"], scope=asked["scope"])


class Cancel(Act):
    """Takes the open orders in a scope back, in all three accounts."""

    @extend_schema(request=serializers.CancelOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.CancelOrder)
        return self.record(request, ChangeKind.CANCEL, why=asked["reason"], scope=asked["scope"])


class Deposit(Act):
    """Pays capital into each of the three accounts."""

    permission_classes = [access.Administrator]
    kind = ChangeKind.DEPOSIT

    @extend_schema(request=serializers.MoneyOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.MoneyOrder)
        value = str(asked["amount"])
        return self.record(request, self.kind, why=asked["reason"], scope="", value=value)


class Withdraw(Deposit):
    """Takes free cash out of each of the three accounts."""

    kind = ChangeKind.WITHDRAW


class NewAccount(Act):
    """Archives the three accounts as they stand and begins new ones."""

    permission_classes = [access.Administrator]

    @extend_schema(request=serializers.AccountOrder, responses=ACCEPTED)
    def post(self, request: Request) -> Response:
        asked = self.asked(request, serializers.AccountOrder)
        value = str(asked.get("capital", settings.PQAP.initial_capital))
        return self.record(
            request, ChangeKind.NEW_ACCOUNT, why=asked["reason"], scope="", value=value
        )
