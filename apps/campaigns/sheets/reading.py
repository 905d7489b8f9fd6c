"""From the bytes of a CSV file to rows of named cells, and back. Pure.

Spreadsheets save in UTF-8 with or without a mark, in UTF-16, or in Windows-1252; with commas,
semicolons or tabs. All of that is read.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST_BYTES = 10_000_000
MOST_ROWS = 10_000
_MOST_IN_A_CELL = 20_000
# A header may have this many columns that are not known, before it is no header of ours.
_MOST_UNKNOWN_COLUMNS = 50
_DELIMITERS = ",;\t"
# What a spreadsheet takes for a formula, and the sign that keeps it from doing so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AS_TEXT = "'"


class UnreadableSheet(ValueError):
    """The file as a whole can not be read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a cell, a row (`column` is "") or the header (row 1)."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row by its number in the spreadsheet, with what each column has."""

    number: int
    cells: dict[str, str]


def read_sheet(
    content: bytes, *, columns: Sequence[str], required: Iterable[str]
) -> tuple[list[SheetRow], list[Fault]]:
    """Return the rows, and what is wrong with the header and the shape of rows.

    Empty rows are left out. What is required may be missing where rows are named by `id`. Raises
    UnreadableSheet.
    """
    records = _records(_text_of(content))
    header, faults = _header(next(records, []), columns, set(required))
    rows: list[SheetRow] = []
    for number, values in enumerate(records, start=2):
        if not any(value.strip() for value in values):
            continue
        if len(rows) == MOST_ROWS:
            raise UnreadableSheet(f"The file has more than {MOST_ROWS:,} rows; split it.")
        if any(value.strip() for value in values[len(header) :]):
            faults.append(
                Fault(number, "", "too_many_cells", "This row has more cells than the header.")
            )
        cells = dict(zip(header, map(_plain, values), strict=False))
        rows.append(SheetRow(number, {name: cells.get(name, "") for name in header if name}))
    if not rows and not faults:
        raise UnreadableSheet("The file has a header and no rows.")
    return rows, faults


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file that spreadsheets read as text, whatever the cells begin with."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return _AS_TEXT + text if text.lstrip(" ").startswith((*_FORMULA, _AS_TEXT)) else text


def _plain(cell: str) -> str:
    text = cell.strip()
    if text.startswith(_AS_TEXT) and text[1:].lstrip(" ").startswith((*_FORMULA, _AS_TEXT)):
        return text[1:].strip()
    return text


def _text_of(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise UnreadableSheet(f"The file is larger than {MOST_BYTES:,} bytes; split it.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableSheet("The file is no text. Save it as “CSV UTF-8”.")


def _records(text: str) -> Iterator[list[str]]:
    first, _, others = text.partition("\n")
    if first.strip().lower().startswith("sep="):
        delimiter, text = first.strip()[4:5], others
        first = others.partition("\n")[0]
    else:
        delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in _DELIMITERS or not first.strip():
        raise UnreadableSheet("The first row must name the columns, separated by commas.")
    return _checked(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _checked(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    number = 0
    try:
        for number, values in enumerate(reader, start=1):
            if any(len(value) > _MOST_IN_A_CELL for value in values):
                raise UnreadableSheet(f"Row {number}: a cell is longer than {_MOST_IN_A_CELL:,}.")
            yield values
    except csv.Error as error:
        raise UnreadableSheet(
            f"Row {number + 1} can not be read: {error}. Quotes in a cell are written twice."
        ) from None


def _header(
    values: Sequence[str], columns: Sequence[str], required: set[str]
) -> tuple[list[str], list[Fault]]:
    """Return the name of each column, "" for one that is not known, and what is wrong."""
    names = ["_".join(value.strip().lower().split()) for value in values]
    while names and not names[-1]:
        names.pop()
    most = len(columns) + _MOST_UNKNOWN_COLUMNS
    if len(names) > most:
        raise UnreadableSheet(f"The first row names more than {most} columns.")
    faults = []
    for place, name in enumerate(names):
        if name not in columns:
            known = ", ".join(columns)
            message = f"There is no such column. There are: {known}."
            faults.append(Fault(1, values[place][:40], "unknown_column", message))
        elif name in names[:place]:
            faults.append(Fault(1, name, "repeated_column", "This column is there twice."))
    for name in columns:
        if name in required and name not in names and "id" not in names:
            faults.append(Fault(1, name, "missing_column", "This column is missing."))
    return [name if name in columns else "" for name in names], faults
