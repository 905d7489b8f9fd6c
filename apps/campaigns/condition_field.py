"""The form field for conditions: rows of choices, without scripts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.campaigns.condition_rows import (
    PREDICATES,
    Asks,
    Row,
    blank_rows,
    condition_of,
    rows_of,
)
from apps.campaigns.conditions import MAX_RULES, InvalidCondition, condition_from, to_plain
from apps.campaigns.conditions_in_words import in_words

_SPARE = 2
_HINTS = {
    Asks.TIME: "as 90 s or 1 min 30 s",
    Asks.TEXTS: "one, or several with commas between",
    Asks.TAG: "as Region = south",
}


class ConditionsWidget(forms.Widget):
    """Rows of conditions with two more to fill in; saving gives further ones."""

    class Media:
        css = {"all": ["hookline/wizard.css"]}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Show rows as they were posted, or those of what is stored."""
        stored = value if isinstance(value, dict) else None
        rows = value if isinstance(value, list) else rows_of(condition_from(stored or {}))
        context = {
            "name": name,
            "id": (attrs or {}).get("id", name),
            "rows": None if rows is None else blank_rows(rows, _SPARE),
            "predicates": PREDICATES,
            "hints": [(asks.value, hint) for asks, hint in _HINTS.items()],
            "words": in_words(condition_from(stored)) if stored else "",
        }
        return SafeString(render_to_string("admin/campaigns/conditions.html", context))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row] | None:
        """Return the rows that were posted; None where none were shown."""
        parts = [data.getlist(f"{name}-{part}") for part in ("join", "what", "value")]
        if not parts[1]:
            return None
        if len({len(part) for part in parts}) > 1 or len(parts[1]) > MAX_RULES:
            return [Row(False, "?", "")]
        return [Row(join == "or", what, text) for join, what, text in zip(*parts, strict=True)]

    def id_for_label(self, id_: str) -> str:
        """Lead to the first row."""
        return f"{id_}-what-1"

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether no row was posted."""
        return f"{name}-what" not in data


class ConditionsField(forms.Field):
    """Conditions in their plain form; None to leave them as they are."""

    widget = ConditionsWidget

    def to_python(self, value: Any) -> dict[str, Any] | None:
        """Read the rows; refuse those that make no sense."""
        if value is None:
            return None
        try:
            return to_plain(condition_of(value))
        except InvalidCondition as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant, however it was typed."""
        try:
            meant = self.to_python(data)
        except ValidationError:
            return True
        return meant is not None and meant != (initial or {})
