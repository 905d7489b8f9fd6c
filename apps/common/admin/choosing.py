"""Selects of rows. Of many, a page shows the chosen one, and asks for others as somebody types.

What is asked is the page itself: it makes its form or filter as ever, and answers with what is
offered there. So nothing is offered that the form would refuse, nor a row of another account.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms.models import ModelChoiceIterator
from django.http import Http404, HttpRequest, JsonResponse

from apps.common.admin.theme import SearchableSelect

# Rows that a select has at once, and that an answer brings.
MOST_SHOWN = 50
# In the query of a page: the select whose rows are asked for.
ASKED = "choices_of"
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What a select has at once; `is_long` if there are more rows, that it asks for."""

    choices: list[tuple[Any, str]]
    is_long: bool


class RowSelect(SearchableSelect):
    """A select of a field of rows; `address` answers what else there is to choose."""

    address = ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Look at no more rows than are shown."""
        if isinstance(self.choices, ModelChoiceIterator):
            self.take(offer(self.choices.field, [value]))
        context: dict[str, Any] = super().get_context(name, value, attrs)
        return context

    def take(self, offered: Offer) -> None:
        """Show these choices, and ask for more if there are."""
        self.choices = offered.choices
        if offered.is_long and self.address:
            self.attrs |= asking(self.address)


def asking(address: str) -> dict[str, str]:
    """Return the attributes by which the theme's searchable selects ask an address."""
    return {"data-ajax--url": address, "data-ajax--delay": "250", "data-ajax--cache": "true"}


def asked_at(address: str, name: str) -> str:
    """Return where a select asks whose page has this address, with all that it was asked for."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode({ASKED: name})}"


def select_of(field: "forms.ModelChoiceField[Any]") -> RowSelect | None:
    """Return the field's select if it is one that asks, also from inside the admin's wrapper."""
    widget: Any = getattr(field.widget, "widget", field.widget)
    return widget if isinstance(widget, RowSelect) else None


def ask_at(address: str, fields: Mapping[str, forms.Field]) -> None:
    """Let the selects of a form ask a page that answers by `answer_choices`."""
    for name, field in fields.items():
        if isinstance(field, forms.ModelChoiceField) and (select := select_of(field)):
            select.address = asked_at(address, name)


def offer(field: "forms.ModelChoiceField[Any]", chosen: Iterable[Any]) -> Offer:
    """Return all rows of a field if they are few, else those of `chosen`, which are keys."""
    rows = first_rows(field.queryset, chosen)
    empty = [("", str(field.empty_label))] if field.empty_label is not None else []
    choices = [(field.prepare_value(row), str(field.label_from_instance(row))) for row in rows.rows]
    return Offer([*empty, *choices], rows.is_long)


@dataclass(frozen=True, slots=True)
class FirstRows:
    """Rows of a select, and whether there are more."""

    rows: list[Any]
    is_long: bool


def first_rows(rows: QuerySet[Any] | None, chosen: Iterable[Any]) -> FirstRows:
    """Return all rows if they are few, else those with these keys."""
    assert rows is not None  # noqa: S101 - a field of rows has some, if none
    first = list(rows[: MOST_SHOWN + 1])
    if len(first) <= MOST_SHOWN:
        return FirstRows(first, is_long=False)
    keys = [key for value in chosen if (key := _key(rows.model, value)) is not None]
    return FirstRows(list(rows.filter(pk__in=keys)) if keys else [], is_long=True)


def answer_choices(request: HttpRequest, fields: Mapping[str, forms.Field]) -> JsonResponse | None:
    """Answer a select of a form that asks for its rows; None if none does.

    Raises Http404 for what is no select of rows.
    """
    if ASKED not in request.GET:
        return None
    field = fields.get(request.GET[ASKED])
    if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
        raise Http404("There is no such select here.")
    return found(request, field.queryset, label=field.label_from_instance, empty=field.empty_label)


def fields_of(context: Mapping[str, Any]) -> dict[str, forms.Field]:
    """Return the fields of the form on an admin's page, and of a new row of each inline."""
    fields = dict(context["adminform"].form.fields)
    for inline in context["inline_admin_formsets"]:
        prefix, blank = inline.formset.prefix, inline.formset.empty_form
        fields |= {f"{prefix}-{name}": field for name, field in blank.fields.items()}
    return fields


def found(
    request: HttpRequest, rows: QuerySet[Any], *, label: Callable[[Any], Any], empty: Any
) -> JsonResponse:
    """Return a page of the rows that a text finds, as the theme's searchable selects read it."""
    term = request.GET.get("term", "").replace("\0", "")
    number = request.GET.get("page", "")
    page = min(int(number), _MOST_PAGES) if number.isdecimal() and len(number) < 9 else 1
    start = max(page - 1, 0) * MOST_SHOWN
    model_admin = admin.site.get_model_admin(rows.model)
    matching, has_repeats = model_admin.get_search_results(request, rows, term)
    if has_repeats:
        matching = matching.distinct()
    order = matching.query.order_by or rows.model._meta.ordering
    shown = list(matching.order_by(*order, "pk")[start : start + MOST_SHOWN + 1])
    results = [{"id": str(row.pk), "text": str(label(row))} for row in shown[:MOST_SHOWN]]
    if empty is not None and not term and start == 0:
        results.insert(0, {"id": "", "text": str(empty)})
    more = len(shown) > MOST_SHOWN
    return JsonResponse({"results": results, "pagination": {"more": more}})


def _key(model: type[Model], value: Any) -> uuid.UUID | Any | None:
    """Return the key that a value of a select is; None for what is none."""
    try:
        return model._meta.pk.to_python(getattr(value, "pk", value)) if value else None
    except ValidationError:
        return None
