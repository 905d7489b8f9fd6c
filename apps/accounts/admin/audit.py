"""The audit log, for admins."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html

from apps.common.access import Role
from apps.common.admin import DateRangeFilter, DropdownFilter, LogAdmin, labelled
from apps.common.audit_reading import (
    audited_models,
    changed_fields,
    link_to,
    told,
    type_label,
)
from apps.common.ids import InvalidPublicId
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind

_MOST_PEOPLE = 200
# Entries among which people are looked for, as a log may have millions.
_NEWEST = 5_000
_COLOURS = {
    "Created": "success",
    "Switched on": "success",
    "Deleted": "danger",
    "Revoked": "danger",
    "Log-in failed": "danger",
    "Switched off": "warning",
    "Secret replaced": "warning",
    "Secret shown": "warning",
    "Password changed": "warning",
}


class ActorFilter(DropdownFilter):
    """A filter by who did it."""

    title = "who"
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer everybody who did something lately, Hookline included."""
        newest = model_admin.get_queryset(request).order_by("-created_at", "-id")[:_NEWEST]
        found = (
            AuditEntry.objects.filter(pk__in=newest.values("pk"))
            .order_by()
            .values("actor_kind", "actor_id")
            .annotate(label=Max("actor_label"))
            .order_by("label")[:_MOST_PEOPLE]
        )
        return [(str(one["actor_id"] or one["actor_kind"]), one["label"]) for one in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what this person or key did."""
        wanted = self.value()
        if wanted is None:
            return queryset
        if wanted in set(ActorKind):
            return queryset.filter(actor_kind=wanted, actor_id=None)
        try:
            return queryset.filter(actor_id=AuditEntry._meta.pk.to_python(wanted))
        except ValidationError:
            return queryset.none()


class TypeFilter(DropdownFilter):
    """A filter by what it was done to."""

    title = "what"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what people work on."""
        return [
            (model._meta.label_lower, type_label(model._meta.label_lower))
            for model in audited_models()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what was done to rows of this kind."""
        wanted = self.value()
        return queryset if wanted is None else queryset.filter(object_type=wanted)


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
    """What was done, by whom and from where, newest first."""

    view_role = Role.ADMIN
    empty_text = "Whatever people, programs and Hookline itself change is written here."
    list_display = ["shown_at", "actor_label", "shown_action", "subject", "changed", "ip"]
    list_documents = ["changes"]
    list_filter = [ActorFilter, "action", TypeFilter, ("created_at", DateRangeFilter)]
    search_fields = ["actor_label", "object_label", "note", "request_id"]
    search_help_text = "Who, what, a request id, or the id of a row as wh_…"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "created_at",
                    "actor_label",
                    "shown_action",
                    "subject",
                    "note",
                    "shown_changes",
                ]
            },
        ),
        ("From where", {"fields": ["via", "ip", "user_agent", "request_id"]}),
    ]
    readonly_fields = ["shown_action", "subject", "shown_changes"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the public id of a row, too: what was done to it, or by it."""
        for model in audited_models():
            try:
                key = model.key_of(search_term.strip())
            except InvalidPublicId:
                continue
            about = AuditEntry.objects.about(key) | AuditEntry.objects.filter(actor_id=key)
            return queryset & about, False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    def beside_form(self, request: HttpRequest, row: AuditEntry) -> dict[str, Any]:
        """An entry has no history of its own."""
        return {"show_history": False}

    @admin.display(description="when", ordering="created_at")
    def shown_at(self, entry: AuditEntry) -> dt.datetime:
        """Return when it was done."""
        return entry.created_at

    @labelled("action", labels=_COLOURS)
    def shown_action(self, entry: AuditEntry) -> str:
        """Return what was done."""
        return str(AuditAction(entry.action).label)

    @admin.display(description="what")
    def subject(self, entry: AuditEntry) -> str:
        """Return what it was done to, and the way there."""
        kind, link = type_label(entry.object_type), link_to(entry)
        if not link:
            return f"{kind} {entry.object_label}".strip() or "—"
        return format_html(
            '{} <a class="hl-link" href="{}">{}</a>', kind, link, entry.object_label or "(no name)"
        )

    @admin.display(description="changed")
    def changed(self, entry: AuditEntry) -> str:
        """Return the fields of a change, or what else there is to say."""
        if entry.note or entry.action in (AuditAction.CREATED, AuditAction.DELETED):
            return entry.note
        return changed_fields(entry)

    @admin.display(description="what changed")
    def shown_changes(self, entry: AuditEntry) -> str:
        """Return each field before and after."""
        if not entry.changes:
            return "—"
        return render_to_string(
            "admin/common/auditentry/changes.html", {"changes": told([entry])[0].changes}
        )
