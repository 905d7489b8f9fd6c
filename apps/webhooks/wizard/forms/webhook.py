"""The form of the Webhook step."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account, Location
from apps.common.access import Access, Role
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
    location = forms.ChoiceField(
        label="Location",
        required=False,
        widget=SearchableSelect,
        help_text="Who can use it. All: any location of the account.",
    )
    template = forms.ChoiceField(
        label="Template",
        required=False,
        widget=SearchableSelect,
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
        self._locations = {
            str(location.pk): location for location in Location.objects.filter(account=account)
        }
        self._templates = {
            str(template.pk): template
            for template in templates_for([account.pk], access)
            .filter(current_version__isnull=False)
            .select_related("group", "account")
            .order_by("name")
        }
        if not self._templates and self.initial.get("choice") == Choice.EXISTING.value:
            self.initial["choice"] = Choice.CREATE.value
        chosen = self._locations.get(str(self["location"].value() or ""))
        self._offer("location", [("", "All locations"), *self._names(self._locations)])
        self._offer(
            "template",
            [
                ("", "Choose a template"),
                *(
                    (key, _template_label(template, account))
                    for key, template in self._templates.items()
                    if chosen is None or template.group_id in (None, chosen.group_id)
                ),
            ],
        )
        self._offer(
            "gallery",
            [
                ("", "Choose a template"),
                *((entry.key, f"{entry.name}: {entry.purpose}") for entry in GALLERY.values()),
            ],
        )

    @property
    def chosen_location(self) -> Location | None:
        """The location that was chosen."""
        return self._locations.get(self.cleaned_data.get("location") or "")

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
        template = self._templates.get(cleaned.get("template") or "")
        if template is None:
            if "template" not in self.errors:
                self.add_error("template", "Choose a template, or create one.")
            return
        location = self.chosen_location
        if template.group_id and (location is None or location.group_id != template.group_id):
            self.add_error("template", f"This template is for locations of {template.group} only.")

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = choices

    @staticmethod
    def _names(rows: dict[str, Location]) -> list[tuple[str, str]]:
        return [(key, str(row)) for key, row in rows.items()]


def _template_label(template: Template, account: Account) -> str:
    notes = [template.get_format_display()]
    if template.group:
        notes.append(f"{template.group} only")
    if template.account_id != account.pk:
        notes.append(f"shared by {template.account}")
    return f"{template.name} ({', '.join(notes)})"
