"""The dynamic parameters of a post-call action: rows that are added, named, moved and removed."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.faces.post_call import LONGEST_NAME, MOST_DYNAMIC, Chosen
from apps.webhooks.gallery.parameters import POST_CALL

_PLACE = re.compile(r"[0-9]{1,4}")
_NO_BLANKS = "Every dynamic parameter needs a name."


class ParameterRows(forms.Widget):
    """A row for each chosen parameter, and a drop-down with a plus for another one.

    `address` is that of the page which rearranges rows, `offered` the keys that may be added, and
    `focus` the control that has the focus.
    """

    template_name = "faces/parameters.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.address = ""
        self.offered: Sequence[str] = tuple(POST_CALL)
        self.focus = ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Render with the project's templates: forms have an engine of their own."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Chosen]:
        """Return the rows as they were posted, in the order of the page."""
        keys, names = data.getlist(f"{name}-key"), data.getlist(f"{name}-name")
        return [
            Chosen(key, given.strip())
            for key, given in zip(keys, names, strict=False)
            if key in POST_CALL
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """An action without dynamic parameters posts none."""
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add each row with its label."""
        verb, _, number = self.focus.partition("-")
        return {
            **super().get_context(name, value, attrs),
            "name": name,
            "rows": [
                {
                    "chosen": chosen,
                    "label": POST_CALL[chosen.key].label,
                    "focus": verb if number == str(index) else "",
                }
                for index, chosen in enumerate(value or ())
            ],
            "offered": [POST_CALL[key] for key in self.offered],
            "address": self.address,
            "focus": self.focus,
            "longest": LONGEST_NAME,
        }


class ParametersField(forms.Field):
    """Dynamic parameters under names of one's own, in one's own order."""

    widget = ParameterRows

    def clean(self, value: list[Chosen] | None) -> list[Chosen]:
        """Refuse names that can not be sent."""
        rows = value or []
        if len(rows) > MOST_DYNAMIC:
            raise ValidationError(f"At most {MOST_DYNAMIC} dynamic parameters.")
        for row in rows:
            if not row.name:
                raise ValidationError(_NO_BLANKS)
            if len(row.name) > LONGEST_NAME or not row.name.isprintable():
                raise ValidationError(f"A name has at most {LONGEST_NAME} characters, on one line.")
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare row by row."""
        return list(initial or ()) != list(data or ())


def rearranged(rows: Sequence[Chosen], act: str, added: str) -> tuple[list[Chosen], str]:
    """Return the rows after what a button says, and the button that is to have the focus then.

    `act` is `add`, or `up`, `down` or `remove` with the number of a row, as `up-3`.
    """
    changed = list(rows)
    verb, _, number = act.partition("-")
    if verb == "add" and added in POST_CALL and len(changed) < MOST_DYNAMIC:
        changed.append(Chosen(added, _free_name(added, [row.name for row in rows])))
        return changed, f"name-{len(changed) - 1}"
    if not _PLACE.fullmatch(number) or int(number) >= len(changed):
        return changed, "add"
    return _MOVES.get(verb, _stay)(changed, int(number))


def _up(rows: list[Chosen], at: int) -> tuple[list[Chosen], str]:
    to = max(0, at - 1)
    rows.insert(to, rows.pop(at))
    return rows, f"up-{to}" if to else f"down-{to}"


def _down(rows: list[Chosen], at: int) -> tuple[list[Chosen], str]:
    to = min(len(rows) - 1, at + 1)
    rows.insert(to, rows.pop(at))
    return rows, f"down-{to}" if to < len(rows) - 1 else f"up-{to}"


def _remove(rows: list[Chosen], at: int) -> tuple[list[Chosen], str]:
    rows.pop(at)
    return rows, f"remove-{min(at, len(rows) - 1)}" if rows else "add"


def _stay(rows: list[Chosen], at: int) -> tuple[list[Chosen], str]:
    return rows, "add"


_MOVES: dict[str, Callable[[list[Chosen], int], tuple[list[Chosen], str]]] = {
    "up": _up,
    "down": _down,
    "remove": _remove,
}


def _free_name(key: str, taken: Sequence[str]) -> str:
    name, number = key, 1
    while name in taken:
        number += 1
        name = f"{key}_{number}"
    return name
