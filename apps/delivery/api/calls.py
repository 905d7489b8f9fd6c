"""Calls over the REST API: what is known of them, and all that happened."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.serializers import LocationSerializer
from apps.accounts.models import Location
from apps.calls.erasing import CallUnderWay, erase_personal_data
from apps.calls.events import CallStatus, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.campaigns.models import Campaign
from apps.common.access import Role
from apps.common.api.fields import PublicId, Reference
from apps.common.api.filters import ReferenceFilter, RowFilters, filters
from apps.common.api.serializers import AccountSerializer
from apps.common.api.viewsets import Listed
from apps.common.problems import Problem
from apps.delivery.models import Delivery, DeliveryState


class CallSummary(AccountSerializer):
    """A call in a list."""

    expandable = {"location": LocationSerializer}
    unread = ("snapshot", "context")

    location = Reference(Location, read_only=True)
    call_id = serializers.CharField(
        source="external_id", read_only=True, help_text="The phone platform's id."
    )
    campaign = PublicId(Campaign.ID_PREFIX, source="campaign_key", allow_null=True)

    class Meta:
        model = Call
        fields = [
            "id",
            "account",
            "call_id",
            "location",
            "campaign",
            "direction",
            "status",
            "caller",
            "caller_name",
            "tracking_number",
            "started_at",
            "ended_at",
            "duration_s",
            "talk_s",
            "erased_at",
            "created_at",
        ]
        read_only_fields = fields


@extend_schema_field({"type": "object", "additionalProperties": True})
class DocumentField(serializers.JSONField):
    """A JSON object."""


class CallSerializer(CallSummary):
    """A call with its snapshot: all that the tokens read."""

    snapshot = DocumentField(read_only=True)

    class Meta(CallSummary.Meta):
        fields = [*CallSummary.Meta.fields, "snapshot"]


class TimelineEvent(serializers.Serializer):  # type: ignore[type-arg]
    """One thing that happened to a call: an event, or a delivery that followed from one."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(["event", "delivery"])
    id = serializers.CharField()
    type = serializers.ChoiceField(EventType.choices, required=False)
    event_id = serializers.CharField(required=False, help_text="The phone platform's id.")
    webhook = serializers.CharField(required=False)
    timing = serializers.ChoiceField(Timing.choices, required=False)
    state = serializers.ChoiceField(DeliveryState.choices, required=False)
    attempt_count = serializers.IntegerField(required=False)
    resent_from = serializers.CharField(required=False, allow_null=True)


class Timeline(serializers.Serializer):  # type: ignore[type-arg]
    """All that happened, in order."""

    data = TimelineEvent(many=True)  # type: ignore[assignment]


class CallFilters(RowFilters):
    """What calls can be narrowed by."""

    location = ReferenceFilter(Location)
    campaign = ReferenceFilter(Campaign, field_name="campaign_key")
    status = filters.ChoiceFilter(choices=CallStatus.choices)
    caller = filters.CharFilter(help_text="The whole number, E.164 (%2B for the +).")
    tracking_number = filters.CharFilter(help_text="The whole number, E.164 (%2B for the +).")
    call_id = filters.CharFilter(field_name="external_id", help_text="The phone platform's id.")


class CallViewSet(Listed):
    """Phone calls, newest first."""

    model = Call
    queryset = Call.objects.all()
    serializer_class = CallSummary
    detail_serializer = CallSerializer
    filterset_class = CallFilters
    action_parameters = {"timeline": frozenset()}
    without_body = frozenset({"erase"})

    def rows(self) -> QuerySet[Call]:
        """Leave the documents of a list in the database."""
        calls = Call.objects.all()
        return calls if self.action == "retrieve" else calls.defer(*CallSummary.unread)

    @extend_schema(responses=Timeline)
    @action(detail=True)
    def timeline(self, request: Request, **kwargs: Any) -> Response:
        """Tell of each event, and of each delivery at the moment it was planned, in order."""
        call = self.get_object()
        events = CallEvent.objects.filter(call=call).defer("facts", "snapshot")
        moments = [*map(_of_event, events), *map(_of_delivery, Delivery.objects.filter(call=call))]
        moments.sort(key=lambda each: (each["at"], each["kind"] == "delivery"))
        return Response({"data": moments})

    @extend_schema(request=None, responses=CallSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, **kwargs: Any) -> Response:
        """Erase what is known of the person behind the call, for good. For admins.

        The call stays with its times, places, events and deliveries, without what they said of
        anybody. What is not sent yet is not sent any more. 409 while a delivery is being sent.
        """
        try:
            return self.shown(erase_personal_data(call=self.row_for(Role.ADMIN)))
        except CallUnderWay as error:
            raise Problem(409, "call_under_way", str(error)) from None


def _of_event(event: CallEvent) -> dict[str, Any]:
    return {
        "at": event.occurred_at,
        "kind": "event",
        "id": event.public_id,
        "type": event.type,
        "event_id": event.external_id,
    }


def _of_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "at": delivery.created_at,
        "kind": "delivery",
        "id": delivery.public_id,
        "webhook": PublicId("wh").to_representation(delivery.webhook_id),
        "timing": delivery.timing,
        "state": delivery.state,
        "attempt_count": delivery.attempt_count,
        "resent_from": delivery.resent_from_id
        and PublicId(Delivery.ID_PREFIX).to_representation(delivery.resent_from_id),
    }
