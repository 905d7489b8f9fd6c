"""How the fields of a row are shown: most are a column as it is, and cost no more than that.

REST framework asks each field of each row for its attribute in a dozen steps; for a page of 100
deliveries that is a third of the request.
"""

import datetime as dt
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.relations import PKOnlyObject

from apps.common.api.fields import AccountKey, Moment, PublicId, Reference
from apps.common.ids import encode_public_id

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


def shower(field: Any, columns: dict[str, str]) -> _Show:
    """Return what shows a field of a row; `LEFT_OUT` is what it returns for one that is not there.

    `columns` has the attribute that holds the key of each relation of the row's model.
    """
    read = attrgetter(field.source)
    if type(field) in _AS_THEY_ARE and "." not in field.source:
        return read
    if type(field) is Moment:
        return _unless_none(read, lambda moment: moment.astimezone(dt.UTC))
    if type(field) in (PublicId, AccountKey):
        return _unless_none(read, field.to_representation)
    if isinstance(field, Reference) and field.expanded is None and field.source in columns:
        prefix = field.model.ID_PREFIX
        read = attrgetter(columns[field.source])
        return _unless_none(read, lambda key: encode_public_id(prefix, key))
    return lambda row: _by_framework(field, row)


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
