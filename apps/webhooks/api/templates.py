"""Templates and their versions as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from apps.accounts.authentication import person_of
from apps.accounts.models import Group, User
from apps.common.api.fields import PublicId, Reference
from apps.common.api.serializers import AccountSerializer, RowSerializer
from apps.common.api.views import access_of
from apps.common.problems import FieldProblem
from apps.webhooks.api.samples import (
    MappingField,
    SampleField,
    brought_mapping,
    invalid,
    read_mapping,
    read_sample,
)
from apps.webhooks.models import Template, TemplateVersion
from apps.webhooks.services import save_template


class TemplateSummary(AccountSerializer):
    """A template in a list."""

    along = ("current_version",)
    unread = ("current_version__sample", "current_version__mapping")

    group = Reference(Group, required=False, allow_null=True)
    version = serializers.IntegerField(
        source="current_version.number", read_only=True, allow_null=True
    )

    class Meta:
        model = Template
        fields = [
            "id",
            "account",
            "name",
            "format",
            "group",
            "is_shared_with_clients",
            "version",
            "created_at",
        ]


class TemplateSerializer(TemplateSummary):
    """A template with its current sample and mapping; a change of those makes a version."""

    fixed = ("format",)
    account_from = ("group",)

    sample = SampleField(source="current_version.sample")
    mapping = MappingField(source="current_version.mapping", required=False)

    class Meta(TemplateSummary.Meta):
        fields = [*TemplateSummary.Meta.fields, "sample", "mapping"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Keep what is versioned apart, and check that the mapping fits the sample."""
        state = attrs.pop("current_version", {})
        attrs = super().validate(attrs)
        account_id = self.instance.account_id if self.instance else attrs["account_id"]
        account = access_of(self.context["request"]).accounts.get(account_id)
        if attrs.get("is_shared_with_clients") and not (account and account.is_agency):
            fault = "Only agencies have clients to share with."
            raise invalid([FieldProblem("/is_shared_with_clients", "invalid", fault)])
        if not state:
            return attrs
        current = self.instance.current_version if self.instance else None
        sample = state.get("sample") or (current.sample if current else "")
        format_ = self.instance.format if self.instance else attrs["format"]
        extracted = read_sample(sample, format_)
        if state.get("mapping") is None:
            brought_mapping(extracted)
            return {**attrs, "sample": sample}
        return {**attrs, "sample": sample, "mapping": read_mapping(state["mapping"], extracted)}

    def create(self, validated_data: dict[str, Any]) -> Template:
        """Save the template with its first version."""
        sample, mapping = validated_data.pop("sample"), validated_data.pop("mapping", None)
        template = Template(**validated_data)
        save_template(template=template, sample=sample, by=self._person, mapping=mapping)
        return template

    def update(self, instance: Template, validated_data: dict[str, Any]) -> Template:
        """Save the template, and a new version if what is sent differs."""
        version = instance.current_version
        sample = validated_data.pop("sample", version.sample if version else "")
        mapping = validated_data.pop("mapping", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        save_template(template=instance, sample=sample, by=self._person, mapping=mapping)
        return instance

    @property
    def _person(self) -> User | None:
        return person_of(self.context["request"])


class VersionSummary(RowSerializer):
    """A version of a template in a list."""

    template = Reference(Template, read_only=True)
    created_by = PublicId("usr", source="created_by_id", allow_null=True)

    class Meta:
        model = TemplateVersion
        fields = ["id", "template", "number", "created_by", "created_at"]


class VersionSerializer(VersionSummary):
    """A version with its sample and mapping."""

    mapping = MappingField(read_only=True)

    class Meta(VersionSummary.Meta):
        fields = [*VersionSummary.Meta.fields, "sample", "mapping"]
