"""How the answer to an IVR's results is described; what may be in it is in docs/api.md."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from apps.ivr.models import DecidedBy


class NextAction(serializers.Serializer):  # type: ignore[type-arg]
    """What to do with the call."""

    app = serializers.CharField()
    parameters = serializers.DictField(child=serializers.CharField())
    user_parameters = serializers.DictField(child=serializers.CharField())
    pass_through = serializers.CharField(allow_blank=True)


class NextQuestion(serializers.Serializer):  # type: ignore[type-arg]
    """A question of the next IVR, with its parameters in place."""

    number = serializers.IntegerField()
    prompt = serializers.CharField(allow_blank=True)
    audio = serializers.CharField(allow_blank=True)
    is_recorded = serializers.BooleanField()


class NextIvr(serializers.Serializer):  # type: ignore[type-arg]
    """The next IVR, if it is set up here."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    questions = NextQuestion(many=True)


class Reply(serializers.Serializer):  # type: ignore[type-arg]
    """What happens next: a message to read, or an action."""

    exchange = serializers.CharField()
    decided_by = serializers.ChoiceField(DecidedBy.choices)
    reason = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_null=True)
    action = NextAction(allow_null=True)
    ivr = NextIvr(allow_null=True)


EXAMPLE = OpenApiExample(
    "Two answers",
    request_only=True,
    value={
        "response_id": "r-4711",
        "call_id": "call-77",
        "started_at": "2026-03-28T00:05:02Z",
        "from": "+17776734736",
        "to": "+17774839229",
        "answers": {"1": "12345", "2": "99"},
        "completed": True,
    },
)
