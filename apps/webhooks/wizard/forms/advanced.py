"""The forms of the Advanced step."""

import base64
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.common.admin.theme import NumberInput, Select, TextInput
from apps.webhooks.forms import SuccessCodesField, WebhookForm
from apps.webhooks.headers import (
    MOST_HEADERS,
    TOO_MANY,
    InvalidHeader,
    check_header,
    check_is_new,
    is_secret_header,
)
from apps.webhooks.models import TemplateFormat, Webhook
from apps.webhooks.wizard.drafts import MORE_FIELDS, Headers

AUTHORIZATION = "Authorization"
_AUTH_CHOICES = [
    ("none", "None"),
    ("basic", "Basic"),
    ("bearer", "Bearer token"),
    ("header", "Header"),
]
_CREDENTIALS = {"auth", "auth_user", "auth_password", "auth_header", "auth_value", "auth_token"}


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

    def __init__(self, *args: Any, format_: str, saved: Headers, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._format = format_
        self._saved = {name.lower(): value for name, value in saved}
        has_saved_auth = AUTHORIZATION.lower() in self._saved
        self.initial.setdefault("auth", "keep" if has_saved_auth else "none")
        self._offer_auth(has_saved=has_saved_auth)
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

    def clean_success_codes(self) -> list[int]:
        """Refuse more codes than a webhook has room for."""
        codes: list[int] = self.cleaned_data["success_codes"]
        Webhook._meta.get_field("success_codes").run_validators(codes)
        return codes

    def clean(self) -> dict[str, Any]:
        """Read the headers; what is wrong with one is said beside it.

        `headers` has all that were typed, right or wrong, and credentials only if they are right.
        """
        cleaned = super().clean() or {}
        self.headers = []
        for row in self.rows:
            if row["name"] or row["value"]:
                self._take(row)
        credentials = self._credentials(cleaned)
        if credentials is not None and not self.errors.keys() & _CREDENTIALS:
            name, _ = credentials
            try:
                check_is_new(name, self._names())
            except InvalidHeader as error:
                self.add_error("auth", str(error))
            else:
                self.headers.append(credentials)
        if len(self.headers) > MOST_HEADERS:
            self.add_error(None, TOO_MANY)
        return cleaned

    def show_credentials_as_saved(self) -> None:
        """Show those that are right as saved; their fields do not come back from a browser."""
        if self.errors.keys() & _CREDENTIALS:
            return
        posted = self.data.copy()  # type: ignore[attr-defined]
        if posted.get("auth") in ("basic", "bearer", "header"):
            # A header of one's own is a row like others, unless it is the usual one.
            rows = _rows_of(self.headers[-1:])
            self.rows += rows
            self._offer_auth(has_saved=not rows)
            posted["auth"] = "none" if rows else "keep"
        self.data = posted

    def _offer_auth(self, *, has_saved: bool) -> None:
        auth = self.fields["auth"]
        assert isinstance(auth, forms.ChoiceField)  # noqa: S101 - tells the type checker
        auth.choices = [*([("keep", "As saved")] if has_saved else []), *_AUTH_CHOICES]

    def _take(self, row: dict[str, Any]) -> None:
        name, value = row["name"], row["value"]
        is_kept = not value and is_secret_header(name) and name.lower() in self._saved
        value = self._saved[name.lower()] if is_kept else value
        row["is_saved"] = is_kept
        try:
            check_header(name, value)
            check_is_new(name, self._names())
        except InvalidHeader as error:
            row["error"] = str(error)
            self.add_error(None, f"{name or 'A header'}: {error}")
        self.headers.append((name, value))

    def _names(self) -> list[str]:
        return [name for name, _ in self.headers]

    def _credentials(self, cleaned: dict[str, Any]) -> tuple[str, str] | None:
        """The header that authenticates, and its value."""
        match cleaned.get("auth"):
            case "keep":
                return AUTHORIZATION, self._saved[AUTHORIZATION.lower()]
            case "basic":
                user, password = cleaned.get("auth_user") or "", cleaned.get("auth_password") or ""
                if not user or ":" in user:
                    self.add_error("auth_user", "A user name, without a colon.")
                pair = base64.b64encode(f"{user}:{password}".encode()).decode()
                return AUTHORIZATION, f"Basic {pair}"
            case "bearer":
                token = (cleaned.get("auth_token") or "").strip()
                return self._checked(AUTHORIZATION, f"Bearer {token}", token, "auth_token")
            case "header":
                value = cleaned.get("auth_value") or ""
                name = cleaned.get("auth_header") or ""
                return self._checked(name, value, value, "auth_value")
        return None

    def _checked(self, name: str, value: str, typed: str, field: str) -> tuple[str, str]:
        """The header; what is wrong with it is said beside the field of its value, or its name."""
        if not typed and field not in self.errors:
            self.add_error(field, "Enter it.")
        try:
            check_header(name, value)
        except InvalidHeader as error:
            self.add_error("auth_header" if error.field == "name" else field, str(error))
        return name, value

    def _posted_rows(self) -> list[dict[str, Any]]:
        names = self.data.getlist("header-name")  # type: ignore[attr-defined]
        values = self.data.getlist("header-value")  # type: ignore[attr-defined]
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
        if name.lower() != AUTHORIZATION.lower()
    ]
