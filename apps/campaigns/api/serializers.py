"""Numbers, campaigns, treatments and attachments as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from apps.accounts.api.serializers import LocationSerializer
from apps.accounts.models import Location
from apps.campaigns.models import (
    Attachment,
    Campaign,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.campaigns.services import create_treatment
from apps.campaigns.warnings import warnings_for
from apps.common.api.fields import Reference
from apps.common.api.serializers import AccountSerializer
from apps.webhooks.models import Template, Webhook
from apps.webhooks.sharing import templates_for

# That a new treatment brings along.
_MOST_OPTIONS = 100


class CampaignSerializer(AccountSerializer):
    """Why people call."""

    account_from = ("location",)
    expandable = {"location": LocationSerializer}

    location = Reference(Location)
    tags = serializers.DictField(
        required=False, help_text='Names and values, as {"Region": "south"}; sent as %tags%.'
    )

    class Meta:
        model = Campaign
        fields = [
            "id",
            "account",
            "location",
            "name",
            "kind",
            "domain",
            "tags",
            "is_active",
            "created_at",
        ]


class OptionSerializer(AccountSerializer):
    """A choice of a treatment."""

    treatment = Reference(Treatment, read_only=True)

    class Meta:
        model = TreatmentOption
        fields = ["id", "account", "treatment", "key", "label", "destination", "created_at"]
        read_only_fields = ["account"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put a new option into the treatment of the address."""
        if self.instance is None:
            treatment = self.context["view"].outer_row
            attrs |= {"treatment": treatment, "account_id": treatment.account_id}
        return attrs


class NestedOptionSerializer(OptionSerializer):
    """An option inside its treatment."""

    class Meta:
        model = TreatmentOption
        fields = ["id", "key", "label", "destination"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The treatment comes with it."""
        return attrs


class TreatmentSerializer(AccountSerializer):
    """What a caller goes through. A new one may bring its options along."""

    account_from = ("location",)
    fixed = ("options",)
    expandable = {"location": LocationSerializer}

    location = Reference(Location)
    options: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NestedOptionSerializer(), required=False, max_length=_MOST_OPTIONS
    )

    class Meta:
        model = Treatment
        fields = ["id", "account", "location", "name", "options", "is_active", "created_at"]

    def create(self, validated_data: dict[str, Any]) -> Treatment:
        """Save the treatment with its options, all or nothing."""
        options = validated_data.pop("options", [])
        return create_treatment(
            treatment=Treatment(**validated_data),
            options=[TreatmentOption(**option) for option in options],
        )


class TrackingNumberSerializer(AccountSerializer):
    """A number that callers dial."""

    account_from = ("location",)
    expandable = {
        "location": LocationSerializer,
        "campaign": CampaignSerializer,
    }

    location = Reference(Location)
    campaign = Reference(Campaign, required=False, allow_null=True)
    treatment = Reference(Treatment, required=False, allow_null=True)

    class Meta:
        model = TrackingNumber
        fields = [
            "id",
            "account",
            "location",
            "number",
            "label",
            "campaign",
            "treatment",
            "created_at",
        ]


class AttachmentSerializer(AccountSerializer):
    """A webhook where it is sent; without a place, for every call of the account."""

    account_from = ("webhook",)
    fixed = ("webhook",)

    webhook = Reference(Webhook)
    own_template = Reference(
        Template,
        rows=lambda access: templates_for(access.account_ids, access),
        required=False,
        allow_null=True,
        help_text="Sent instead of the webhook's template.",
    )
    campaign = Reference(Campaign, required=False, allow_null=True)
    option = Reference(TreatmentOption, required=False, allow_null=True)
    treatment = Reference(Treatment, required=False, allow_null=True)
    location = Reference(Location, required=False, allow_null=True)
    conditions = serializers.JSONField(
        required=False, help_text="For which calls it sends; an empty object means all."
    )
    in_words = serializers.CharField(read_only=True, help_text="All of it as people read it.")

    class Meta:
        model = Attachment
        fields = [
            "id",
            "account",
            "webhook",
            "timing",
            "own_template",
            "campaign",
            "option",
            "treatment",
            "location",
            "not_later_than_min",
            "conditions",
            "in_words",
            "once_per_caller_h",
            "wait_for",
            "wait_min",
            "wait_skips",
            "only_changes",
            "is_active",
            "created_at",
        ]


class AttachmentWithWarnings(AttachmentSerializer):
    """An attachment, with what may be missing from what it sends."""

    warnings = serializers.SerializerMethodField()

    class Meta(AttachmentSerializer.Meta):
        fields = [*AttachmentSerializer.Meta.fields, "warnings"]

    def get_warnings(self, attachment: Attachment) -> list[str]:
        """Return the warnings that the admin shows."""
        return warnings_for(attachment)


class NestedAttachmentSerializer(AttachmentSerializer):
    """An attachment inside its webhook."""

    class Meta:
        model = Attachment
        fields = [
            name for name in AttachmentSerializer.Meta.fields if name not in ("account", "webhook")
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The webhook comes with it."""
        return attrs
