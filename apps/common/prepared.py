"""Statements that PostgreSQL plans once a connection, where somebody waits for each of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver


@contextmanager
def prepared_cursor() -> Iterator["PreparedCursor"]:
    """Open a cursor on Django's connection, in its transaction if one is open.

    Its statements are few and constant: each connection keeps a plan of every text. Raises the
    errors of `django.db`, as any cursor of Django's.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield PreparedCursor(cursor)


class PreparedCursor:
    """Runs statements whose parameters are bound by the server; texts want a cast there."""

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        self._cursor = cursor

    def rows(self, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return what it found."""
        self.run(statement, parameters)
        return self._cursor.fetchall()

    def run(self, statement: str, parameters: Any) -> None:
        """Run a statement that returns nothing."""
        with self._counted(statement, parameters):
            self._cursor.execute(statement, parameters, prepare=True)

    def _counted(self, statement: str, parameters: Any) -> AbstractContextManager[None]:
        """Let Django know of the statement where somebody counts them."""
        if not connection.queries_logged:
            return nullcontext()
        cursor: Any = self._cursor
        return connection.make_debug_cursor(cursor).debug_sql(statement, parameters)


@receiver(connection_created)
def plan_once(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Let psycopg prepare, which Django has it never do, and PostgreSQL keep the first plan.

    It would weigh a new one each time.
    """
    connection.connection.prepare_threshold = 0
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
