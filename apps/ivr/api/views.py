"""IVRs, their questions and web hooks, and exchanges over the REST API."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Location
from apps.common.access import Role
from apps.common.api.filters import ReferenceFilter, RowFilters, filters
from apps.common.api.viewsets import Changed, Listed, Managed, NestedViewSet
from apps.common.masking import shown_url
from apps.ivr.api.serializers import (
    ExchangeSerializer,
    ExchangeSummary,
    HookSerializer,
    IvrSerializer,
    IvrStats,
    QuestionSerializer,
)
from apps.ivr.models import DecidedBy, Ivr, IvrExchange, IvrHook, IvrQuestion
from apps.ivr.stats import endpoints_of


class IvrFilters(RowFilters):
    """What IVRs can be narrowed by."""

    location = ReferenceFilter(Location)
    number = filters.NumberFilter(help_text="The number that the phone platform knows it by.")
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")


class IvrViewSet(Managed):
    """Menus of the phone platform that ask questions, with the questions they ask."""

    model = Ivr
    queryset = Ivr.objects.all()
    serializer_class = IvrSerializer
    filterset_class = IvrFilters
    orders = ("-created_at", "number", "name")
    action_parameters = {"stats": frozenset()}

    def rows(self) -> QuerySet[Ivr]:
        """Fetch the questions along."""
        return Ivr.objects.prefetch_related("questions")

    @extend_schema(responses=IvrStats)
    @action(detail=True)
    def stats(self, request: Request, **kwargs: Any) -> Response:
        """Say how long its receivers took, and how often they decided, of the newest 1,000 times.

        `overhead_p95_ms` is what Hookline added to it.
        """
        ivr = self.get_object()
        figures = [asdict(each) for each in endpoints_of(ivr)]
        for each in figures:
            each["url"] = shown_url(each["url"], ivr.account_id, self.access)
        return Response({"data": figures})


class InIvr(NestedViewSet):
    """What is inside the IVR of the address."""

    outer = IvrViewSet
    outer_kwarg = "ivr_id"


class QuestionViewSet(InIvr, Managed):
    """The questions of an IVR, in their order."""

    model = IvrQuestion
    queryset = IvrQuestion.objects.all()
    serializer_class = QuestionSerializer
    delete_role = Role.MEMBER
    orders = ("number",)

    def rows(self) -> QuerySet[IvrQuestion]:
        """Questions of the IVR in the address."""
        return IvrQuestion.objects.filter(ivr=self.outer_row)


class HookViewSet(InIvr, Changed):
    """The web hook of an IVR: one each, made and deleted with it."""

    model = IvrHook
    queryset = IvrHook.objects.all()
    serializer_class = HookSerializer

    def rows(self) -> QuerySet[IvrHook]:
        """The web hook of the IVR in the address."""
        hooks = IvrHook.objects.filter(ivr=self.outer_row).prefetch_related("parameters")
        return hooks.select_related("ivr")

    def found_in(self, rows: QuerySet[Any]) -> Any | None:
        """Return the only one."""
        return rows.first()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show it."""
        return self.shown_unless_seen(self.get_object())


class ExchangeFilters(RowFilters):
    """What exchanges can be narrowed by."""

    decided_by = filters.ChoiceFilter(choices=DecidedBy.choices)
    call_id = filters.CharFilter(
        field_name="call_external_id", help_text="The phone platform's id."
    )


class ExchangeViewSet(InIvr, Listed):
    """Each time that a receiver was asked for an IVR, newest first."""

    model = IvrExchange
    queryset = IvrExchange.objects.all()
    serializer_class = ExchangeSummary
    detail_serializer = ExchangeSerializer
    filterset_class = ExchangeFilters

    def rows(self) -> QuerySet[IvrExchange]:
        """Exchanges of the IVR in the address; a list leaves what was said out."""
        exchanges = IvrExchange.objects.filter(ivr=self.outer_row)
        return exchanges.defer("tries", "reply") if self.action == "list" else exchanges
