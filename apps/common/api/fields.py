"""How ids, and rows named by them, are written in bodies."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework import serializers

from apps.common.access import Access
from apps.common.api.views import access_of
from apps.common.ids import InvalidPublicId, decode_public_id, encode_public_id
from apps.common.models import AccountOwned
from apps.common.moments import NO_OFFSET, NOT_OF_THESE_YEARS, YEARS
from apps.common.problems import NOT_FOUND

if TYPE_CHECKING:
    _Field = serializers.Field[Any, Any, Any, Any]
    _RelatedField = serializers.RelatedField[Any, Any, Any]
    _ListField = serializers.ListField
else:
    _Field = serializers.Field
    _RelatedField = serializers.RelatedField
    _ListField = serializers.ListField

ACCOUNT_PREFIX = "acc"


class Moment(serializers.DateTimeField):
    """A time: taken with its offset, and given in UTC, whatever the time zone of the account."""

    default_error_messages = {"no_offset": NO_OFFSET, "out_of_range": NOT_OF_THESE_YEARS}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=dt.UTC, **kwargs)

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Return the time, of years that every time zone knows."""
        moment = super().to_internal_value(value)
        if moment.year not in YEARS:
            self.fail("out_of_range")
        return moment

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        """Refuse a time of which nobody knows when it is."""
        if value.tzinfo is None:
            self.fail("no_offset")
        return super().enforce_timezone(value)

    def to_representation(self, value: dt.datetime) -> Any:
        """Return it as it is: the renderer writes it."""
        return value.astimezone(dt.UTC)


class PublicId(_Field):
    """The public id of the row itself, or of the row behind a plain key; only read."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: uuid.UUID) -> str:
        """Return the id."""
        return encode_public_id(self.prefix, value)


class AccountKey(_Field):
    """The account of a row: `acc_…` in bodies, its key inside; only reachable ones exist."""

    default_error_messages = {
        "invalid_id": "An account's id starts with acc_.",
        NOT_FOUND: "There is no such account here.",
    }

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Return the key."""
        try:
            key = decode_public_id(ACCOUNT_PREFIX, data if isinstance(data, str) else "")
        except InvalidPublicId:
            self.fail("invalid_id")
        if key not in access_of(self.context["request"]).accounts:
            self.fail(NOT_FOUND)
        return key

    def to_representation(self, value: uuid.UUID) -> str:
        """Return the id."""
        return encode_public_id(ACCOUNT_PREFIX, value)


class Reference(_RelatedField):
    """Another row, named by its public id; where it is expanded, the row itself.

    `rows` narrows what may be named; without it these are the rows of reachable accounts.
    """

    # The serializer of a new row that may be given in place of an id.
    new: ClassVar[Any] = None
    default_error_messages = {
        "invalid_id": "This is an id that starts with {prefix}_.",
        NOT_FOUND: "There is no such {what} here.",
    }

    def __init__(
        self,
        model: type[AccountOwned],
        *,
        rows: Callable[[Access], QuerySet[Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.model = model
        self.rows = rows
        if not kwargs.get("read_only"):
            kwargs["queryset"] = model._base_manager.all()
        super().__init__(**kwargs)

    def use_pk_only_optimization(self) -> bool:
        """Take the key from the row, and fetch nothing."""
        return True

    def to_internal_value(self, data: Any) -> AccountOwned:
        """Return the row."""
        try:
            key = self.model.key_of(data if isinstance(data, str) else "")
        except InvalidPublicId:
            self.fail("invalid_id", prefix=self.model.ID_PREFIX)
        access = access_of(self.context["request"])
        rows = self.rows(access) if self.rows else self.own_rows(access)
        row: AccountOwned | None = rows.filter(pk=key).first()
        if row is None:
            self.fail(NOT_FOUND, what=self.model._meta.verbose_name)
        return row

    def own_rows(self, access: Access) -> QuerySet[Any]:
        """Return the rows of the accounts within reach."""
        rows: QuerySet[Any] = self.model._base_manager.filter(account_id__in=access.account_ids)
        return rows

    def to_representation(self, value: Any) -> Any:
        """Return the id, or the row."""
        return self.show(value.pk)

    def show(self, key: uuid.UUID) -> Any:
        """Return the row with this key where rows are shown whole, else its id."""
        shown = self._whole.get(key)
        return encode_public_id(self.model.ID_PREFIX, key) if shown is None else shown

    @cached_property
    def _whole(self) -> Mapping[uuid.UUID, Any]:
        """The rows that are shown in place of ids."""
        whole: Mapping[str, Mapping[uuid.UUID, Any]] = getattr(self.parent, "whole", {})
        return whole.get(str(self.field_name), {})


class ShortList(_ListField):
    """A list whose length is judged before its items are, so that a long one costs nothing."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        self.most = max_length
        super().__init__(max_length=max_length, **kwargs)

    def run_child_validation(self, data: Any) -> list[Any]:
        """Return the items; REST framework would judge each one first, and the length then."""
        if len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        return super().run_child_validation(data)


class References(ShortList):
    """Rows named by their public ids, found by one query; each at most once, in the given order."""

    default_error_messages = Reference.default_error_messages

    def __init__(self, model: type[AccountOwned], *, max_length: int, **kwargs: Any) -> None:
        self.model = model
        super().__init__(child=serializers.CharField(), max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> list[AccountOwned]:
        """Return the rows; faults are told by the place of the id."""
        texts = super().to_internal_value(data)
        keys: dict[int, uuid.UUID] = {}
        faults: dict[str, Any] = {}
        for index, text in enumerate(texts):
            try:
                keys[index] = self.model.key_of(text)
            except InvalidPublicId:
                faults[str(index)] = self._fault("invalid_id", prefix=self.model.ID_PREFIX)
        access = access_of(self.context["request"])
        rows = self.model._base_manager.filter(account_id__in=access.account_ids)
        found = rows.in_bulk(set(keys.values()))
        for index, key in keys.items():
            if key not in found:
                faults[str(index)] = self._fault(NOT_FOUND, what=self.model._meta.verbose_name)
        if faults:
            raise serializers.ValidationError(faults)
        return [found[key] for key in dict.fromkeys(keys.values())]

    def _fault(self, code: str, **values: Any) -> list[str]:
        message = self.error_messages[code].format(**values)
        return [serializers.ErrorDetail(message, code)]
