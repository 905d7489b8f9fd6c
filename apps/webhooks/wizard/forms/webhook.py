"""The form of the Webhook step."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from apps.accounts.models import Account, Location
from apps.common.access import Access, Role
from apps.common.admin.choosing import RowSelect
from apps.common.admin.theme import SearchableSelect, TextInput
from apps.webhooks.gallery import GALLERY
from apps.webhooks.headers import is_secret_header
from apps.webhooks.models import Template
from apps.webhooks.services import check_receiver
from apps.webhooks.sharing import templates_for
from apps.webhooks.wizard.answers import Choice
from apps.webhooks.wizard.drafts import Headers

_CHOICES = [
    (Choice.EXISTING.value, "Existing Templates"),
    (Choice.CREATE.value, "Create Template"),
    (Choice.GALLERY.value, "From the gallery"),
]


class WebhookStep(forms.Form):
    """What it is called, where it is sent, and what it is made with."""

    choice = forms.ChoiceField(label="Make it with", choices=_CHOICES, widget=forms.RadioSelect)
    name = forms.CharField(
        label="Webhook Name",
        max_length=120,
        widget=TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="What you would like the webhook to be called.",
    )
    url = forms.CharField(
        label="URL",
        required=False,
        max_length=2048,
        widget=TextInput(attrs={"inputmode": "url", "placeholder": "https://", "spellcheck": "no"}),
        help_text="The endpoint the events will be sent to.",
    )
    location = forms.ModelChoiceField(
        Location.objects.none(),
        label="Location",
        required=False,
        empty_label="All locations",
        widget=RowSelect,
        help_text="Who can use it. All: any location of the account.",
    )
    template = forms.ModelChoiceField(
        Template.objects.none(),
        label="Template",
        required=False,
        empty_label="Choose a template",
        widget=RowSelect,
        help_text="The templates available to your group.",
    )
    gallery = forms.ChoiceField(
        label="Template of the gallery",
        required=False,
        widget=SearchableSelect,
        help_text="It is copied to your account, and you can change everything. Without a URL it"
        " takes the one that it brings.",
    )
    replaces = forms.BooleanField(
        label="Replace my sample and its fields by this template",
        required=False,
        widget=forms.CheckboxInput,
    )

    def __init__(
        self,
        *args: Any,
        account: Account,
        access: Access,
        saved: Headers = (),
        has_own_sample: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._has_own_sample = has_own_sample
        self.asks_to_replace = False
        self._has_secrets = any(value and is_secret_header(name) for name, value in saved)
        self._is_admin = access.has_role(Role.ADMIN, account.pk)
        self.chosen_location: Location | None = None
        self._template: Template | None = None
        self._offer_rows(account, access)
        gallery: Any = self.fields["gallery"]
        entries = [(entry.key, f"{entry.name}: {entry.purpose}") for entry in GALLERY.values()]
        gallery.choices = [("", "Choose a template"), *entries]

    def _offer_rows(self, account: Account, access: Access) -> None:
        """Offer the account's locations, and the templates that the chosen one may use."""
        location: Any = self.fields["location"]
        template: Any = self.fields["template"]
        location.queryset = Location.objects.filter(account=account)
        rows = templates_for([account.pk], access).filter(current_version__isnull=False)
        if self.initial.get("choice") == Choice.EXISTING.value and not rows.exists():
            self.initial["choice"] = Choice.CREATE.value
        try:
            chosen = location.clean(self["location"].value())
        except ValidationError:
            chosen = None
        if chosen is not None:
            rows = rows.filter(Q(group=None) | Q(group=chosen.group_id))
        template.queryset = rows.select_related("group", "account").order_by("name")
        template.label_from_instance = lambda each: _template_label(each, account)

    def clean_location(self) -> str:
        """Return the key, as answers keep it."""
        self.chosen_location = self.cleaned_data["location"]
        return str(self.chosen_location.pk) if self.chosen_location else ""

    def clean_template(self) -> str:
        """Return the key, as answers keep it."""
        self._template = self.cleaned_data["template"]
        return str(self._template.pk) if self._template else ""

    def clean_url(self) -> str:
        """Refuse an address that webhooks may not go to; the gallery knows some by itself."""
        url = self.cleaned_data["url"].strip()
        if not url and self.cleaned_data.get("choice") == Choice.GALLERY:
            entry = GALLERY.get(self.data.get("gallery", ""))
            url = entry.url if entry else ""
        if not url:
            raise ValidationError("Say where it is sent.")
        url = check_receiver(url=url)
        was_safe = str(self.initial.get("url", "")).lower().startswith("https:")
        if was_safe and url.startswith("http:") and self._has_secrets and not self._is_admin:
            raise ValidationError(
                "Saved header values would go without TLS; only an admin may do that. Remove them"
                " in the advanced settings first."
            )
        return url

    def clean(self) -> dict[str, Any]:
        """Ask for the template that the choice needs, and for one that the location may use."""
        cleaned = super().clean() or {}
        match cleaned.get("choice"):
            case Choice.EXISTING:
                self._check_template(cleaned)
            case Choice.GALLERY if not cleaned.get("gallery") and "gallery" not in self.errors:
                self.add_error("gallery", "Choose a template of the gallery.")
            case Choice.GALLERY:
                self._check_replaced(cleaned)
        return cleaned

    def _check_replaced(self, cleaned: dict[str, Any]) -> None:
        is_other = cleaned.get("gallery") != self.initial.get("gallery")
        self.asks_to_replace = self._has_own_sample and is_other and "gallery" not in self.errors
        if self.asks_to_replace and not cleaned.get("replaces"):
            self.add_error(
                "gallery",
                "The sample that you pasted, and what you chose for its fields, would be lost."
                " Tick the box to replace them, or choose “Create Template” to keep them.",
            )

    def _check_template(self, cleaned: dict[str, Any]) -> None:
        template = self._template
        if template is None:
            if "template" not in self.errors:
                self.add_error("template", "Choose a template, or create one.")
            return
        location = self.chosen_location
        if template.group_id and (location is None or location.group_id != template.group_id):
            self.add_error("template", f"This template is for locations of {template.group} only.")


def _template_label(template: Template, account: Account) -> str:
    notes = [template.get_format_display()]
    if template.group:
        notes.append(f"{template.group} only")
    if template.account_id != account.pk:
        notes.append(f"shared by {template.account}")
    return f"{template.name} ({', '.join(notes)})"
