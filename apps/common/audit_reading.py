"""The audit log in words: entries as people and clients read them.

A fixed number of queries, whatever is shown: rows that entries mention are looked up by model.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Field, Model
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from apps.common.ids import encode_public_id
from apps.common.masking import masked_url
from apps.common.models import AuditAction, AuditEntry, HooklineModel

if TYPE_CHECKING:
    _Field = Field[Any, Any]
else:
    _Field = Field

# As `hookline_audited` tells columns with addresses.
_ADDRESS = re.compile(r"(^|_)url$")
_Names = dict[tuple[type[Model], str], str]


@dataclass(frozen=True, slots=True)
class Change:
    """A field, and its value before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with what its screens show."""

    entry: AuditEntry
    what: str
    link: str
    changes: Sequence[Change]


def told(entries: Sequence[AuditEntry]) -> list[Told]:
    """Return entries in words."""
    names = _names_of(entries)
    return [
        Told(
            entry=entry,
            what=type_label(entry.object_type),
            link=link_to(entry),
            changes=[
                Change(
                    field=str(capfirst(_label(field, column))),
                    before=_in_words(field, before, names),
                    after=_in_words(field, after, names),
                )
                for column, (before, after) in sorted(entry.changes.items())
                for field in [_field(entry.object_type, column)]
            ],
        )
        for entry in entries
    ]


def changed_fields(entry: AuditEntry) -> str:
    """Return the names of the fields that an entry tells of."""
    return ", ".join(
        sorted(_label(_field(entry.object_type, column), column) for column in entry.changes)
    )


def as_plain(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry in the form that clients get; ids are public ones, changes by column."""
    return {
        "id": entry.public_id,
        "account": _public_id("accounts.account", entry.account_id),
        "created_at": entry.created_at,
        "action": entry.action,
        "note": entry.note,
        "object": {
            "type": entry.object_type.rpartition(".")[2],
            "id": _public_id(entry.object_type, entry.object_id),
            "name": entry.object_label,
        }
        if entry.object_id
        else None,
        "actor": {
            "kind": entry.actor_kind,
            "id": _public_id(_ACTORS.get(entry.actor_kind, ""), entry.actor_id),
            "name": entry.actor_label,
        },
        "changes": {
            column: [_plain(_field(entry.object_type, column), value) for value in values]
            for column, values in entry.changes.items()
        },
        "via": entry.via,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
    }


def audited_models() -> list[type[HooklineModel]]:
    """Return the models that entries are about, in the order of their names."""
    found = [model for model in apps.get_models() if issubclass(model, HooklineModel)]
    return sorted(found, key=lambda model: str(model._meta.verbose_name).lower())


def type_label(object_type: str) -> str:
    """Return what people call rows of a model; "" for none."""
    model = _model(object_type)
    return str(capfirst(model._meta.verbose_name)) if model else ""


def link_to(entry: AuditEntry) -> str:
    """Return the page of what an entry is about, "" where there is none.

    Nor for people: theirs are for operators.
    """
    model = _model(entry.object_type)
    if model is not None and issubclass(model, AbstractBaseUser):
        return ""
    if model is None or entry.action == AuditAction.DELETED or not admin.site.is_registered(model):
        return ""
    try:
        return reverse(
            f"admin:{entry.object_type.replace('.', '_')}_change", args=[entry.object_id]
        )
    except NoReverseMatch:
        return ""


_ACTORS = {"user": "accounts.user", "key": "accounts.apikey"}


def _name_of(row: Model) -> str:
    """Return how the log calls a row: people by e-mail, as who is invited keeps their name."""
    return row.get_username() if isinstance(row, AbstractBaseUser) else str(row)


def _names_of(entries: Iterable[AuditEntry]) -> _Names:
    """Return what the rows are called that changes mention, as far as they are in reach."""
    wanted: dict[type[Model], set[str]] = defaultdict(set)
    for entry in entries:
        for column, values in entry.changes.items():
            target = _target(_field(entry.object_type, column))
            if target is not None:
                wanted[target].update(str(value) for value in values if value is not None)
    return {
        (model, str(row.pk)): _name_of(row)
        for model, keys in wanted.items()
        for row in model._base_manager.filter(pk__in=keys)
    }


def _model(object_type: str) -> type[Model] | None:
    try:
        return apps.get_model(object_type)
    except (LookupError, ValueError):
        return None


def _field(object_type: str, column: str) -> _Field | None:
    """Return the field behind a column; None for one that is no more."""
    model = _model(object_type)
    fields = model._meta.concrete_fields if model else ()
    return next((field for field in fields if field.column == column), None)


def _target(field: _Field | None) -> type[Model] | None:
    target = field.related_model if field is not None and field.is_relation else None
    return target if isinstance(target, type) else None


def _label(field: _Field | None, column: str) -> str:
    return str(field.verbose_name) if field is not None else column.replace("_", " ")


def _in_words(field: _Field | None, value: Any, names: _Names) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if target := _target(field):
        return names.get((target, str(value))) or str(_plain(field, value))
    if field is not None and field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return str(_plain(field, value))


def _plain(field: _Field | None, value: Any) -> Any:
    target = _target(field)
    if isinstance(value, str) and field is not None and _ADDRESS.search(field.column or ""):
        # The log has no values of queries; of some addresses the path is the credential.
        return masked_url(value)
    if value is None or target is None:
        return value
    try:
        return _public_id(target._meta.label_lower, uuid.UUID(str(value)))
    except ValueError:
        return value


def _public_id(object_type: str, key: uuid.UUID | None) -> str | None:
    model = _model(object_type)
    if key is None or model is None or not issubclass(model, HooklineModel):
        return None
    return encode_public_id(model.ID_PREFIX, key)
