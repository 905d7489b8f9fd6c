"""The form of a webhook that gets Call.Complete."""

from typing import Any, ClassVar

from django import forms

from apps.common.admin.theme import Select
from apps.faces.forms.face import CALLS_OF, SUBMIT_TYPES, FaceForm
from apps.faces.models import CallComplete
from apps.faces.services import built_in
from apps.webhooks.models import Webhook


class CallCompleteForm(FaceForm):
    """A webhook that gets Call.Complete."""

    submit_type = forms.ChoiceField(label="Submit Type", choices=SUBMIT_TYPES[::-1], widget=Select)

    class Meta:
        model = CallComplete
        fields = ["name", "url", "is_active", "location"]
        labels: ClassVar[dict[str, str]] = {"name": "Name"}
        help_texts: ClassVar[dict[str, str]] = {
            "url": "Where Call.Complete is sent.",
            "location": CALLS_OF,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial.setdefault("submit_type", self.instance.method)

    def clean(self) -> dict[str, Any]:
        """Take over what is sent and how."""
        cleaned = super().clean() or {}
        self.method = Webhook.Method(cleaned.get("submit_type") or "POST")
        key = "call_complete_get" if self.method == Webhook.Method.GET else "call_complete"
        self.sent = built_in(key, name=f"Call.Complete: {cleaned.get('name', '')}")
        return cleaned
