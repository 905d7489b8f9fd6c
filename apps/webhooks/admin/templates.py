"""Templates and their versions."""

from typing import Any

from django.contrib import admin
from django.db.models import PROTECT, Count, ManyToOneRel, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from apps.accounts.authentication import person_of
from apps.accounts.models import User
from apps.common.admin import (
    AccountScopedAdmin,
    ReadOnlyAdmin,
    access_of,
    labelled,
)
from apps.webhooks.admin.template_pages import TemplatePages
from apps.webhooks.forms import TemplateForm
from apps.webhooks.models import Template, TemplateVersion
from apps.webhooks.services import delete_template, save_template
from apps.webhooks.sharing import templates_for


@admin.register(Template)
class TemplateAdmin(TemplatePages, AccountScopedAdmin):
    """Templates of the account, and those that its agency shares, which are only read."""

    form = TemplateForm
    empty_text = "A template says what is sent: a sample with %tokens%."
    list_display = ["name", "shown_format", "group", "used_by", "version", "sharing"]
    list_filter = ["format", "group"]
    list_select_related = ["group", "current_version"]
    search_fields = ["name"]
    search_help_text = "Name"
    fieldsets = [
        (None, {"fields": ["name", ("format", "group"), "is_shared_with_clients", "sample"]}),
    ]
    change_form_template = "admin/webhooks/template/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Add what agencies share with the accounts that are being worked on."""
        access = access_of(request)
        return self.annotated(self.without_documents(templates_for(access.active_ids, access)))

    def annotated(self, queryset: QuerySet[Template]) -> QuerySet[Template]:
        """Count the webhooks that send it."""
        return queryset.annotate(used=Count("webhooks")).order_by("name")

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Open shared templates too."""
        access = access_of(request)
        rows = templates_for(access.account_ids, access)
        return rows.select_related("current_version", "group")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let clients look at what their agency shares."""
        shared_from = access_of(request).shared_from_ids
        if obj is not None and obj.is_shared_with_clients and obj.account_id in shared_from:
            return True
        return super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep a template while a webhook sends it or a delivery was made from it."""
        if obj is not None and is_in_use(obj):
            return False
        return super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix the format; show the sample to those who only look."""
        declared = super().get_readonly_fields(request, obj)
        return declared if obj is None else [*declared, "format", "shown_sample"]

    def beside_form(self, request: HttpRequest, row: Template) -> dict[str, Any]:
        """Lead to a copy whoever may make templates."""
        return {"may_duplicate": self.has_add_permission(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer sharing to agencies only."""
        fieldsets = super().get_fieldsets(request, obj)
        access = access_of(request)
        is_agency = any(access.accounts[key].is_agency for key in access.active_ids)
        hidden = set() if is_agency else {"is_shared_with_clients"}
        can_change = obj is None or self.has_change_permission(request, obj)
        return [
            (
                title,
                {
                    **options,
                    "fields": [
                        "shown_sample" if name == "sample" and not can_change else name
                        for name in options["fields"]
                        if name not in hidden
                    ],
                },
            )
            for title, options in fieldsets
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Tell the form who saves."""
        form = super().get_form(request, obj, change, **kwargs)
        form.access = access_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a changed sample becomes a new version."""
        save_template(template=obj, sample=form.cleaned_data["sample"], by=person_of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it with its versions."""
        delete_template(template=obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no bulk deletion: most templates are in use."""
        return {}

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name what goes; a template's own versions do not hold it back."""
        count = TemplateVersion.objects.filter(template__in=objs).count()
        return [str(row) for row in objs], {"templates": len(objs), "versions": count}, set(), []

    @admin.display(description="template format")
    def shown_sample(self, template: Template) -> str:
        """Return the sample as text."""
        version = template.current_version
        return format_html('<pre class="hl-code">{}</pre>', version.sample if version else "")

    @labelled("type", ordering="format")
    def shown_format(self, template: Template) -> str:
        """Return the format."""
        return template.get_format_display()

    @admin.display(description="webhooks", ordering="used")
    def used_by(self, template: Template) -> int:
        """Return how many webhooks send it."""
        return int(getattr(template, "used", 0))

    @admin.display(description="version", ordering="current_version__number")
    def version(self, template: Template) -> str:
        """Return the number of the current version."""
        return f"v{template.current_version.number}" if template.current_version else "none"

    @labelled("sharing", labels={"shared with clients": "info"})
    def sharing(self, template: Template) -> str | None:
        """Return whether client accounts use it too."""
        return "shared with clients" if template.is_shared_with_clients else None


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    """One immutable state of a template; reached from the template's page."""

    list_display = ["template", "number", "made_by", "created_at"]
    list_select_related = ["template", "created_by"]
    fieldsets = [
        (None, {"fields": ["template", "number", "made_by", "created_at", "shown_sample"]}),
        ("Mapping", {"fields": ["shown_mapping"]}),
    ]
    readonly_fields = ["shown_sample", "shown_mapping"]

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Open versions of shared templates too."""
        access = access_of(request)
        return TemplateVersion.objects.filter(
            Q(account_id__in=access.account_ids)
            | Q(account_id__in=access.shared_from_ids, template__is_shared_with_clients=True)
        ).select_related("template", "created_by")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let clients look at what their agency shares."""
        if obj is not None and obj.account_id in access_of(request).shared_from_ids:
            return bool(obj.template.is_shared_with_clients)
        return super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Nothing to start from."""
        return False

    @admin.display(description="made by", ordering="created_by__email", empty_value="Hookline")
    def made_by(self, version: TemplateVersion) -> User | None:
        """Return who made it; no link, as the page of a person is for operators."""
        return version.created_by

    @admin.display(description="template format")
    def shown_sample(self, version: TemplateVersion) -> str:
        """Return the sample as text."""
        return format_html('<pre class="hl-code">{}</pre>', version.sample)

    @admin.display(description="fields")
    def shown_mapping(self, version: TemplateVersion) -> str:
        """Return what fills each field."""
        lines = [
            f"{field['path']}  ←  {field.get('token') or field.get('text') or field['kind']}"
            for field in version.mapping
        ]
        return format_html('<pre class="hl-code">{}</pre>', "\n".join(lines))


def is_in_use(template: Template) -> bool:
    """Tell whether a row of any room keeps the template or one of its versions from going."""
    for target, where in ((Template, ""), (TemplateVersion, "__template")):
        for relation in target._meta.get_fields(include_hidden=True):
            if not isinstance(relation, ManyToOneRel) or relation.on_delete is not PROTECT:
                continue
            rows = relation.related_model._base_manager
            if rows.filter(**{f"{relation.field.name}{where}": template}).exists():
                return True
    return False
