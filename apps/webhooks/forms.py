"""Forms of templates and webhooks."""

import datetime as dt
import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.common.access import Access
from apps.common.admin import AccountScopedForm, AccountScopedFormSet
from apps.common.admin.theme import CheckboxSelectMultiple, Select, Textarea, TextInput
from apps.common.fields import is_kept
from apps.webhooks.changing import checked_url
from apps.webhooks.headers import MOST_HEADERS, TOO_MANY, InvalidHeader, check_is_new
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.schedules import (
    DEFAULT_SUCCESS_CODES,
    PRESETS,
    InvalidSchedule,
    parse_waits,
    waits_in_words,
)
from apps.webhooks.services import check_sample

_CODE_SEPARATOR = re.compile(r"[\s,;]+")


class TemplateForm(AccountScopedForm):
    """A template with its current sample; a changed sample becomes a new version."""

    access: ClassVar[Access]

    sample = forms.CharField(
        label="Template format",
        strip=False,
        widget=Textarea(attrs={"rows": 14, "class": "hl-code", "spellcheck": "false"}),
        help_text="A sample of the payload. Put %tokens% where values of the call belong, as"
        ' {"phone": "%ani%"}.',
    )

    class Meta:
        model = Template
        fields = ["name", "format", "group", "is_shared_with_clients"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.instance.current_version
        if version is not None and "sample" in self.fields:
            self.fields["sample"].initial = version.sample

    def clean(self) -> dict[str, Any]:
        """Refuse a sample that can not be used, and sharing by what is no agency."""
        cleaned = super().clean() or {}
        chosen = cleaned.get("format") or self.instance.format
        if cleaned.get("sample") and chosen:
            try:
                check_sample(sample=cleaned["sample"], template_format=chosen)
            except ValidationError as error:
                self.add_error(None, error)
        account = cleaned.get("account")
        account_id = account.pk if account else self.instance.account_id
        reachable = self.access.accounts.get(account_id)
        if cleaned.get("is_shared_with_clients") and not (reachable and reachable.is_agency):
            self.add_error("is_shared_with_clients", "Only agencies have clients to share with.")
        return cleaned


class SuccessCodesWidget(forms.MultiWidget):
    """Check boxes for the usual codes, a text for others."""

    def __init__(self) -> None:
        usual = [(code, str(code)) for code in DEFAULT_SUCCESS_CODES]
        super().__init__(
            {
                "usual": CheckboxSelectMultiple(choices=usual),
                "others": TextInput(
                    attrs={"placeholder": "Others, as 206, 302", "aria-label": "Other codes"}
                ),
            }
        )

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Split saved codes; what was posted is split already."""
        is_posted = isinstance(value, list) and any(isinstance(part, list) for part in value)
        return super().get_context(name, value if is_posted else self.decompress(value), attrs)

    def decompress(self, value: Any) -> list[Any]:
        """Split codes into usual ones and others."""
        codes = list(value or [])
        others = [str(code) for code in codes if code not in DEFAULT_SUCCESS_CODES]
        return [[code for code in codes if code in DEFAULT_SUCCESS_CODES], ", ".join(others)]


class SuccessCodesField(forms.MultiValueField):
    """Response codes that count as delivered: a sorted list of numbers, at least one."""

    widget = SuccessCodesWidget

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        usual = [(code, str(code)) for code in DEFAULT_SUCCESS_CODES]
        super().__init__(
            (
                forms.TypedMultipleChoiceField(choices=usual, coerce=int, required=False),
                forms.CharField(required=False, max_length=200),
            ),
            require_all_fields=False,
            **kwargs,
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare code by code."""
        return super().has_changed(SuccessCodesWidget().decompress(initial), data)

    def compress(self, data_list: list[Any]) -> list[int]:
        """Return the codes; refuse what is no HTTP status."""
        usual, others = data_list or ([], "")
        codes = set(usual)
        for text in filter(None, _CODE_SEPARATOR.split(others or "")):
            if not (text.isascii() and text.isdigit() and 100 <= int(text) <= 599):
                raise ValidationError(f"“{text}” is not a response code from 100 to 599.")
            codes.add(int(text))
        if not codes:
            raise ValidationError("Choose at least one code, else nothing counts as delivered.")
        return sorted(codes)


# Left empty, these are as they are for everybody.
WITH_DEFAULTS = {
    "rate_unit": Webhook.RateUnit.SECOND,
    "signature": "standard",
}
OWN_SCHEDULE = "own"
SCHEDULES = [
    ("standard", "13 tries in about 4 days"),
    ("patient", "17 tries in about 8 days"),
    ("quick", "6 tries in about 45 minutes"),
    ("once", "One try only"),
    (OWN_SCHEDULE, "Waits of your own"),
]


def chosen_schedule(waits_s: list[int] | None) -> tuple[str, str]:
    """Return the preset that these waits are, and the waits in words if they are none."""
    if waits_s is None:
        return "standard", ""
    for name, preset in PRESETS.items():
        if tuple(waits_s) == preset:
            return name, ""
    return OWN_SCHEDULE, waits_in_words(waits_s)


class WebhookForm(AccountScopedForm):
    """A webhook; its address is looked up and judged when it is saved."""

    access: ClassVar[Access]

    success_codes = SuccessCodesField(
        label="Success response codes",
        help_text="Any other answer counts as a failure and is tried again.",
    )
    retry_preset = forms.ChoiceField(
        label="Tries after a failure", choices=SCHEDULES, required=False, widget=Select
    )
    retry_waits = forms.CharField(
        label="Waits of your own",
        required=False,
        max_length=300,
        widget=TextInput(attrs={"placeholder": "5s, 2m, 1h, 1d"}),
        help_text="The wait before each further try: 30 at most, 8 days in all.",
    )

    class Meta:
        model = Webhook
        fields = [
            "name",
            "location",
            "url",
            "template",
            "method",
            "success_codes",
            "timeout_s",
            "body_contains",
            "rate_limit",
            "rate_unit",
            "concurrency",
            "signature",
            "signature_header",
            "key_id_header",
            "key_id",
            "is_active",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "success_codes" in self.fields and self.instance._state.adding:
            self.fields["success_codes"].initial = list(DEFAULT_SUCCESS_CODES)
        for name in WITH_DEFAULTS.keys() & self.fields.keys():
            self.fields[name].required = False
        if "retry_preset" in self.fields:
            preset, waits = chosen_schedule(self.instance.retry_waits_s)
            self.fields["retry_preset"].initial = preset
            self.fields["retry_waits"].initial = waits

    def clean(self) -> dict[str, Any]:
        """Take the schedule over, which is stored as a list of waits."""
        cleaned = super().clean() or {}
        for name in WITH_DEFAULTS.keys() & cleaned.keys():
            cleaned[name] = cleaned[name] or WITH_DEFAULTS[name]
        preset = cleaned.get("retry_preset")
        if preset == OWN_SCHEDULE:
            try:
                self.instance.retry_waits_s = list(parse_waits(cleaned.get("retry_waits") or ""))
            except InvalidSchedule as error:
                self.add_error("retry_waits", str(error))
        elif preset:
            self.instance.retry_waits_s = None if preset == "standard" else list(PRESETS[preset])
        return cleaned

    def clean_url(self) -> str:
        """Refuse an address that Hookline may not send to; keep the spelling it sends."""
        return checked_url(
            self.cleaned_data["url"],
            webhook=self.instance,
            before=self.initial.get("url", ""),
            access=self.access,
        )


class HeaderForm(AccountScopedForm):
    """A header; the value of a secret one is never shown again, and kept when left empty."""

    value = forms.CharField(required=False, max_length=4096, strip=True, widget=TextInput)

    class Meta:
        model = WebhookHeader
        fields = ["name", "value"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_saved = not self.instance._state.adding
        self._is_kept = is_saved and self.instance.is_secret and is_kept(self.instance, "value")
        if self._is_kept and "value" in self.fields:
            self.initial["value"] = ""
            self.fields["value"].widget.attrs["placeholder"] = "•••••••• saved; type to replace"

    def clean(self) -> dict[str, Any]:
        """Keep a saved secret where nothing was typed, but never under another name."""
        cleaned = super().clean() or {}
        if self._is_kept and not cleaned.get("value"):
            if "name" in self.changed_data:
                self.add_error("value", "Type the value again: it is not kept under another name.")
            cleaned.pop("value", None)
        return cleaned


class HeaderFormSet(AccountScopedFormSet):
    """The headers of a webhook, each of another name."""

    def clean(self) -> None:
        """Refuse a name that is there twice, and more headers than a webhook may have."""
        super().clean()
        kept: list[str] = []
        for form in self.forms:
            if form in self.deleted_forms or not (name := form.cleaned_data.get("name")):
                continue
            try:
                check_is_new(name, kept)
            except InvalidHeader as error:
                form.add_error(error.field, str(error))
            kept.append(name)
        if len(kept) > MOST_HEADERS:
            raise ValidationError(TOO_MANY)


class RotateForm(forms.Form):
    """For how long a replaced secret signs along, and what replaces it."""

    keep = forms.TypedChoiceField(
        label="The old secret signs along for",
        choices=[(24, "24 hours"), (168, "7 days"), (72, "3 days"), (0, "no time: others know it")],
        coerce=lambda hours: dt.timedelta(hours=int(hours)),
        widget=Select,
    )
    secret = forms.CharField(
        label="A secret of your own",
        required=False,
        strip=False,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Empty: a new one is made, which is best.",
    )
    key_id = forms.CharField(
        label="Key id of the new secret",
        required=False,
        max_length=128,
        widget=TextInput,
        help_text="By which the receiver tells the new key from the old.",
    )

    def __init__(self, *args: Any, webhook: Webhook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if webhook.signature in Webhook.HEX_SIGNATURES and webhook.key_id_header:
            self.fields["key_id"].initial = webhook.key_id
        else:
            del self.fields["key_id"]
