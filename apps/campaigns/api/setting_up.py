"""A webhook with its template and attachments, made in one request."""

from typing import Any

from rest_framework import serializers

from apps.accounts.authentication import person_of
from apps.accounts.models import Group
from apps.campaigns.api.serializers import NestedAttachmentSerializer
from apps.campaigns.models import Attachment
from apps.campaigns.services import NewTemplate, set_up_webhook
from apps.common.api.fields import Reference
from apps.common.api.serializers import StrictSerializer
from apps.common.problems import FieldProblem, Problem
from apps.webhooks.api.samples import (
    MappingField,
    SampleField,
    brought_mapping,
    read_mapping,
    read_sample,
)
from apps.webhooks.api.webhooks import NewWebhookSerializer
from apps.webhooks.models import Template, TemplateFormat, Webhook
from apps.webhooks.sharing import templates_for

# That a new webhook brings along.
_MOST_ATTACHMENTS = 50


class NewTemplateSerializer(StrictSerializer):
    """A template that is made with its webhook, in the webhook's account."""

    name = serializers.CharField(max_length=120)
    format = serializers.ChoiceField(TemplateFormat.choices)
    sample = SampleField()
    mapping = MappingField(required=False)
    group = Reference(Group, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> NewTemplate:
        """Check that the mapping fits the sample."""
        sample = read_sample(attrs["sample"], attrs["format"])
        mapping = attrs.get("mapping")
        fitted = brought_mapping(sample) if mapping is None else read_mapping(mapping, sample)
        template = Template(name=attrs["name"], format=attrs["format"], group=attrs.get("group"))
        return NewTemplate(template, attrs["sample"], None if mapping is None else fitted)


class TemplateOrNew(Reference):
    """A template by its id, or a new one."""

    new = NewTemplateSerializer

    def to_internal_value(self, data: Any) -> Any:
        """Return the template."""
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        serializer = NewTemplateSerializer(data=data, context=self.context)
        try:
            serializer.is_valid(raise_exception=True)
        except Problem as problem:
            inside = [
                FieldProblem(f"/{self.field_name}{fault.pointer}", fault.code, fault.message)
                for fault in problem.errors
                if isinstance(fault, FieldProblem)
            ]
            raise Problem(problem.status, problem.code, problem.detail, errors=inside) from None
        return serializer.validated_data


class WebhookToSetUp(NewWebhookSerializer):
    """A new webhook; it may bring a new template and its attachments along, all or nothing."""

    template = TemplateOrNew(
        Template, rows=lambda access: templates_for(access.account_ids, access)
    )
    attachments: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NestedAttachmentSerializer(), required=False, max_length=_MOST_ATTACHMENTS
    )

    class Meta(NewWebhookSerializer.Meta):
        fields = [*NewWebhookSerializer.Meta.fields, "attachments"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A new template is put where the webhook is."""
        template = attrs.pop("template")
        if isinstance(template, NewTemplate):
            attrs["new_template"] = template
        else:
            attrs["template"] = template
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Webhook:
        """Save all of it, or nothing."""
        headers = validated_data.pop("headers", [])
        attachments = validated_data.pop("attachments", [])
        template: NewTemplate | None = validated_data.pop("new_template", None)
        if template is not None:
            template.template.account_id = validated_data["account_id"]
        return set_up_webhook(
            webhook=Webhook(**validated_data),
            headers=headers,
            attachments=[Attachment(**attachment) for attachment in attachments],
            template=template,
            by=person_of(self.context["request"]),
        )
