"""The week of a location in a form: a line for each day."""

from typing import Any

from django import forms

from apps.accounts.business_hours import DAYS, InvalidHours, day_in_words, parse_day
from apps.common.admin.theme import TextInput

_HINT = "9:00-12:00, 13:00-17:00"


def _day(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=120,
        widget=TextInput(attrs={"placeholder": f"closed, or {_HINT}"}),
    )


class BusinessHoursForm(forms.Form):
    """What a form of a location has besides; the fields are `hours_mon` to `hours_sun`."""

    FIELDS = [f"hours_{day}" for day in DAYS]
    instance: Any

    hours_mon = _day("Monday")
    hours_tue = _day("Tuesday")
    hours_wed = _day("Wednesday")
    hours_thu = _day("Thursday")
    hours_fri = _day("Friday")
    hours_sat = _day("Saturday")
    hours_sun = _day("Sunday")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day in DAYS:
            if f"hours_{day}" in self.fields:
                spans = self.instance.business_hours.get(day, ())
                self.initial[f"hours_{day}"] = day_in_words(spans)

    def clean(self) -> dict[str, Any]:
        """Put the days together; say at which one a time is wrong."""
        cleaned = super().clean() or {}
        hours: dict[str, list[list[int]]] = {}
        for day in DAYS:
            try:
                spans = parse_day(cleaned.get(f"hours_{day}") or "")
            except InvalidHours as error:
                self.add_error(f"hours_{day}", str(error))
            else:
                hours |= {day: spans} if spans else {}
        if set(self.FIELDS) <= set(self.fields):
            self.instance.business_hours = hours
        return cleaned
