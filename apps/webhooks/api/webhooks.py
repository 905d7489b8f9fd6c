"""Webhooks as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from apps.accounts.api.serializers import LocationSerializer
from apps.accounts.models import Location
from apps.common.api.fields import Reference, ShortList
from apps.common.api.serializers import AccountSerializer, StrictSerializer, refuse
from apps.common.api.views import access_of
from apps.webhooks.api.templates import TemplateSummary
from apps.webhooks.changing import change_webhook
from apps.webhooks.headers import MOST_HEADERS
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.schedules import InvalidSchedule, check_schedule
from apps.webhooks.services import DEFAULT_KEEP, MAX_KEEP
from apps.webhooks.sharing import templates_for


class HeaderSerializer(StrictSerializer):
    """A header. The value of a secret one is never shown; left out, the saved one is kept."""

    name = serializers.CharField(max_length=128)
    value = serializers.CharField(
        max_length=4096, required=False, allow_null=True, allow_blank=True
    )
    is_secret = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: WebhookHeader) -> dict[str, Any]:
        """Hide the value of a secret header."""
        is_secret = instance.is_secret
        value = None if is_secret else instance.value
        return {"name": instance.name, "value": value, "is_secret": is_secret}


class WebhookSummary(AccountSerializer):
    """A webhook in a list."""

    expandable = {"location": LocationSerializer, "template": TemplateSummary}
    account_from = ("location", "template")
    unread = ("secret",)
    addresses = ("url",)

    location = Reference(Location, required=False, allow_null=True)
    template = Reference(Template, rows=lambda access: templates_for(access.account_ids, access))
    success_codes = ShortList(
        child=serializers.IntegerField(min_value=100, max_value=599),
        required=False,
        min_length=1,
        max_length=20,
    )
    retry_waits_s = ShortList(
        child=serializers.IntegerField(),
        required=False,
        allow_null=True,
        max_length=30,
        help_text="Seconds before each further try; null for the usual schedule.",
    )

    class Meta:
        model = Webhook
        fields = [
            "id",
            "account",
            "name",
            "location",
            "url",
            "template",
            "method",
            "success_codes",
            "timeout_s",
            "body_contains",
            "retry_waits_s",
            "rate_limit",
            "rate_unit",
            "concurrency",
            "signature",
            "signature_header",
            "key_id_header",
            "key_id",
            "is_active",
            "disabled_reason",
            "created_at",
        ]
        read_only_fields = ["disabled_reason"]

    def validate_retry_waits_s(self, waits_s: list[int] | None) -> list[int] | None:
        """Refuse what is no schedule."""
        try:
            return None if waits_s is None else list(check_schedule(waits_s))
        except InvalidSchedule as error:
            raise serializers.ValidationError(str(error), "invalid") from None


class WebhookSerializer(WebhookSummary):
    """A webhook with its headers."""

    headers: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=HeaderSerializer(), required=False, max_length=MOST_HEADERS
    )

    class Meta(WebhookSummary.Meta):
        fields = [*WebhookSummary.Meta.fields, "headers"]

    def validate_headers(self, headers: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
        """Return names with values."""
        return [(header["name"], header.get("value")) for header in headers]

    def update(self, instance: Webhook, validated_data: dict[str, Any]) -> Webhook:
        """Save what is changed."""
        headers = validated_data.pop("headers", None)
        return change_webhook(
            webhook=instance,
            changes=validated_data,
            headers=headers,
            by=access_of(self.context["request"]),
        )


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook, with the secret that signs its requests: it is shown this once."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]

    def validate_headers(self, headers: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
        """Ask for every value."""
        for index, header in enumerate(headers):
            if header.get("value") is None:
                refuse(f"/headers/{index}/value", "required", "A new header needs its value.")
        return super().validate_headers(headers)


class RotateBody(StrictSerializer):
    """For how long the old secret signs along, and what replaces it."""

    keep_hours = serializers.IntegerField(
        min_value=0,
        max_value=int(MAX_KEEP.total_seconds() // 3600),
        default=int(DEFAULT_KEEP.total_seconds() // 3600),
        help_text="0 for a secret that others may know.",
    )
    key_id = serializers.CharField(max_length=128, required=False, allow_blank=True)
    secret = serializers.CharField(
        max_length=200,
        required=False,
        trim_whitespace=False,
        help_text="One of your own; left out, a new one is made, which is best.",
    )


class SecretShown(serializers.Serializer):  # type: ignore[type-arg]
    """A new secret, which is shown this once."""

    secret = serializers.CharField()
