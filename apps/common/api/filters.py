"""Filters of lists, by the query string."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import django_filters.rest_framework as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.drainage import set_override
from rest_framework.request import Request

from apps.common.access import Access
from apps.common.api.views import access_of
from apps.common.ids import InvalidPublicId, id_schema
from apps.common.models import AccountOwned
from apps.common.moments import NO_OFFSET, NOT_OF_THESE_YEARS, YEARS
from apps.common.problems import NOT_FOUND, ParameterProblem, Problem

__all__ = [
    "FlagFilter",
    "InvalidParameters",
    "MomentFilter",
    "ReferenceFilter",
    "RowFilterBackend",
    "RowFilters",
    "filters",
    "invalid_parameter",
]


_FLAGS = {"true": True, "false": False}
_NO_MOMENT = "Write a time as 2026-03-28T00:05:00Z, and %2B for the + of an offset."


class InvalidParameters(Problem):
    """A query string that can not be read; each fault names its parameter."""

    def __init__(self, errors: Sequence[ParameterProblem]) -> None:
        names = ", ".join(dict.fromkeys(error.parameter for error in errors))
        super().__init__(
            400, "invalid_parameter", f"Not valid in the query: {names}.", errors=errors
        )


def invalid_parameter(name: str, message: str) -> InvalidParameters:
    """Return the problem of one parameter."""
    return InvalidParameters([ParameterProblem(name, "invalid", message)])


class ReferenceFilter(filters.CharFilter):  # type: ignore[misc]  # django-filter has no types
    """Rows that belong to another row, named by its public id.

    One that is out of reach is a Problem 404, as if it did not exist.
    """

    def __init__(
        self,
        model: type[AccountOwned],
        *,
        rows: Callable[[Access], QuerySet[Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.referred = model
        self.rows = rows
        super().__init__(help_text=f"An id, {model.ID_PREFIX}_….", **kwargs)
        set_override(self, "field", id_schema(model.ID_PREFIX))

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Narrow the list."""
        if not value:
            return qs
        name = next(name for name, each in self.parent.filters.items() if each is self)
        try:
            key = self.referred.key_of(value)
        except InvalidPublicId as error:
            raise InvalidParameters([ParameterProblem(name, "invalid_id", str(error))]) from None
        access = access_of(self.parent.request)
        rows = (
            self.rows(access)
            if self.rows
            else self.referred._base_manager.filter(account_id__in=access.account_ids)
        )
        if not rows.filter(pk=key).exists():
            what = f"There is no such {self.referred._meta.verbose_name} here."
            fault = ParameterProblem(name, NOT_FOUND, what)
            raise Problem(404, NOT_FOUND, what, errors=[fault])
        narrowed: QuerySet[Any] = qs.filter(**{str(self.field_name): key})
        return narrowed


class MomentField(filters.IsoDateTimeFilter.field_class):  # type: ignore[misc]
    """A time with an offset, of years that PostgreSQL and Python both know."""

    def to_python(self, value: Any) -> dt.datetime | None:
        """Return it as it is written."""
        try:
            moment = parse_datetime(value) if value else None
        except ValueError:
            moment = None
        if value and moment is None:
            raise ValidationError(_NO_MOMENT)
        if moment is not None and moment.tzinfo is None:
            raise ValidationError(NO_OFFSET)
        return moment

    def clean(self, value: Any) -> dt.datetime | None:
        """Return it in UTC."""
        moment: dt.datetime | None = super().clean(value)
        try:
            moment = moment and moment.astimezone(dt.UTC)
        except OverflowError:
            raise ValidationError(NOT_OF_THESE_YEARS) from None
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(NOT_OF_THESE_YEARS)
        return moment


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]
    """Rows before or after a time."""

    field_class = MomentField


class FlagField(forms.Field):
    """`true` or `false`, and nothing else."""

    def to_python(self, value: Any) -> bool | None:
        """Return the flag; None where none is given."""
        if value in (None, ""):
            return None
        if value not in _FLAGS:
            raise ValidationError("Write true or false.")
        return _FLAGS[value]


class FlagFilter(filters.BooleanFilter):  # type: ignore[misc]
    """Rows of which something is so, or is not."""

    field_class = FlagField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput, **kwargs)
        set_override(self, "field", {"type": "boolean"})


class RowFilters(filters.FilterSet):  # type: ignore[misc]
    """What every list can be narrowed by."""

    created_after = MomentFilter(
        field_name="created_at",
        lookup_expr="gte",
        help_text="Made at this time or later; with an offset.",
    )
    created_before = MomentFilter(
        field_name="created_at",
        lookup_expr="lt",
        help_text="Made before this time; with an offset.",
    )


class RowFilterBackend(filters.DjangoFilterBackend):  # type: ignore[misc]
    """Filters by the view's filters, and refuses what they can not read."""

    filterset_base = RowFilters

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        """Return the rows that are asked for."""
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        empty = [
            ParameterProblem(name, "required", "This parameter has no value.")
            for name, each in filterset.filters.items()
            if request.query_params.get(name) == "" and type(each) is not filters.CharFilter
        ]
        if empty:
            raise InvalidParameters(empty)
        if not filterset.is_valid():
            raise InvalidParameters(
                [
                    ParameterProblem(name, "invalid", " ".join(map(str, faults)))
                    for name, faults in filterset.errors.items()
                ]
            )
        return filterset.qs
