"""The form of call notifications."""

import secrets
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.calls.events import Timing
from apps.common.admin.theme import CheckboxSelectMultiple, TextInput
from apps.common.fields import is_kept
from apps.faces.forms.face import CALLS_OF, FaceForm
from apps.faces.models import CallNotification
from apps.faces.services import active_moments
from apps.webhooks.headers import InvalidHeader, check_header
from apps.webhooks.models import Webhook
from apps.webhooks.secrets import MAX_TEXT, InvalidSecret, new_signing_secret
from apps.webhooks.services import own_secret

SIGNATURE_HEADER, KEY_HEADER, SOURCE_HEADER = "ms-signature", "x-PublicKey", "x-Source-system"
NOTIFICATIONS = [
    (Timing.BEGIN.value, "Call Start, when a call comes in"),
    (Timing.END.value, "Call Preprocessed, right after its end"),
    (Timing.UPDATED.value, "Call Processed, when it is changed later"),
]


class CallNotificationForm(FaceForm):
    """Call notifications: where they go, which of them, and how they are signed."""

    events = forms.MultipleChoiceField(
        label="Notifications",
        choices=NOTIFICATIONS,
        initial=[timing for timing, _ in NOTIFICATIONS],
        widget=CheckboxSelectMultiple,
    )
    signing_key = forms.CharField(
        label="Signing key",
        required=False,
        max_length=MAX_TEXT,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="The secret of ms-signature. Paste the one that the receiver has; empty: one is"
        " made.",
    )
    source_system = forms.CharField(
        label="Source system",
        max_length=200,
        initial="Hookline",
        widget=TextInput,
        help_text="Sent as x-Source-system.",
    )

    class Meta:
        model = CallNotification
        fields = ["name", "url", "is_active", "location", "key_id"]
        labels: ClassVar[dict[str, str]] = {
            "name": "Name",
            "url": "Callback URL",
            "key_id": "Public key",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "url": "Where notifications are sent, by POST.",
            "key_id": "Sent as x-PublicKey. Empty: one is made.",
            "location": CALLS_OF,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        webhook = self.instance
        if webhook._state.adding or "events" not in self.fields:
            return
        placeholder = "•••••••• saved; type to replace"
        self.fields["signing_key"].widget.attrs["placeholder"] = placeholder
        sources = [each.value for each in webhook.headers.all() if each.name == SOURCE_HEADER]
        self.initial["source_system"] = sources[0] if sources else ""
        self.initial["events"] = active_moments(webhook)

    def clean_signing_key(self) -> str:
        """Refuse what can not be the key of a signature."""
        key = str(self.cleaned_data["signing_key"])
        try:
            return key and own_secret(Webhook.Signature.HEX_UPPER, key)
        except InvalidSecret as error:
            raise ValidationError(str(error)) from None

    def clean_source_system(self) -> str:
        """Refuse what is no value of a header."""
        value = str(self.cleaned_data["source_system"])
        try:
            check_header(SOURCE_HEADER, value)
        except InvalidHeader as error:
            raise ValidationError(str(error)) from None
        return value

    def clean(self) -> dict[str, Any]:
        """Make what is left empty."""
        cleaned = super().clean() or {}
        cleaned["key_id"] = cleaned.get("key_id") or secrets.token_hex(16).upper()
        webhook = self.instance
        if (key := cleaned.get("signing_key")) or not is_kept(webhook, "secret"):
            webhook.secret = key or new_signing_secret()
        webhook.signature = Webhook.Signature.HEX_UPPER
        webhook.signature_header, webhook.key_id_header = SIGNATURE_HEADER, KEY_HEADER
        return cleaned
