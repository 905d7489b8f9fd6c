"""Rows of accounts as the API shows and takes them."""

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django.db import models
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.fields import Field
from rest_framework.request import Request

from apps.common.access import Access, Role
from apps.common.api.fields import AccountKey, Moment, PublicId
from apps.common.api.showing import LEFT_OUT, attribute_of, shower
from apps.common.api.views import access_of
from apps.common.masking import shown_url
from apps.common.models import AccountOwned, HooklineModel
from apps.common.problems import FieldProblem, Problem

if TYPE_CHECKING:
    _ModelSerializer = serializers.ModelSerializer[Any]
    _Serializer = serializers.Serializer[Any]
else:
    _ModelSerializer = serializers.ModelSerializer
    _Serializer = serializers.Serializer

_MOST_NAMES = 20


class StrictSerializer(_Serializer):
    """A body that refuses names which it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        """Read the body; a misspelt name would otherwise be lost without a word."""
        refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


class RowSerializer(StrictSerializer, _ModelSerializer):
    """A row. Its rules are those of the model: `full_clean` judges what is to be saved.

    `fixed` names what only a new row may be given, `expandable` the relations that `expand` may
    show whole. A new row belongs to the account that is named; else to that of the first relation
    of `account_from` that is given; else to the sender's own. Some fields read the relations of
    `along`; none reads the columns of `unread`. `addresses` are shown as the sender may see them.
    """

    fixed: ClassVar[tuple[str, ...]] = ()
    account_from: ClassVar[tuple[str, ...]] = ()
    expandable: ClassVar[Mapping[str, type["RowSerializer"]]] = {}
    along: ClassVar[tuple[str, ...]] = ()
    unread: ClassVar[tuple[str, ...]] = ()
    addresses: ClassVar[tuple[str, ...]] = ()

    serializer_field_mapping = {
        **_ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }

    id = PublicId("row", source="pk")

    # What the view was asked to show: which fields, and which relations whole, by their keys.
    sparse: frozenset[str] | None = None
    whole: Mapping[str, Mapping[uuid.UUID, Any]] = {}

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        """Give the id its prefix."""
        fields = super().get_fields()
        model: type[HooklineModel] = self.Meta.model
        fields["id"] = PublicId(model.ID_PREFIX, source="pk")
        return fields

    def include_extra_kwargs(self, kwargs: Any, extra_kwargs: Any) -> Any:
        """Keep in mind, for the description, that a choice which is only read may be none."""
        is_optional = "choices" in kwargs and kwargs.get("allow_blank", False)
        kwargs = super().include_extra_kwargs(kwargs, extra_kwargs)
        return {**kwargs, "allow_blank": True} if is_optional else kwargs

    def get_validators(self) -> list[Any]:
        """The model validates."""
        return []

    @cached_property
    def _readable_fields(self) -> list[Field[Any, Any, Any, Any]]:
        return [
            field
            for field in super()._readable_fields
            if self.sparse is None or field.field_name in self.sparse
        ]

    @cached_property
    def columns(self) -> dict[str, str]:
        """The attributes of a row that hold its columns, by all their names."""
        model: type[HooklineModel] = self.Meta.model
        concrete = model._meta.concrete_fields
        attributes = {field.attname: field.attname for field in concrete}
        return {"pk": "pk", **attributes, **{field.name: field.attname for field in concrete}}

    @cached_property
    def _showers(self) -> list[tuple[str, Callable[[Any], Any]]]:
        columns = self.columns
        return [(str(field.field_name), shower(field, columns)) for field in self._readable_fields]

    def shown_by_key(self, keys: set[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
        """Return the rows with these keys as they are shown; one query.

        Rows whose fields are columns are read as those alone: model instances would take as long
        to make as everything else together.
        """
        model: type[HooklineModel] = self.Meta.model
        rows: Any = model._base_manager.filter(pk__in=keys)
        attributes = {attribute_of(field, self.columns) for field in self._readable_fields}
        if None not in attributes:
            # By the account is known who may see an address whole.
            needed = {"pk", *attributes, *(["account_id"] if self.addresses else [])}
            rows = rows.values_list(*needed, named=True)
        else:
            rows = rows.defer(*self.unread)
            # Without a name, Django would join every relation there is.
            rows = rows.select_related(*self.along) if self.along else rows
        return {row.pk: self.to_representation(row) for row in rows}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the row as it is shown."""
        shown = {name: show(instance) for name, show in self._showers}
        for name in self.addresses:
            if isinstance(url := shown.get(name), str):
                access = access_of(self.context["request"])
                shown[name] = shown_url(url, instance.account_id, access)
        return {name: value for name, value in shown.items() if value is not LEFT_OUT}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the account of a new row; keep what is fixed in an existing one."""
        if self.instance is None:
            if "account" in self.fields:
                attrs["account_id"] = self._account_for(attrs)
            return attrs
        for name in {*self.fixed, "account_id"} & attrs.keys():
            if attrs[name] != getattr(self.instance, name):
                refuse(f"/{self._name_of(name)}", "fixed", "This can not be changed any more.")
        return attrs

    def _name_of(self, source: str) -> str:
        return next(name for name, field in self.fields.items() if field.source == source)

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Save a new row. Raises ValidationError for what does not fit."""
        model: type[HooklineModel] = self.Meta.model
        row = model(**validated_data)
        row.full_clean()
        row.save(force_insert=True)
        return row

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Save what is changed. Raises ValidationError for what does not fit."""
        changed = apply(instance, validated_data)
        instance.full_clean()
        if changed:
            instance.save(update_fields=changed)
        return instance

    def _account_for(self, attrs: dict[str, Any]) -> uuid.UUID:
        if named := attrs.get("account_id"):
            return uuid.UUID(str(named))
        for name in self.account_from:
            related: AccountOwned | None = attrs.get(name)
            if related is not None:
                return related.account_id
        return own_account(access_of(self.context["request"]))


def refuse(pointer: str, code: str, message: str) -> NoReturn:
    """Raise the problem of one fault in a body."""
    fault = FieldProblem(pointer, code, message)
    raise Problem(422, "invalid", "The request is not valid.", errors=[fault])


def read(body: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the values of a body; raise ValidationError for what does not fit."""
    serializer = body(data=request.data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def own_account(access: Access) -> uuid.UUID:
    """Return the account that a sender works on unless a request says otherwise.

    A Problem 422 where there are several and none of them is meant.
    """
    only = access.own_id or access.current_id
    if only is None and len(access.accounts) == 1:
        only = access.account_ids[0]
    if only is None:
        refuse("/account", "required", "Say which account is meant, as acc_….")
    return only


def check_role(access: Access, role: Role | None, account_id: uuid.UUID) -> None:
    """Raise a Problem 403 unless the role is held in the account."""
    if role is None or not access.has_role(role, account_id):
        raise Problem(403, "permission_denied", "Your role or key does not allow this.")


def apply(row: HooklineModel, values: Mapping[str, Any]) -> list[str]:
    """Set what differs on a row, and return its names for `update_fields`."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def refuse_unknown(data: Any, known: Any) -> None:
    """Raise a Problem 422 that names what a body has and nobody knows."""
    unknown = sorted(set(data) - set(known)) if isinstance(data, Mapping) else []
    if unknown:
        raise serializers.ValidationError(
            {
                name: [serializers.ErrorDetail("There is no such field.", "unknown_field")]
                for name in unknown[:_MOST_NAMES]
            }
        )


class AccountSerializer(RowSerializer):
    """A row of an account, which it shows and a new one may name."""

    account = AccountKey(source="account_id", required=False)
