"""Statements that PostgreSQL plans once in a while, where somebody waits for each of them."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

# A connection that answered so recently is not asked whether it lives before it is used again.
_TRUSTED_FOR_S = 1.0
# A plan lasts so long: one that was made while a table was empty may read all of it, and does so
# for as long as it is kept. That goes for those of foreign keys and of functions, too.
_PLAN_FOR_S = 5.0
_planned_at: WeakKeyDictionary[psycopg.Connection[Any], float] = WeakKeyDictionary()


class _Answers(threading.local):
    """When the connection of this thread last answered, by the monotonic clock."""

    at = float("-inf")


_answers = _Answers()
_UNCOUNTED = nullcontext()


def trust_connection() -> BaseDatabaseWrapper:
    """Spare Django's connection the check of its health while it is busy, and return it.

    That would be a statement more for each request. One that comes within a second of the loss of
    its connection fails for it, as those do that are under way.
    """
    # `django.db.connection` would look this up again at each attribute.
    own = connections[DEFAULT_DB_ALIAS]
    if monotonic() - _answers.at < _TRUSTED_FOR_S:
        own.health_check_done = True  # type: ignore[attr-defined]  # the stubs leave it out
    return own


def note_answer() -> None:
    """Note that the connection of this thread has just answered."""
    _answers.at = monotonic()


@contextmanager
def prepared_cursor() -> Iterator["PreparedCursor"]:
    """Open a cursor on Django's connection, in its transaction if one is open.

    Its statements are few and constant: each connection keeps a plan of every text for a while.
    Raises the errors of `django.db`, as any cursor of Django's.
    """
    own = trust_connection()
    if not own.in_atomic_block:
        own.close_if_health_check_failed()
        own.ensure_connection()
    with own.wrap_database_errors, psycopg.Cursor(own.connection) as cursor:
        if monotonic() - _planned_at.get(own.connection, 0.0) > _PLAN_FOR_S:
            cursor.execute("DISCARD PLANS")
            _planned_at[own.connection] = monotonic()
        yield PreparedCursor(cursor)


class PreparedCursor:
    """Runs statements whose parameters are bound by the server; texts want a cast there."""

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        self._own = connections[DEFAULT_DB_ALIAS]
        self._cursor = cursor

    def rows(self, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return what it found."""
        self.run(statement, parameters)
        found = self._cursor.fetchall()
        note_answer()
        return found

    def run(self, statement: str, parameters: Any) -> None:
        """Run a statement that returns nothing."""
        with self._counted(statement, parameters):
            self._cursor.execute(statement, parameters, prepare=True)

    def _counted(self, statement: str, parameters: Any) -> AbstractContextManager[None]:
        """Let Django know of the statement where somebody counts them."""
        if not self._own.queries_logged:
            return _UNCOUNTED
        cursor: Any = self._cursor
        return self._own.make_debug_cursor(cursor).debug_sql(statement, parameters)


@receiver(connection_created)
def plan_once(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Let psycopg prepare, which Django has it never do, and PostgreSQL keep the first plan.

    It would weigh a new one each time.
    """
    connection.connection.prepare_threshold = 0
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
