"""The forms of the steps."""

import base64
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account, Group, Location
from apps.common.access import Access, Role
from apps.common.admin.theme import NumberInput, Select, Textarea, TextInput
from apps.webhooks.extraction import SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.forms import SuccessCodesField, WebhookForm
from apps.webhooks.gallery import GALLERY
from apps.webhooks.headers import InvalidHeader, check_header, is_secret_header
from apps.webhooks.models import Template, TemplateFormat, Webhook
from apps.webhooks.services import check_sample, check_target
from apps.webhooks.sharing import templates_for
from apps.webhooks.wizard.answers import Answers, Choice
from apps.webhooks.wizard.drafts import MORE_FIELDS, Headers

_CHOICES = [
    (Choice.EXISTING.value, "Existing Templates"),
    (Choice.CREATE.value, "Create Template"),
    (Choice.GALLERY.value, "From the gallery"),
]
AUTHORIZATION = "Authorization"
MOST_HEADERS = 30


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
        widget=Select,
        help_text="Who can use it. All: any location of the account.",
    )
    template = forms.ChoiceField(
        label="Template",
        required=False,
        widget=Select,
        help_text="The templates available to your group.",
    )
    gallery = forms.ChoiceField(
        label="Template of the gallery",
        required=False,
        widget=Select,
        help_text="It is copied to your account, and you can change everything. Without a URL it"
        " takes the one that it brings.",
    )

    def __init__(
        self,
        *args: Any,
        account: Account,
        access: Access,
        saved: Headers = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
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
        chosen = self._locations.get(str(self.initial.get("location") or ""))
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
        url = check_target(url=url)
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
        return cleaned

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


class SampleStep(forms.Form):
    """The sample from which the fields are found, of a format that is fixed."""

    sample = forms.CharField(
        label="Template Format",
        strip=False,
        widget=Textarea(
            attrs={"rows": 14, "class": "hl-code", "spellcheck": "false", "wrap": "off"}
        ),
        help_text="Paste an example of what the receiver expects. Its fields are found for you;"
        " %tokens% in it are understood.",
    )

    def __init__(self, *args: Any, format_: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._format = format_
        self.bad_line: tuple[int, int, str] | None = None

    def clean(self) -> dict[str, Any]:
        """Refuse a sample that is not usable, and say where."""
        cleaned = super().clean() or {}
        sample, format_ = cleaned.get("sample"), cleaned.get("format") or self._format
        if not sample or not format_:
            return cleaned
        try:
            extract(sample, Format(format_))
        except SampleError as error:
            self.bad_line = (error.line, error.column, _line_of(sample, error))
            message = f"Line {error.line}, column {error.column}: {error.message}"
            self.add_error("sample", message)
            return cleaned
        try:
            check_sample(sample=sample, template_format=format_)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


class TemplateStep(SampleStep):
    """A new template: its sample, what it is called, and who else can use it."""

    title = forms.CharField(
        label="Template Name",
        max_length=120,
        widget=TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="The name of your custom template.",
    )
    group = forms.ChoiceField(
        label="Template Group", required=False, widget=Select, help_text="Who else can use it."
    )
    format = forms.ChoiceField(label="Template Type", choices=TemplateFormat.choices, widget=Select)
    CLIENTS: ClassVar[str] = "clients"

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = account
        choices = [("", "Whole account")]
        choices += [(str(row.pk), row.name) for row in Group.objects.filter(account=account)]
        if account.is_agency:
            choices.append((self.CLIENTS, "All client accounts"))
        group = self.fields["group"]
        assert isinstance(group, forms.ChoiceField)  # noqa: S101 - tells the type checker
        group.choices = choices

    def clean_title(self) -> str:
        """Refuse a name that another template has."""
        name = str(self.cleaned_data["title"])
        if Template.objects.filter(account=self._account, name=name).exists():
            raise ValidationError("The account has a template of this name already.")
        return name


def _line_of(sample: str, error: SampleError) -> str:
    """The offending line, cut around the place."""
    lines = sample.removeprefix("\ufeff").split("\n")
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    return line.rstrip("\r") if len(line) <= 200 else error.snippet


class AdvancedStep(forms.Form):
    """How it is sent. Saved header values are never shown again."""

    method = forms.ChoiceField(
        label="HTTP Method", choices=Webhook.Method.choices, widget=forms.RadioSelect
    )
    success_codes = SuccessCodesField(
        label="Success response code",
        help_text="Any other answer counts as a failure and is tried again.",
    )
    timeout_s = forms.IntegerField(
        label="Time-out, seconds",
        min_value=1,
        max_value=60,
        widget=NumberInput,
        help_text="For the whole request: 1 to 60.",
    )
    auth = forms.ChoiceField(label="Authentication", widget=Select)
    auth_user = forms.CharField(label="User name", required=False, max_length=500, widget=TextInput)
    auth_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        max_length=1000,
        widget=TextInput(attrs={"type": "password", "autocomplete": "new-password"}),
    )
    auth_header = forms.CharField(
        label="Header",
        required=False,
        max_length=128,
        widget=TextInput(attrs={"placeholder": "X-Api-Key", "autocomplete": "off"}),
    )
    auth_value = forms.CharField(
        label="Its value",
        required=False,
        max_length=4000,
        widget=TextInput(attrs={"type": "password", "autocomplete": "new-password"}),
    )
    auth_token = forms.CharField(
        label="Bearer token",
        required=False,
        max_length=4000,
        widget=TextInput(attrs={"type": "password", "autocomplete": "new-password"}),
    )

    def __init__(
        self, *args: Any, answers: Answers, format_: str, saved: Headers, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._format = format_
        self._saved = {name.lower(): value for name, value in saved}
        self.has_saved_auth = AUTHORIZATION.lower() in self._saved
        auth = self.fields["auth"]
        assert isinstance(auth, forms.ChoiceField)  # noqa: S101 - tells the type checker
        keep = [("keep", "As saved")] if self.has_saved_auth else []
        auth.choices = [
            *keep,
            ("none", "None"),
            ("basic", "Basic"),
            ("bearer", "Bearer token"),
            ("header", "Header"),
        ]
        self.rows = self._posted_rows() if self.is_bound else _rows_of(saved)
        self.headers: list[tuple[str, str]] = []

    def clean_method(self) -> str:
        """Refuse a GET of what has a body."""
        method = str(self.cleaned_data["method"])
        if method == Webhook.Method.GET and self._format != TemplateFormat.QUERY:
            raise ValidationError(
                "GET carries no body: use POST, or a template of the type URL query."
            )
        return method

    def clean(self) -> dict[str, Any]:
        """Read the headers; what is wrong with one is said beside it."""
        cleaned = super().clean() or {}
        self.headers = []
        seen: set[str] = set()
        for row in self.rows:
            name, value = row["name"], row["value"]
            if not name and not value:
                continue
            is_kept = not value and is_secret_header(name) and name.lower() in self._saved
            value = self._saved[name.lower()] if is_kept else value
            row["is_saved"] = is_kept
            try:
                check_header(name, value)
                if name.lower() in seen:
                    raise InvalidHeader("name", f"{name} is there twice.")
            except InvalidHeader as error:
                row["error"] = str(error)
                self.add_error(None, f"{name or 'A header'}: {error}")
            seen.add(name.lower())
            self.headers.append((name, value))
        if (credentials := self._credentials(cleaned)) is not None:
            name, _ = credentials
            if name.lower() in seen:
                self.add_error("auth", f"There is a header {name} already; keep one.")
            else:
                self.headers.append(credentials)
        return cleaned

    def _credentials(self, cleaned: dict[str, Any]) -> tuple[str, str] | None:
        """The header that authenticates, and its value."""
        if cleaned.get("auth") == "header":
            return self._own_header(cleaned)
        value = self._authorization(cleaned)
        return None if value is None else (AUTHORIZATION, value)

    def _own_header(self, cleaned: dict[str, Any]) -> tuple[str, str]:
        name, value = cleaned.get("auth_header") or "", cleaned.get("auth_value") or ""
        if not value:
            self.add_error("auth_value", "Enter the value.")
        try:
            check_header(name, value)
        except InvalidHeader as error:
            self.add_error("auth_header" if error.field == "name" else "auth_value", str(error))
        return name, value

    def _authorization(self, cleaned: dict[str, Any]) -> str | None:
        match cleaned.get("auth"):
            case "keep":
                return self._saved.get(AUTHORIZATION.lower())
            case "basic":
                user, password = cleaned.get("auth_user") or "", cleaned.get("auth_password") or ""
                if not user or ":" in user:
                    self.add_error("auth_user", "A user name, without a colon.")
                return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
            case "bearer":
                if not (token := (cleaned.get("auth_token") or "").strip()):
                    self.add_error("auth_token", "Enter the token.")
                return f"Bearer {token}"
        return None

    def _posted_rows(self) -> list[dict[str, Any]]:
        names = self.data.getlist("header-name")[:MOST_HEADERS]  # type: ignore[attr-defined]
        values = self.data.getlist("header-value")[:MOST_HEADERS]  # type: ignore[attr-defined]
        return [
            {"name": name.strip(), "value": value.strip()}
            for name, value in zip(names, values, strict=False)
        ]


class MoreStep(WebhookForm):
    """The rarer settings of the Advanced step: signature, tries and limits."""

    success_codes = None  # type: ignore[assignment]

    class Meta(WebhookForm.Meta):
        fields = [name for name in MORE_FIELDS if name != "retry_waits_s"]

    field_order = ["retry_preset", "retry_waits", *MORE_FIELDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "hl-input")

    @property
    def answers(self) -> dict[str, Any]:
        """What a draft keeps of it, by the names of the webhook's columns."""
        return {name: getattr(self.instance, name) for name in MORE_FIELDS}


def _rows_of(headers: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The headers as they are shown: the value of a secret one is not."""
    return [
        {
            "name": name,
            "value": "" if is_secret_header(name) else value,
            "is_saved": is_secret_header(name),
        }
        for name, value in headers
        if name != AUTHORIZATION
    ]
