"""Writing many rows of a model with one statement, whose only parameter is a JSON document.

PostgreSQL takes the document apart by the columns of the table. A parameter for each value would
cost Python many times as much.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Model

from apps.common.documents import as_json
from apps.common.prepared import prepared_cursor


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
        row._state.adding, row._state.db = False, connection.alias


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
    values_of = attrgetter(*attributes)
    return as_json(
        [
            {
                column: value
                for column, value in zip(columns, values_of(row), strict=True)
                if value is not None
            }
            for row in rows
        ]
    ).decode()


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
