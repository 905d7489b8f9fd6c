"""The dry run of an import: what each row would do, and everything that is in its way."""

import copy
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from apps.campaigns.sheets.kinds import CellError, Column, Kind, Place, key_in
from apps.campaigns.sheets.reading import Fault, SheetRow
from apps.common.models import AccountOwned


@dataclass(slots=True)
class Checked:
    """What an import would do. It may be written only if there are no faults."""

    created: list[AccountOwned] = field(default_factory=list)
    changed: list[AccountOwned] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)


def check_rows(
    *,
    kind: Kind,
    account_id: uuid.UUID,
    rows: Sequence[SheetRow],
    on_progress: Callable[[int], None] = lambda count: None,
) -> Checked:
    """Return what these rows would do to the account; changes nothing.

    A row is about the one that its id names, else about the one with its key: the client's
    location ID, location and name of a campaign, a number. Without either it is a new one.
    """
    place = Place.of(account_id)
    stored = {
        row.pk: row
        for row in kind.model._base_manager.filter(account_id=account_id).select_related(
            *kind.related
        )
    }
    by_key = {key: row for row in stored.values() if (key := kind.key(row)) is not None}
    checked = Checked()
    taken: dict[uuid.UUID, tuple[int, Any]] = {}
    for done, sheet_row in enumerate(rows):
        _check_row(kind, account_id, sheet_row, place, stored, by_key, taken, checked)
        if done % 1000 == 999:
            on_progress(done + 1)
    _check_keys(kind, stored, taken, checked)
    return checked


def _check_row(
    kind: Kind,
    account_id: uuid.UUID,
    sheet_row: SheetRow,
    place: Place,
    stored: dict[uuid.UUID, Any],
    by_key: dict[Any, Any],
    taken: dict[uuid.UUID, tuple[int, Any]],
    checked: Checked,
) -> None:
    number = sheet_row.number
    row = kind.model(account_id=account_id)
    before = None
    if identity := sheet_row.cells.get("id"):
        try:
            before = stored.get(key_in(kind, identity))
            if before is None:
                raise CellError("not_found", f"There is no such {_noun(kind)} here.")
        except CellError as error:
            checked.faults.append(Fault(number, "id", error.code, str(error)))
            return
        row = copy.copy(before)
    faults = _fill(kind, row, before, sheet_row, place)
    if before is None:
        before = by_key.get(kind.key(row))
        if before is not None:
            row = copy.copy(before)
            faults = _fill(kind, row, before, sheet_row, place)
    faults = faults or _faults_of(kind, row, number)
    if faults:
        checked.faults.extend(faults)
        return
    if row.pk in taken:
        message = f"Row {taken[row.pk][0]} is about the same {_noun(kind)}."
        checked.faults.append(Fault(number, "", "repeated_row", message))
        return
    taken[row.pk] = (number, row)
    if before is None:
        checked.created.append(row)
        return
    changed = [column.field for column in kind.columns if _differs(column, before, row)]
    checked.fields.update(changed)
    if changed:
        checked.changed.append(row)
    else:
        checked.unchanged += 1


def _fill(kind: Kind, row: Any, before: Any, sheet_row: SheetRow, place: Place) -> list[Fault]:
    """Put the cells into the row; a column that is not there leaves its field alone."""
    faults = []
    for column in sorted(kind.columns, key=lambda column: column.is_late):
        cell = sheet_row.cells.get(column.name)
        if before is None and not cell and not column.is_required:
            continue
        if cell is None:
            if before is None:
                message = f"A new {_noun(kind)} needs the column {column.name}."
                faults.append(Fault(sheet_row.number, column.name, "required", message))
            continue
        if column.is_late and any(fault.column == "location" for fault in faults):
            continue
        try:
            value = column.read(cell, row, place)
        except CellError as error:
            faults.append(Fault(sheet_row.number, column.name, error.code, str(error)))
            continue
        if (
            before is not None
            and column.field in kind.fixed
            and value != getattr(before, column.field)
        ):
            message = f"The {column.name} of a {_noun(kind)} can not be changed."
            faults.append(Fault(sheet_row.number, column.name, "fixed", message))
            continue
        setattr(row, column.field, value)
    return faults


def _faults_of(kind: Kind, row: Any, number: int) -> list[Fault]:
    """Return what the model has against the row, without asking the database."""
    relations = {
        one.name for one in row._meta.concrete_fields if one.is_relation or one.name == "time_zone"
    }
    try:
        row.clean_fields(exclude=relations)
        kind.check(row)
    except ValidationError as error:
        names = {column.field: column.name for column in kind.columns}
        return [
            Fault(number, names.get(name, ""), fault.code or "invalid", " ".join(fault.messages))
            for name, faults in error.error_dict.items()
            for fault in faults
        ]
    return []


def _check_keys(
    kind: Kind,
    stored: dict[uuid.UUID, Any],
    taken: dict[uuid.UUID, tuple[int, Any]],
    checked: Checked,
) -> None:
    """Find rows that would share what must be unique, with each other or with stored ones."""
    owner: dict[Any, int] = {}
    for pk, row in stored.items():
        if pk not in taken and (key := kind.key(row)) is not None:
            owner[key] = 0
    for number, row in taken.values():
        key = kind.key(row)
        if key is None:
            continue
        if key in owner:
            where = f" See row {owner[key]}." if owner[key] else ""
            checked.faults.append(Fault(number, "", "not_unique", kind.key_message + where))
        else:
            owner[key] = number


def _differs(column: Column, before: Any, after: Any) -> bool:
    return bool(getattr(before, column.field) != getattr(after, column.field))


def _noun(kind: Kind) -> str:
    return str(kind.model._meta.verbose_name)
