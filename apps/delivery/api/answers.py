"""What the questions about webhooks are answered, for the description of the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.calls.events import Timing
from apps.delivery.breaker import Position


@extend_schema_field(
    {
        "type": "array",
        "description": "Name and value of each, in their order; a name may be there several times.",
        "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        "example": [["Content-Type", "application/json"]],
    }
)
class HeaderPairs(serializers.JSONField):
    """The headers of an answer as they came."""


class SentRequest(serializers.Serializer):  # type: ignore[type-arg]
    """A request as it was sent; credentials are masked."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField(allow_blank=True)


class ReceivedResponse(serializers.Serializer):  # type: ignore[type-arg]
    """What came back."""

    status = serializers.IntegerField(allow_null=True)
    headers = serializers.DictField(child=serializers.CharField(allow_blank=True))
    body = serializers.CharField(allow_blank=True)


class TimingsInMs(serializers.Serializer):  # type: ignore[type-arg]
    """How long it took, in milliseconds."""

    dns = serializers.FloatField(allow_null=True)
    connect = serializers.FloatField(allow_null=True)
    first_byte = serializers.FloatField(allow_null=True)
    total = serializers.FloatField()


class TestResult(serializers.Serializer):  # type: ignore[type-arg]
    """A test, and whether a delivery would have succeeded."""

    is_success = serializers.BooleanField()
    request = SentRequest()
    response = ReceivedResponse()
    error_kind = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_blank=True)
    timings_ms = TimingsInMs()


class WouldSend(serializers.Serializer):  # type: ignore[type-arg]
    """A payload that would have been sent."""

    timing = serializers.ChoiceField(Timing.choices)
    event = serializers.CharField()
    payload = serializers.CharField(allow_blank=True)


class BacktestedCall(serializers.Serializer):  # type: ignore[type-arg]
    """A call, with what would have been sent for it, or why not."""

    call = serializers.CharField()
    would_send = WouldSend(many=True)
    why_not = serializers.CharField(allow_blank=True)


class Backtested(serializers.Serializer):  # type: ignore[type-arg]
    """The newest calls."""

    data = BacktestedCall(many=True)  # type: ignore[assignment]


class CountsByState(serializers.Serializer):  # type: ignore[type-arg]
    """Deliveries by where they stand."""

    waiting = serializers.IntegerField()
    pending = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    expired = serializers.IntegerField()
    skipped = serializers.IntegerField()


class LastDay(serializers.Serializer):  # type: ignore[type-arg]
    """The last 24 hours: what arrived of what was finished, and how long the newest tries took."""

    success_percent = serializers.FloatField(allow_null=True)
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)


class WebhookStats(serializers.Serializer):  # type: ignore[type-arg]
    """How a webhook has been doing."""

    since = serializers.DateTimeField()
    deliveries = CountsByState()
    last_day = LastDay()
    backlog = serializers.IntegerField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    breaker = serializers.ChoiceField([(each.value, each.value) for each in Position])
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    failures_in_row = serializers.IntegerField()
    next_probe_at = serializers.DateTimeField(allow_null=True)
