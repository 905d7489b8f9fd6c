"""Statements that are planned once a connection."""

from time import monotonic
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from apps.common import prepared
from apps.common.prepared import prepared_cursor
from apps.common.statements import Link, Statements

pytestmark = pytest.mark.django_db


def of_owner() -> dict[str, Any]:
    """Return how to connect once more."""
    wanted = connection.get_connection_params()
    return {name: wanted[name] for name in ("dbname", "user", "password", "host")}


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

    def test_plans_anew_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run: list[str] = []
        send = Statements.run

        def noting(own: Statements, link: Link, statement: str, *more: Any) -> Any:
            run.append(statement)
            return send(own, link, statement, *more)

        def ask(at_s: float) -> None:
            monkeypatch.setattr(prepared, "monotonic", lambda: at_s)
            with prepared_cursor() as cursor:
                cursor.rows(ADD, [1])

        monkeypatch.setattr(Statements, "run", noting)
        start_s = monotonic() + 100
        for later_s in (0, 1, 4, 6, 7):
            ask(start_s + later_s)

        assert run == ["DISCARD PLANS", ADD, ADD, ADD, "DISCARD PLANS", ADD, ADD]

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


class TestAConnection:
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("seconds_ago", [0.5, 60])
    def test_is_asked_whether_it_lives_unless_it_has_just_answered(
        self, monkeypatch: pytest.MonkeyPatch, seconds_ago: float
    ) -> None:
        with prepared_cursor() as cursor:
            cursor.rows(ADD, [1])
            ((pid,),) = cursor.rows("SELECT pg_backend_pid()", None)
            answered_at = cursor._known.answered_at
        with psycopg.connect(**of_owner(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
        connection.health_check_enabled, connection.health_check_done = True, False
        monkeypatch.setattr(prepared, "monotonic", lambda: answered_at + seconds_ago)

        if seconds_ago < 1:
            with pytest.raises(OperationalError), prepared_cursor() as cursor:
                cursor.rows(ADD, [2])
            connection.close()
        else:
            with prepared_cursor() as cursor:
                assert cursor.rows(ADD, [2]) == [(3,)]
