"""Forms of attachments."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import ModelChoiceField

from apps.campaigns.condition_field import ConditionsField
from apps.campaigns.models import Attachment, TreatmentOption
from apps.common.admin import AccountScopedForm
from apps.webhooks.models import Webhook

# How each place is found by its location.
_LOCATED_BY = {
    "campaign": "location",
    "treatment": "location",
    "option": "treatment__location",
    "location": "pk",
}


class AttachmentForm(AccountScopedForm):
    """A webhook and where it is sent; a webhook of one location offers that location's places."""

    only_for = ConditionsField(label="Only for calls that", required=False)

    class Meta:
        model = Attachment
        fields = ["webhook", "timing", "campaign", "option", "treatment", "location"]
        fields += ["not_later_than_min", "once_per_caller_h", "wait_for", "wait_min"]
        fields += ["wait_skips", "only_changes", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "only_for" in self.fields:
            self.initial["only_for"] = self.instance.conditions
        webhook = self._chosen_webhook()
        if option := self.fields.get("option"):
            rows = option.queryset.select_related("treatment__location")  # type: ignore[attr-defined]
            option.queryset = rows.order_by("treatment__location__name", "treatment", "key")  # type: ignore[attr-defined]
            option.label_from_instance = _option_label  # type: ignore[attr-defined]
        if webhook is None or webhook.location_id is None:
            return
        for name, lookup in _LOCATED_BY.items():
            if field := self.fields.get(name):
                rows = field.queryset  # type: ignore[attr-defined]
                field.queryset = rows.filter(**{lookup: webhook.location_id})  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Take the conditions over, which are stored in their plain form."""
        cleaned = super().clean() or {}
        if cleaned.get("only_for") is not None:
            self.instance.conditions = cleaned["only_for"]
            self.instance.__dict__.pop("condition", None)
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Show faults of conditions at their rows."""
        if hasattr(errors, "error_dict"):
            errors = ValidationError(
                {
                    "only_for" if name.partition("/")[0] == "conditions" else name: faults
                    for name, faults in errors.error_dict.items()
                }
            )
        super()._update_errors(errors)

    def _chosen_webhook(self) -> Webhook | None:
        field = self.fields.get("webhook")
        key = self.data.get(self.add_prefix("webhook")) or self.initial.get("webhook")
        if not isinstance(field, ModelChoiceField):
            return None
        try:
            chosen: Webhook = field.clean(key)
        except ValidationError:
            return None
        return chosen


def webhooks_at(queryset: QuerySet[Webhook], location_id: object) -> QuerySet[Webhook]:
    """Return the webhooks that a place of the location can send: its own, and account-wide ones."""
    return queryset.filter(Q(location=location_id) | Q(location=None))


def _option_label(option: TreatmentOption) -> str:
    return f"{option.treatment.location}, {option.treatment}: {option}"
