"""The audit log over the REST API."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.common.access import Role
from apps.common.api.fields import AccountKey
from apps.common.api.filters import RowFilters, filters
from apps.common.api.serializers import RowSerializer
from apps.common.api.viewsets import Listed
from apps.common.audit_reading import as_plain
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind


class ChangedRow(serializers.Serializer):  # type: ignore[type-arg]
    """What an entry is about; it may be gone."""

    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class Actor(serializers.Serializer):  # type: ignore[type-arg]
    """Who did it: a person, a key, or Hookline itself."""

    kind = serializers.ChoiceField([(kind.value, kind.value) for kind in ActorKind])
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)


@extend_schema_field(
    {
        "type": "object",
        "description": "Before and after by column; of secrets only that they changed.",
        "additionalProperties": {"type": "array"},
    }
)
class ChangesField(serializers.JSONField):
    """Before and after of each column."""


class AuditSerializer(RowSerializer):
    """One thing that was done, by whom and from where."""

    account = AccountKey(source="account_id", read_only=True)
    object = ChangedRow(allow_null=True, read_only=True)
    actor = Actor(read_only=True)
    changes = ChangesField(read_only=True)

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "account",
            "created_at",
            "action",
            "note",
            "object",
            "actor",
            "changes",
            "via",
            "ip",
            "user_agent",
            "request_id",
        ]
        read_only_fields = fields

    def to_representation(self, instance: AuditEntry) -> dict[str, Any]:
        """Return the entry as its own room writes it."""
        return {
            name: value
            for name, value in as_plain(instance).items()
            if self.sparse is None or name in self.sparse
        }


class AuditFilters(RowFilters):
    """What the log can be narrowed by."""

    action = filters.ChoiceFilter(choices=AuditAction.choices)
    request_id = filters.CharFilter(help_text="The X-Request-Id of a request.")


class AuditViewSet(Listed):
    """What was done in an account, newest first: for its admins."""

    model = AuditEntry
    queryset = AuditEntry.objects.all()
    serializer_class = AuditSerializer
    filterset_class = AuditFilters
    view_role = Role.ADMIN

    def rows(self) -> QuerySet[AuditEntry]:
        """All entries."""
        return AuditEntry.objects.all()
