"""IVRs, their questions and web hooks, and exchanges as the API shows and takes them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from rest_framework import serializers

from apps.accounts.api.serializers import LocationSerializer
from apps.accounts.authentication import person_of
from apps.accounts.models import Location
from apps.common.api.fields import PublicId, Reference
from apps.common.api.serializers import AccountSerializer, RowSerializer, StrictSerializer
from apps.common.api.views import access_of
from apps.common.fields import is_kept
from apps.common.masking import shown_headers, shown_url
from apps.ivr.models import DecidedBy, Ivr, IvrExchange, IvrHook, IvrParameter, IvrQuestion
from apps.ivr.setting_up import change_hook, create_ivr
from apps.webhooks.services import check_receiver

MOST_QUESTIONS = 200
MOST_PARAMETERS = 100


class QuestionSerializer(AccountSerializer):
    """A question of an IVR."""

    ivr = Reference(Ivr, read_only=True)

    class Meta:
        model = IvrQuestion
        fields = ["id", "account", "ivr", "number", "prompt", "audio", "is_recorded", "created_at"]
        read_only_fields = ["account"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put a new question into the IVR of the address."""
        if self.instance is None:
            ivr = self.context["view"].outer_row
            attrs |= {"ivr": ivr, "account_id": ivr.account_id}
        return attrs


class NestedQuestionSerializer(QuestionSerializer):
    """A question inside its IVR."""

    class Meta:
        model = IvrQuestion
        fields = ["id", "number", "prompt", "audio", "is_recorded"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The IVR comes with it."""
        return attrs


class IvrSerializer(AccountSerializer):
    """A menu of the phone platform. A new one may bring its questions along."""

    account_from = ("location",)
    fixed = ("questions",)
    expandable = {"location": LocationSerializer}

    location = Reference(Location, required=False, allow_null=True)
    questions: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NestedQuestionSerializer(), required=False, max_length=MOST_QUESTIONS
    )

    class Meta:
        model = Ivr
        fields = ["id", "account", "number", "name", "location", "questions", "created_at"]

    def create(self, validated_data: dict[str, Any]) -> Ivr:
        """Save the IVR with its questions, all or nothing."""
        questions = validated_data.pop("questions", [])
        return create_ivr(
            ivr=Ivr(**validated_data),
            questions=[IvrQuestion(**question) for question in questions],
        )


class ParameterSerializer(StrictSerializer):
    """A parameter: a name of one's own, and the token or answer that fills it."""

    name = serializers.CharField(max_length=100)
    token = serializers.CharField(
        max_length=120, help_text="A token, as ani; or an answer, as answer.1."
    )

    def to_representation(self, instance: IvrParameter) -> dict[str, str]:
        """Return name and token."""
        return {"name": instance.name, "token": instance.token}


class HookSerializer(AccountSerializer):
    """The web hook of an IVR. Its Authorization is never shown."""

    addresses = ("target_url", "fallback_url", "redirect_url", "transcription_url")

    ivr = Reference(Ivr, read_only=True)
    parameters: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ParameterSerializer(),
        required=False,
        max_length=MOST_PARAMETERS,
        help_text="Replaces the whole list.",
    )
    authorization = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=2048,
        help_text="Sent to the target URL; an empty one is none.",
    )
    has_authorization = serializers.SerializerMethodField()
    transcription_url = serializers.CharField(
        source="ivr.transcription_webhook.url",
        default="",
        allow_blank=True,
        max_length=2048,
        help_text="Gets a GET for each transcript of a recorded question; an empty one is none.",
    )

    class Meta:
        model = IvrHook
        fields = [
            "id",
            "account",
            "ivr",
            "is_active",
            "mode",
            "method",
            "target_url",
            "includes_attribution",
            "parameters",
            "authorization",
            "has_authorization",
            "fallback_url",
            "budget_s",
            "default_app",
            "default_value",
            "reply_form",
            "redirect_url",
            "transcription_url",
            "created_at",
        ]
        read_only_fields = ["account"]

    def get_has_authorization(self, hook: IvrHook) -> bool:
        """Tell whether one is saved."""
        return is_kept(hook, "authorization")

    def validate_target_url(self, url: str) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(url)

    def validate_fallback_url(self, url: str) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(url)

    def validate_transcription_url(self, url: str) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(url)

    def validate_redirect_url(self, url: str) -> str:
        """Refuse what a phone platform can not fetch; Hookline never does."""
        if url:
            URLValidator(["http", "https"])(url)
        return url

    def validate_parameters(self, parameters: list[dict[str, str]]) -> dict[str, str]:
        """Return the value of each by its name."""
        named = {parameter["name"]: parameter["token"] for parameter in parameters}
        if len(named) < len(parameters):
            raise ValidationError("Two parameters have the same name.", "not_unique")
        return named

    def update(self, instance: IvrHook, validated_data: dict[str, Any]) -> IvrHook:
        """Save what is changed."""
        ivr = validated_data.pop("ivr", {})
        return change_hook(
            hook=instance,
            parameters=validated_data.pop("parameters", None),
            transcription_url=ivr.get("transcription_webhook", {}).get("url"),
            changes=validated_data,
            by=person_of(self.context["request"]),
        )


class ExchangeSummary(RowSerializer):
    """An exchange in a list."""

    account = PublicId("acc", source="account_id")
    ivr = Reference(Ivr, read_only=True)
    call_id = serializers.CharField(
        source="call_external_id", read_only=True, help_text="The phone platform's id."
    )

    class Meta:
        model = IvrExchange
        fields = [
            "id",
            "account",
            "ivr",
            "call_id",
            "response_id",
            "decided_by",
            "reason",
            "target_ms",
            "fallback_ms",
            "total_ms",
            "created_at",
        ]
        read_only_fields = fields


class ExchangeTry(serializers.Serializer):  # type: ignore[type-arg]
    """One request of an exchange, in the shape of an attempt. Credentials are masked."""

    step = serializers.ChoiceField([DecidedBy.TARGET.value, DecidedBy.FALLBACK.value])
    number = serializers.IntegerField()
    method = serializers.CharField()
    url = serializers.CharField()
    request_headers = serializers.JSONField()
    request_body = serializers.CharField(allow_blank=True)
    response_status = serializers.IntegerField(allow_null=True)
    response_headers = serializers.JSONField()
    response_body = serializers.CharField(allow_blank=True)
    is_response_truncated = serializers.BooleanField()
    error_kind = serializers.CharField(allow_blank=True)
    error_message = serializers.CharField(allow_blank=True)
    dns_ms = serializers.FloatField(allow_null=True)
    connect_ms = serializers.FloatField(allow_null=True)
    first_byte_ms = serializers.FloatField(allow_null=True)
    total_ms = serializers.FloatField()
    sends = serializers.IntegerField()


class ExchangeSerializer(ExchangeSummary):
    """An exchange with every try, and what the platform was told."""

    tries = ExchangeTry(many=True, read_only=True)
    reply = serializers.DictField(read_only=True, help_text="What the platform was told.")

    class Meta(ExchangeSummary.Meta):
        fields = [*ExchangeSummary.Meta.fields, "tries", "reply"]

    def to_representation(self, instance: IvrExchange) -> dict[str, Any]:
        """Show the addresses of each try as the sender may see them."""
        shown = super().to_representation(instance)
        whose = instance.account_id, access_of(self.context["request"])
        for each in shown.get("tries", ()):
            each["url"] = shown_url(each["url"], *whose)
            each["response_headers"] = shown_headers(each["response_headers"], *whose)
        return shown


class EndpointFigures(serializers.Serializer):  # type: ignore[type-arg]
    """How one URL of a web hook has been doing, in milliseconds."""

    label = serializers.CharField()  # type: ignore[assignment]
    url = serializers.CharField(allow_blank=True)
    asked = serializers.IntegerField()
    decided = serializers.IntegerField()
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    longest_ms = serializers.FloatField(allow_null=True)
    overhead_p95_ms = serializers.FloatField(allow_null=True)


class IvrStats(serializers.Serializer):  # type: ignore[type-arg]
    """The figures of the target and, if there is one, the fallback, over the newest exchanges."""

    data = EndpointFigures(many=True)  # type: ignore[assignment]


def _checked(url: str) -> str:
    return check_receiver(url=url) if url else ""
