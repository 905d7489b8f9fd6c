"""Statements that are planned once a connection."""

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.common.prepared import prepared_cursor

pytestmark = pytest.mark.django_db

ADD = "SELECT %s::int + 1 AS planned_once"


class TestPreparedCursor:
    def test_keeps_the_first_plan(self) -> None:
        for number in range(8):
            with prepared_cursor() as cursor:
                assert cursor.rows(ADD, [number]) == [(number + 1,)]
        with connection.cursor() as plain:
            plain.execute(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
                " WHERE statement LIKE '%%planned_once%%'"
            )
            assert plain.fetchall() == [(8, 0)]

    def test_is_in_the_transaction_of_django(self) -> None:
        with transaction.atomic(), prepared_cursor() as cursor:
            cursor.run("CREATE TEMPORARY TABLE seen_by_both (n int) ON COMMIT DROP", None)
            with connection.cursor() as plain:
                plain.execute("INSERT INTO seen_by_both VALUES (7)")
            assert cursor.rows("SELECT n FROM seen_by_both", None) == [(7,)]

    def test_raises_the_errors_of_django(self) -> None:
        with (
            pytest.raises(ProgrammingError),
            transaction.atomic(),
            prepared_cursor() as cursor,
        ):
            cursor.rows("SELECT nothing_of_this_name", None)
