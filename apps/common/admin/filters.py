"""List filters that offer only what the list may show."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import PermissionDenied
from django.db.models import Field, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date

from apps.common.admin.choosing import ASKED, asked_at, asking, first_rows, found
from apps.common.admin.columns import documents_of
from apps.common.admin.forms import rows_to_choose
from apps.common.admin.requests import access_of

if TYPE_CHECKING:
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesFilter
    from django.contrib.admin import FieldListFilter as RangeDateFilter
    from django.contrib.admin import ModelAdmin, RelatedFieldListFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import ChoicesDropdownFilter as ChoicesFilter
    from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFieldListFilter

__all__ = [
    "ChoicesFilter",
    "DateRangeFilter",
    "DropdownFilter",
    "ScopedRelatedFilter",
    "answer_filter",
    "parameters_of",
    "scoped_filter",
]


class DateRangeFilter(RangeDateFilter):
    """A filter by days, from the begin of the first to the end of the last, as the admin shows."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of these days; a day that is none is ignored."""
        if first := self._day("from"):
            queryset = queryset.filter(**{f"{self.field_path}__gte": _begin_of(first)})
        if last := self._day("to"):
            following = _begin_of(last + dt.timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field_path}__lt": following})
        return queryset

    def _day(self, end: str) -> dt.date | None:
        try:
            day = parse_date(str(self.used_parameters.get(f"{self.field_path}_{end}", "")))
        except ValueError:
            return None
        return day if day and 1970 <= day.year < 9999 else None


def _begin_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def parameters_of(declared: Any) -> list[str]:
    """Return what a `list_filter` entry reads from the query string."""
    if isinstance(declared, tuple) and declared[1] is DateRangeFilter:
        return [f"{declared[0]}_from", f"{declared[0]}_to"]
    if isinstance(declared, tuple):
        return [declared[0]]
    return [str(getattr(declared, "parameter_name", declared))]


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter by a related row; offers those of the accounts that are being worked on."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: "ModelAdmin[Any]"
    ) -> Any:
        """Return key and name of each row on offer; of many, of the one that is chosen."""
        first = first_rows(_rows_of(field, request), self.lookup_val or ())
        self._is_long = first.is_long
        return [(str(row.pk), str(row)) for row in first.rows]

    def has_output(self) -> bool:
        """Tell whether there is something to choose from."""
        return self._is_long or super().has_output()

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return the select; of many rows, it asks the list for them."""
        shown: dict[str, Any]
        for shown in super().choices(changelist):  # type: ignore[assignment]
            if self._is_long:
                address = asked_at(self.request.path, self.field_path)
                shown["form"].fields[self.lookup_kwarg].widget.attrs |= asking(address)
            yield shown


def answer_filter(model_admin: "ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    """Answer a filter of a list that asks for its rows."""
    if not model_admin.has_view_or_change_permission(request):
        raise PermissionDenied
    path = request.GET[ASKED]
    if (path, ScopedRelatedFilter) not in model_admin.get_list_filter(request):
        raise Http404("There is no such filter here.")
    field = get_fields_from_path(model_admin.model, path)[-1]
    return found(request, _rows_of(field, request), label=str, empty="All")


def _rows_of(field: Any, request: HttpRequest) -> QuerySet[Any]:
    rows = field.related_model._default_manager.defer(*documents_of(field.related_model))
    return rows_to_choose(rows, access_of(request).active_ids)


def scoped_filter(
    model: type[Any], declared: Any
) -> str | type[Any] | tuple[str, type[FieldListFilter]]:
    """Return a `list_filter` entry with a scoped filter for a relation, dropdowns for choices."""
    if not isinstance(declared, str):
        return declared  # type: ignore[no-any-return]
    field: Field[Any, Any] = model._meta.get_field(declared)
    if field.is_relation:
        return declared, ScopedRelatedFilter
    return (declared, ChoicesFilter) if field.choices else declared
