"""How the event API is described; what each field may hold is in docs/api.md."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.calls.events import CallStatus, EventType


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A call begins",
            request_only=True,
            value={
                "id": "evt-1001",
                "type": "call.started",
                "call_id": "call-77",
                "occurred_at": "2026-03-28T00:05:00Z",
                "tracking_number": "+17774839229",
                "from": "+17776734736",
            },
        )
    ]
)
class Event(serializers.Serializer):  # type: ignore[type-arg]
    """One fact about a call. Further fields, and all that docs/api.md lists, are taken too."""

    id = serializers.CharField(max_length=128)
    type = serializers.ChoiceField(EventType.choices)
    call_id = serializers.CharField(max_length=128)
    occurred_at = serializers.DateTimeField()
    sequence = serializers.IntegerField(required=False, min_value=0)
    tracking_number = serializers.CharField(required=False, allow_null=True)
    location = serializers.CharField(required=False, allow_null=True)
    campaign = serializers.CharField(required=False, allow_null=True)
    treatment = serializers.CharField(required=False, allow_null=True)
    option = serializers.CharField(required=False, allow_null=True)
    to = serializers.CharField(required=False, allow_null=True)
    status = serializers.ChoiceField(CallStatus.choices, required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Add the one that Python keeps for itself."""
        fields = super().get_fields()
        fields["from"] = serializers.CharField(required=False, allow_null=True)
        return fields


class AcceptedEvent(serializers.Serializer):  # type: ignore[type-arg]
    """An event that is stored, and whose deliveries are planned."""

    index = serializers.IntegerField()
    id = serializers.CharField()
    call_id = serializers.CharField()
    event = serializers.CharField()
    call = serializers.CharField()
    duplicate = serializers.BooleanField()


class RejectedEvent(serializers.Serializer):  # type: ignore[type-arg]
    """An event that was not taken, and why."""

    index = serializers.IntegerField()
    pointer = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class Receipt(serializers.Serializer):  # type: ignore[type-arg]
    """What became of a batch."""

    accepted = AcceptedEvent(many=True)
    rejected = RejectedEvent(many=True)
