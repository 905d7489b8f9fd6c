"""Reading CSV files as spreadsheets write them, and writing ones that are safe to open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.sheets.reading import (
    MOST_ROWS,
    UnreadableSheet,
    read_sheet,
    safe_cell,
    write_sheet,
)

COLUMNS = ["id", "name", "city"]


def cells(content: bytes) -> list[dict[str, str]]:
    rows, faults = read_sheet(content, columns=COLUMNS, required=["name"])
    assert faults == []
    return [row.cells for row in rows]


class TestEncodings:
    @pytest.mark.parametrize(
        "content",
        [
            "name,city\nCafé,Köln\n".encode(),
            "name,city\r\nCafé,Köln\r\n".encode("utf-8-sig"),
            "name;city\nCafé;Köln".encode("cp1252"),
            "name\tcity\nCafé\tKöln".encode("utf-16"),
            "sep=;\nName ; CITY\n“x”;y".replace("“x”", "Café").replace("y", "Köln").encode(),
            '\ufeff"name","city"\n"Café","Köln"'.encode(),
        ],
    )
    def test_are_told_apart(self, content: bytes) -> None:
        assert cells(content) == [{"name": "Café", "city": "Köln"}]

    @pytest.mark.parametrize(
        "content",
        [b"", b"\n\n", b"name", b"name,city\n", b"PK\x03\x04\x00\x00\x00", b"\xff\xfe\x00"],
    )
    def test_of_what_is_no_sheet_are_refused(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet):
            read_sheet(content, columns=COLUMNS, required=["name"])


class TestShape:
    @pytest.mark.parametrize("name", ["id", "x"])
    def test_of_a_header_has_a_bound(self, name: str) -> None:
        content = ",".join([name] * 100_000).encode() + b"\nA\n"
        with pytest.raises(UnreadableSheet, match="more than"):
            read_sheet(content, columns=COLUMNS, required=["name"])

    def test_numbers_rows_as_the_spreadsheet_does(self) -> None:
        rows, _ = read_sheet(
            b'name\n"two\nlines"\n\n , \nfour\n', columns=COLUMNS, required=["name"]
        )
        assert [(row.number, row.cells["name"]) for row in rows] == [(2, "two\nlines"), (5, "four")]

    def test_short_rows_end_with_empty_cells(self) -> None:
        assert cells(b"name,city\nDowntown\n") == [{"name": "Downtown", "city": ""}]

    @pytest.mark.parametrize(
        ("content", "row", "column", "code"),
        [
            (b"name,town\nA,B\n", 1, "town", "unknown_column"),
            (b"name,name\nA,B\n", 1, "name", "repeated_column"),
            (b"city\nA\n", 1, "name", "missing_column"),
            (b"name\nA,B\n", 2, "", "too_many_cells"),
        ],
    )
    def test_faults_name_their_place(
        self, content: bytes, row: int, column: str, code: str
    ) -> None:
        _, (fault,) = read_sheet(content, columns=COLUMNS, required=["name"])
        assert (fault.row, fault.column, fault.code) == (row, column, code)

    def test_nothing_is_required_of_rows_with_an_id(self) -> None:
        assert cells(b"id,city\nloc_1,Boston\n") == [{"id": "loc_1", "city": "Boston"}]

    @pytest.mark.parametrize(
        "content",
        [
            b"name\n" + b"x\n" * (MOST_ROWS + 1),
            b"name\n" + b"x" * 20_001,
            b'name\n"never closed',
            b'name\n"a"b\n',
        ],
    )
    def test_has_limits(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet):
            read_sheet(content, columns=COLUMNS, required=["name"])


class TestFormulas:
    @pytest.mark.parametrize("text", ["=1+1", "+15551234567", "-1", "@x", "\t=1", " =1", "'=1"])
    def test_are_written_as_text(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "Downtown", "a=b", "o'clock", "1-2"])
    def test_and_nothing_else_is_marked(self, text: str) -> None:
        assert safe_cell(text) == text

    @given(st.text(st.characters(exclude_categories=["C"], exclude_characters="\x85"), max_size=40))
    def test_come_back_as_they_were(self, text: str) -> None:
        content = write_sheet(["id", "name", "city"], [["loc_1", text, "x"]])
        assert cells(content)[0]["name"] == text.strip()
