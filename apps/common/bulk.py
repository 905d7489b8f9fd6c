"""Making many rows of a model, and writing them with one statement.

Its only parameter is a JSON document, which PostgreSQL takes apart by the columns of the table. A
parameter for each value would cost Python many times as much.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.base import ModelState

from apps.common.documents import as_json
from apps.common.prepared import prepared_cursor

_Row = TypeVar("_Row", bound=Model)


def new_row(model: type[_Row], values: dict[str, Any], **related: Model) -> _Row:
    """Return a new instance as the constructor of its model does, at a tenth of its cost.

    `values` are by attribute (`webhook_id`) and not checked, `related` are rows by relation. No
    signals are sent.
    """
    row = model.__new__(model)
    constants, makers = _defaults(model)
    state, attributes = ModelState(), row.__dict__
    attributes["_state"] = state
    attributes.update(constants)
    for name, make in makers:
        if name not in values:
            attributes[name] = make()
    attributes.update(values)
    for name, other in related.items():
        attributes[f"{name}_id"] = other.pk
        state.fields_cache[name] = other
    return row


def insert_rows(rows: Sequence[Model]) -> None:
    """Store new rows of one model; raises IntegrityError.

    Each field is stored as its attribute is: no encrypted ones, and none that only the database
    has a default for. No signals are sent.
    """
    if not rows:
        return
    model = type(rows[0])
    _write(_insertion(model), _document(rows, *_columns(model)))
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write these fields of stored rows of one model, as `insert_rows` does."""
    if rows:
        model = type(rows[0])
        document = _document(rows, *_columns(model, ("pk", *fields)))
        _write(_update(model, tuple(fields)), document)


def _write(statement: str, document: str) -> None:
    with prepared_cursor() as cursor:
        cursor.run(statement, [document])


def _document(rows: Sequence[Model], columns: Sequence[str], attributes: Sequence[str]) -> str:
    pairs = [*zip(columns, attributes, strict=True)]
    return as_json(
        [
            {
                column: value
                for column, attribute in pairs
                if (value := values[attribute]) is not None
            }
            for values in map(vars, rows)
        ]
    ).decode()


@lru_cache
def _defaults(
    model: type[Model],
) -> tuple[dict[str, Any], Sequence[tuple[str, Callable[[], Any]]]]:
    """Return the values that every new row has, and what makes those that differ."""
    fields = model._meta.concrete_fields
    makers = {
        field.attname: field.default
        for field in fields
        if field.has_default() and callable(field.default)
    }
    constants = {
        field.attname: field.get_default() for field in fields if field.attname not in makers
    }
    return constants, [*makers.items()]


@lru_cache
def _columns(
    model: type[Model], names: tuple[str, ...] = ()
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the columns of fields, of all without names, and the attributes that hold them."""
    meta: Any = model._meta
    fields = [meta.pk if name == "pk" else meta.get_field(name) for name in names]
    fields = fields or meta.concrete_fields
    return [field.column for field in fields], [field.attname for field in fields]


@lru_cache
def _insertion(model: type[Model]) -> str:
    table, columns = model._meta.db_table, ", ".join(_columns(model)[0])
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_given(table)}"  # noqa: S608


@lru_cache
def _update(model: type[Model], fields: tuple[str, ...]) -> str:
    table, (key, *changed) = model._meta.db_table, _columns(model, ("pk", *fields))[0]
    changes = ", ".join(f"{column} = given.{column}" for column in changed)
    return f"UPDATE {table} SET {changes} FROM {_given(table)} WHERE {table}.{key} = given.{key}"  # noqa: S608


def _given(table: str) -> str:
    return f"json_populate_recordset(NULL::{table}, %s) AS given"
