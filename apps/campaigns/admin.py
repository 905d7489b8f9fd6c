"""The admin of campaigns, numbers, treatments, and where webhooks are attached."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from apps.accounts.admin import LocationAdmin
from apps.accounts.models import Location
from apps.campaigns.apply_pages import APPLY_ACTIONS
from apps.campaigns.forms import AttachmentForm, webhooks_at
from apps.campaigns.models import (
    Attachment,
    Campaign,
    Import,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.campaigns.sheets.pages import ImportAdmin
from apps.campaigns.warnings import warnings_for
from apps.common.access import Access, Role
from apps.common.admin import AccountScopedAdmin, AccountScopedTabularInline, Panel, labelled


class AttachmentInline(AccountScopedTabularInline):
    """Webhooks that are sent here, and when."""

    model = Attachment
    fields = ["webhook", "timing", "not_later_than_min", "conditions_link", "is_active"]
    readonly_fields = ["conditions_link"]
    delete_role = Role.MEMBER
    verbose_name = "webhook"
    verbose_name_plural = "webhooks"
    template_after = "admin/campaigns/add_webhook.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        """Fetch along what a row names."""
        rows = super().get_queryset(request)
        places = "campaign", "option__treatment", "treatment", "location"
        return rows.select_related("webhook", *places).defer("webhook__secret")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Offer webhooks that this place can send."""
        formset = super().get_formset(request, obj, **kwargs)
        webhook = formset.form.base_fields.get("webhook")
        if obj is not None and webhook is not None:
            place = obj.treatment if isinstance(obj, TreatmentOption) else obj
            webhook.queryset = webhooks_at(webhook.queryset, place.location_id)
        return formset

    @admin.display(description="sends")
    def conditions_link(self, attachment: Attachment) -> str:
        """Return for which calls it sends, leading to where that is set."""
        if attachment._state.adding:
            return "Save first"
        link = reverse("admin:campaigns_attachment_change", args=[attachment.pk])
        return format_html('<a class="hl-link" href="{}">{}</a>', link, attachment.in_words)


class WarnsOfEmptyFields(AccountScopedAdmin):
    """Tells, once attachments are saved, which of their fields will be empty."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save, and say what may be missing."""
        super().save_formset(request, form, formset, change)
        for row in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
            if isinstance(row, Attachment):
                warn(request, row)


def warn(request: HttpRequest, attachment: Attachment) -> None:
    """Say what may be missing from what an attachment sends."""
    for warning in warnings_for(attachment):
        messages.warning(request, warning)


class NumberInline(AccountScopedTabularInline):
    """Numbers that lead here."""

    model = TrackingNumber
    fields = ["number", "label"]
    delete_role = Role.MEMBER


class OptionInline(AccountScopedTabularInline):
    """What a caller can press."""

    model = TreatmentOption
    fields = ["key", "label", "destination", "webhooks"]
    readonly_fields = ["webhooks"]
    delete_role = Role.MEMBER

    def get_queryset(self, request: HttpRequest) -> QuerySet[TreatmentOption]:
        """Fetch along the webhooks."""
        return super().get_queryset(request).prefetch_related("attachments__webhook")

    @admin.display(description="webhooks")
    def webhooks(self, option: TreatmentOption) -> str:
        """Return which webhooks callers of this option set off, leading to where they are set."""
        if option._state.adding:
            return "Save first"
        names = ", ".join(str(attachment.webhook) for attachment in option.attachments.all())
        link = reverse("admin:campaigns_treatmentoption_change", args=[option.pk])
        return format_html('<a class="hl-link" href="{}">{}</a>', link, names or "Attach a webhook")


@admin.register(Campaign)
class CampaignAdmin(WarnsOfEmptyFields):
    """Campaigns, offline and digital."""

    ordering = ["name"]
    empty_text = "A campaign says why people call: an advertisement, a website."
    list_display = ["name", "kind_label", "location", "numbers", "webhooks", "is_active"]
    list_filter = ["kind", "location", "is_active"]
    list_select_related = ["location"]
    search_fields = ["name", "domain", "tracking_numbers__number"]
    search_help_text = "Name, domain or number"
    fieldsets = [
        (None, {"fields": ["name", "location", "kind", "domain", "tags", "is_active"]}),
    ]
    inlines = [NumberInline, AttachmentInline]

    def annotated(self, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        """Count numbers and webhooks."""
        return queryset.annotate(
            number_total=Count("tracking_numbers", distinct=True),
            webhook_total=Count("attachments", distinct=True),
        )

    @labelled("kind", ordering="kind", labels={"Digital (DNI)": "info"})
    def kind_label(self, campaign: Campaign) -> str:
        """Return the kind."""
        return campaign.get_kind_display()

    @admin.display(description="numbers", ordering="number_total")
    def numbers(self, campaign: Any) -> int:
        """Return how many numbers lead to it."""
        return int(campaign.number_total)

    @admin.display(description="webhooks", ordering="webhook_total")
    def webhooks(self, campaign: Any) -> int:
        """Return how many webhooks tell of it."""
        return int(campaign.webhook_total)


@admin.register(Treatment)
class TreatmentAdmin(WarnsOfEmptyFields):
    """Call treatments with their options."""

    ordering = ["name"]
    empty_text = "The menu that callers go through, as 1 for Sales."
    list_display = ["name", "location", "options", "webhooks", "is_active"]
    list_filter = ["location", "is_active"]
    list_select_related = ["location"]
    search_fields = ["name", "options__label", "tracking_numbers__number"]
    search_help_text = "Name, option or number"
    fieldsets = [(None, {"fields": ["name", "location", "is_active"]})]
    inlines = [OptionInline, NumberInline, AttachmentInline]

    def annotated(self, queryset: QuerySet[Treatment]) -> QuerySet[Treatment]:
        """Count options and webhooks."""
        return queryset.annotate(
            option_total=Count("options", distinct=True),
            webhook_total=Count("attachments", distinct=True)
            + Count("options__attachments", distinct=True),
        )

    @admin.display(description="options", ordering="option_total")
    def options(self, treatment: Any) -> int:
        """Return how many options callers have."""
        return int(treatment.option_total)

    @admin.display(description="webhooks", ordering="webhook_total")
    def webhooks(self, treatment: Any) -> int:
        """Return how many webhooks tell of it and its options."""
        return int(treatment.webhook_total)


@admin.register(TreatmentOption)
class TreatmentOptionAdmin(WarnsOfEmptyFields):
    """An option with its webhooks; reached from its treatment."""

    list_display = ["label", "key", "treatment", "destination"]
    list_select_related = ["treatment"]
    list_filter = ["treatment"]
    search_fields = ["label", "key", "treatment__name", "treatment__location__name"]
    fieldsets = [(None, {"fields": ["treatment", ("key", "label"), "destination"]})]
    inlines = [AttachmentInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep an option in its treatment."""
        declared = super().get_readonly_fields(request, obj)
        return declared if obj is None else [*declared, "treatment"]

    def following(self, row: TreatmentOption) -> str:
        """Return to the other options: there is no list of all of them to start from."""
        return reverse("admin:campaigns_treatment_change", args=[row.treatment_id])


@admin.register(TrackingNumber)
class TrackingNumberAdmin(AccountScopedAdmin):
    """Numbers that callers dial."""

    empty_text = "A number tells which campaign or menu a call belongs to."
    list_display = ["number", "label", "location", "campaign", "treatment"]
    list_filter = ["location", "campaign", "treatment"]
    list_select_related = ["location", "campaign", "treatment"]
    search_fields = ["number", "label"]
    search_help_text = "Number or label"
    fieldsets = [
        (None, {"fields": [("number", "label"), "location"]}),
        ("Leads to", {"fields": ["campaign", "treatment"]}),
    ]


@admin.register(Attachment)
class AttachmentAdmin(AccountScopedAdmin):
    """Webhooks where they are sent, in one list."""

    form = AttachmentForm
    empty_text = "Attach a webhook to a campaign, an option or a location."
    list_display = ["webhook", "place", "timing", "sends", "is_active"]
    list_filter = ["webhook", "timing", "is_active"]
    list_select_related = [
        *("webhook", "location"),
        *("campaign__location", "treatment__location", "option__treatment__location"),
    ]
    list_documents = ["conditions"]
    search_fields = ["webhook__name"]
    search_help_text = "Webhook"
    fieldsets = [
        (None, {"fields": ["webhook", "timing", "not_later_than_min", "is_active"]}),
        (
            "Where",
            {
                "fields": ["campaign", "option", "treatment", "location"],
                "description": "Choose one; none of them means every call of the account.",
            },
        ),
        ("Conditions", {"fields": ["only_for", "once_per_caller_h", "only_changes"]}),
        ("Waiting", {"fields": ["wait_for", "wait_min", "wait_skips"]}),
    ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Lead to a webhook that is not in the list yet, and back."""
        form = super().get_form(request, obj, change, **kwargs)
        if (webhook := form.base_fields.get("webhook")) and self.has_add_permission(request):
            query = urlencode({"next": request.get_full_path()})
            webhook.help_text = format_html(
                'Not in the list? <a class="hl-link" href="{}?{}">Add Webhook</a>',
                reverse("wizard"),
                query,
            )
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and say what may be missing."""
        super().save_model(request, obj, form, change)
        warn(request, obj)

    @admin.display(description="sends")
    def sends(self, attachment: Attachment) -> str:
        """Return for which calls it sends."""
        return attachment.in_words

    @admin.display(description="where")
    def place(self, attachment: Attachment) -> str:
        """Return where it is attached; places of several locations may have one name."""
        menu = attachment.option.treatment if attachment.option else attachment.treatment
        place = menu or attachment.campaign
        label = attachment.place_label
        return f"{label}, {place.location}" if place else label


class NumbersPanel(Panel):
    """The numbers of a location."""

    slug = "numbers"
    title = "Tracking numbers"
    template_name = "admin/accounts/location/numbers.html"

    def context(self, row: Location, access: Access) -> dict[str, Any]:
        """Return the numbers."""
        return {"numbers": row.tracking_numbers.select_related("campaign", "treatment")}


class CampaignsPanel(Panel):
    """The campaigns of a location."""

    slug = "campaigns"
    title = "Campaigns"
    template_name = "admin/accounts/location/campaigns.html"

    def context(self, row: Location, access: Access) -> dict[str, Any]:
        """Return the campaigns with what is attached to them."""
        return {
            "campaigns": row.campaigns.prefetch_related("tracking_numbers", "attachments__webhook")
        }


class TreatmentsPanel(Panel):
    """The call treatments of a location."""

    slug = "treatments"
    title = "Call treatments"
    template_name = "admin/accounts/location/treatments.html"

    def context(self, row: Location, access: Access) -> dict[str, Any]:
        """Return the treatments with their options and what is attached to them."""
        return {
            "treatments": row.treatments.prefetch_related(
                "attachments__webhook", "options__attachments__webhook"
            )
        }


admin.site.register(Import, ImportAdmin)
LocationAdmin.actions = [*(LocationAdmin.actions or ()), *APPLY_ACTIONS]  # type: ignore[misc]
LocationAdmin.panels = (*LocationAdmin.panels, CampaignsPanel, TreatmentsPanel, NumbersPanel)
