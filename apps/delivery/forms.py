"""The form of a replay."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.accounts.models import Account
from apps.calls.events import Timing
from apps.common.admin.choosing import RowSelect
from apps.common.admin.forms import with_account
from apps.common.admin.theme import CheckboxSelectMultiple, NumberInput, Select
from apps.common.moments import YEARS
from apps.delivery.models import DeliveryState, Replay
from apps.delivery.services import ReplayPlan, plan_replay
from apps.webhooks.models import Webhook

_RECENT = dt.timedelta(hours=24)
# What the filters of the list of deliveries are called in its address, by field of the form.
_OF_THE_LIST = {
    "account": "account__id__exact",
    "webhook": "webhook__id__exact",
    "states": "state__exact",
    "timing": "timing__exact",
    "since": "created_at__gte",
    "until": "created_at__lt",
}


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"class": "hl-input"})


class ReplayForm(forms.Form):
    """What to send again, of which account. After validation `plan` says how much it is."""

    account = forms.ModelChoiceField(Account.objects.none(), empty_label=None, widget=RowSelect)
    webhook = forms.ModelChoiceField(
        Webhook.objects.none(), required=False, empty_label="All webhooks", widget=RowSelect
    )
    states = forms.MultipleChoiceField(
        label="Which",
        choices=[(state.value, state.label) for state in DeliveryState.finished()],
        initial=[state.value for state in DeliveryState.unsuccessful()],
        widget=CheckboxSelectMultiple,
        help_text="Failed and expired ones that have arrived since, or are on their way again, are"
        " left out.",
    )
    timing = forms.ChoiceField(
        required=False, choices=[("", "Any moment"), *Timing.choices], widget=Select
    )
    since = forms.DateTimeField(label="Planned from", widget=_Moment)
    until = forms.DateTimeField(label="until", widget=_Moment)
    version = forms.ChoiceField(
        label="Payload",
        choices=[
            ("same", "Made with the same version of the template"),
            ("current", "Made with the current version"),
        ],
        initial="same",
        widget=Select,
    )
    rate_per_s = forms.IntegerField(
        label="At most a second",
        initial=10,
        min_value=1,
        max_value=Replay.MOST_A_SECOND,
        widget=NumberInput,
        help_text="The limits of each webhook hold as well.",
    )

    def __init__(self, *args: Any, account_ids: Sequence[uuid.UUID], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan: ReplayPlan | None = None
        zone = timezone.get_current_timezone_name().replace("_", " ")
        for name in ("since", "until"):
            self.fields[name].help_text = f"In the time zone {zone}."
        accounts = self.fields["account"]
        accounts.queryset = Account.objects.filter(pk__in=account_ids)  # type: ignore[attr-defined]
        webhooks: Any = self.fields["webhook"]
        webhooks.queryset = Webhook.objects.filter(account_id__in=account_ids).defer("secret")
        if len(account_ids) > 1:
            webhooks.queryset = webhooks.queryset.select_related("account")
            webhooks.label_from_instance = with_account
        if len(account_ids) == 1:
            accounts.required, accounts.widget = False, forms.HiddenInput()
            self._only = account_ids[0]

    def clean(self) -> dict[str, Any]:
        """Count what it would send."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        webhook, account = cleaned["webhook"], cleaned["account"]
        account_id = account.pk if account else self._only
        if webhook is not None and webhook.account_id != account_id:
            raise ValidationError({"webhook": "This webhook is of another account."})
        try:
            self.plan = plan_replay(
                account_id=account_id,
                webhook_ids=[webhook.pk] if webhook else [],
                states=cleaned["states"],
                timings=[cleaned["timing"]] if cleaned["timing"] else [],
                since=cleaned["since"],
                until=cleaned["until"],
                with_current_version=cleaned["version"] == "current",
                rate_per_s=cleaned["rate_per_s"],
            )
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


def from_list(asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what a new replay begins with: the filter of the list of deliveries, or 24 hours."""
    now = timezone.now()
    # The field shows minutes: this one counts too.
    initial: dict[str, Any] = {"since": now - _RECENT, "until": now + dt.timedelta(minutes=1)}
    for field, name in _OF_THE_LIST.items():
        value = asked.get(name) or asked.get(field)
        if not value:
            continue
        if field in ("since", "until"):
            initial[field] = _moment(value) or initial[field]
        else:
            initial[field] = [value] if field == "states" else value
    return initial


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = dt.datetime.combine(day, dt.time())
    except ValueError:
        return None
    if moment is None or moment.year not in YEARS:
        return None
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
