"""Statements that a connection knows by name, one by one and in a pipeline."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from apps.common.statements import Link, Pipeline, Statements

pytestmark = pytest.mark.django_db

ADD = "SELECT %s::int + %s::int AS added_by_statements"


@pytest.fixture
def link() -> Iterator[Link]:
    wanted = connection.get_connection_params()
    named = {name: wanted[name] for name in ("dbname", "user", "password", "host")}
    with psycopg.connect(**named, autocommit=True) as link:
        yield link


@pytest.fixture
def statements() -> Statements:
    return Statements()


def prepared(link: Link) -> list[str]:
    """Return what the server knows by a name of ours."""
    found = link.execute(
        "SELECT statement FROM pg_prepared_statements WHERE name LIKE 'hookline%' ORDER BY 1"
    )
    return [statement for (statement,) in found.fetchall()]


class TestAStatement:
    def test_is_prepared_once(self, link: Link, statements: Statements) -> None:
        assert [statements.run(link, ADD, [number, 1]) for number in range(3)] == [
            [(1,)],
            [(2,)],
            [(3,)],
        ]
        assert prepared(link) == ["SELECT $1::int + $2::int AS added_by_statements"]

    @pytest.mark.parametrize(
        ("cast", "value"),
        [
            ("text", 'it\'s \\ "all" {of} 100% é🙂\n'),
            ("text", ""),
            ("text", None),
            ("bigint", -(2**40)),
            ("boolean", True),
            ("boolean", False),
            ("uuid", uuid.uuid4()),
        ],
    )
    def test_takes_values_as_they_are(
        self, link: Link, statements: Statements, cast: str, value: Any
    ) -> None:
        assert statements.run(link, f"SELECT %s::{cast}", [value]) == [(value,)]

    def test_takes_values_by_name_and_signs_of_percent(
        self, link: Link, statements: Statements
    ) -> None:
        found = statements.run(
            link, "SELECT %(b)s::int, %(a)s::text, %(b)s::int, 'a' LIKE 'a%%'", {"a": "A", "b": 2}
        )
        assert found == [(2, "A", 2, True)]

    def test_refuses_values_that_it_does_not_know(self, link: Link, statements: Statements) -> None:
        with pytest.raises(TypeError, match="list"):
            statements.run(link, "SELECT %s::int[]", [[1]])
        with pytest.raises(psycopg.DataError, match="NUL"):
            statements.run(link, "SELECT %s::text", ["a\0b"])
        assert statements.run(link, ADD, [1, 1]) == [(2,)]

    @pytest.mark.parametrize("commits_by_itself", [True, False])
    def test_begins_a_transaction_where_psycopg_would(
        self, link: Link, statements: Statements, commits_by_itself: bool
    ) -> None:
        link.autocommit = commits_by_itself
        statements.run(link, "SELECT set_config('lock_timeout', '7ms', true)", None)
        kept = "0" if commits_by_itself else "7ms"
        assert statements.run(link, "SHOW lock_timeout", None) == [(kept,)]

    def test_outlives_an_undone_transaction(self, link: Link, statements: Statements) -> None:
        with link.transaction(force_rollback=True):
            statements.run(link, ADD, [1, 1])
        assert statements.run(link, ADD, [1, 2]) == [(3,)]
        assert len(prepared(link)) == 1

    def test_is_prepared_anew_once_the_server_has_forgotten_it_or_its_table_changed(
        self, link: Link, statements: Statements
    ) -> None:
        link.execute("CREATE TEMPORARY TABLE changing (a int)")
        all_of_it = "SELECT * FROM changing"
        assert statements.run(link, all_of_it, None) == []
        for change in ("ALTER TABLE changing ADD b int", "DEALLOCATE ALL"):
            link.execute(change)
            with pytest.raises(psycopg.Error):
                statements.run(link, all_of_it, None)
            assert statements.run(link, all_of_it, None) == []


class TestAPipeline:
    def test_answers_in_order(self, link: Link, statements: Statements) -> None:
        statements.run(link, ADD, [0, 0])
        with Pipeline(link, statements) as pipeline:
            first = pipeline.send(ADD, [1, 1])
            other = pipeline.send("SELECT 'other'", None)
            assert first.rows() == [(2,)]
            last = pipeline.send(ADD, [2, 2])
        assert (other.rows(), last.rows()) == ([("other",)], [(4,)])
        assert statements.run(link, ADD, [3, 3]) == [(6,)]

    def test_runs_nothing_after_what_fails(self, link: Link, statements: Statements) -> None:
        link.execute("CREATE TEMPORARY TABLE kept (a int)")

        def add_and_fail() -> None:
            with Pipeline(link, statements) as pipeline:
                pipeline.send("BEGIN", None)
                pipeline.send("INSERT INTO kept VALUES (1)", None)
                pipeline.send("SELECT 1 / %s::int", [0])
                pipeline.send("COMMIT", None)

        with pytest.raises(psycopg.errors.DivisionByZero):
            add_and_fail()
        link.rollback()
        assert statements.run(link, "SELECT * FROM kept", None) == []

    def test_ends_where_its_block_fails(self, link: Link, statements: Statements) -> None:
        def send_and_fail() -> None:
            with Pipeline(link, statements) as pipeline:
                pipeline.send("SELECT nonsense", None)
                raise KeyError

        with pytest.raises(KeyError):
            send_and_fail()
        assert statements.run(link, ADD, [1, 1]) == [(2,)]

    def test_takes_more_than_the_sockets_hold(self, link: Link, statements: Statements) -> None:
        large = "x" * 3_000_000
        with Pipeline(link, statements) as pipeline:
            sent = [pipeline.send("SELECT %s::text", [large]) for _ in range(5)]
        assert all(each.rows() == [(large,)] for each in sent)

    def test_says_that_the_connection_is_gone(self, link: Link, statements: Statements) -> None:
        ((pid,),) = statements.run(link, "SELECT pg_backend_pid()", None)
        with connection.cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
        with pytest.raises(psycopg.OperationalError), Pipeline(link, statements) as pipeline:
            pipeline.send(ADD, [1, 1])
        assert link.broken
