"""How the fields of a row are shown: most are a column as it is, and cost no more than that.

REST framework asks each field of each row for its attribute in a dozen steps; for a page of 100
deliveries that is a third of the request.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.relations import PKOnlyObject

from apps.common.api.fields import AccountKey, Moment, PublicId, Reference, ShortList

LEFT_OUT = object()
# Columns hold what these show, in the very type.
_AS_THEY_ARE = {
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.EmailField,
    serializers.FloatField,
    serializers.IntegerField,
}
_Show = Callable[[Any], Any]


def attribute_of(field: Any, columns: Mapping[str, str]) -> str | None:
    """Return the one attribute of a row that a field shows; None where it takes the row itself.

    `columns` has the attributes that hold columns of the row's model, by the names of the columns.
    """
    return columns.get(field.source) if _is_simple(field) else None


def shower(field: Any, columns: Mapping[str, str]) -> _Show:
    """Return what shows a field of a row; `LEFT_OUT` is what it returns for one that is not there.

    `columns` as for `attribute_of`.
    """
    if not _is_simple(field) or "." in field.source:
        return lambda row: _by_framework(field, row)
    # A property, or what a query adds, is read as a column is.
    read = attrgetter(columns.get(field.source, field.source))
    if isinstance(field, Moment):
        return _unless_none(read, lambda moment: moment.astimezone(dt.UTC))
    if isinstance(field, (PublicId, AccountKey)):
        return _unless_none(read, field.to_representation)
    if isinstance(field, Reference):
        return _unless_none(read, field.show)
    return read


def _is_simple(field: Any) -> bool:
    """Tell whether it shows what one attribute holds."""
    if type(field) is ShortList:
        return type(field.child) in _AS_THEY_ARE
    is_key = isinstance(field, (Moment, PublicId, AccountKey, Reference))
    return is_key or type(field) in _AS_THEY_ARE


def _unless_none(read: _Show, show: _Show) -> _Show:
    def shown(row: Any) -> Any:
        value = read(row)
        return None if value is None else show(value)

    return shown


def _by_framework(field: Any, row: Any) -> Any:
    try:
        value = field.get_attribute(row)
    except SkipField:
        return LEFT_OUT
    is_none = value.pk is None if isinstance(value, PKOnlyObject) else value is None
    return None if is_none else field.to_representation(value)
