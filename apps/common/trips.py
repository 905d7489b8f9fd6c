"""A tenant scope whose statements go to PostgreSQL together, where somebody waits for each trip.

To begin, to put up the wall, to ask and to commit is one trip instead of four, and for the process
one wait at which other threads take their turn instead of four.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from apps.common.access import Access
from apps.common.prepared import PreparedCursor, note_answer, prepared_cursor
from apps.common.tenancy import tenant_scope, wall_statement


class Asked:
    """A statement that was sent along."""

    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> None:
        self._cursor = cursor

    def rows(self) -> list[tuple[Any, ...]]:
        """Return what it found. Inside the scope that is a trip; after it, it is there."""
        return self._cursor.fetchall()


class Trip:
    """What goes to PostgreSQL together."""

    def ask(self, statement: str, parameters: Any) -> Asked:
        """Send a statement along, planned once a connection as those of a prepared cursor."""
        cursor = psycopg.Cursor(connection.connection)
        PreparedCursor(cursor).run(statement, parameters)
        return Asked(cursor)


@contextmanager
def tenant_trip(access: Access) -> Iterator[Trip]:
    """Run the block in one transaction that reaches only the accounts of `access`.

    As `tenant_scope`, for a block that does nothing with the database but `ask`. Raises the errors
    of `django.db`, at the latest where it ends. Inside a transaction there is nothing to save.
    """
    if connection.in_atomic_block:
        with tenant_scope(access), connection.wrap_database_errors:
            yield Trip()
        return
    with prepared_cursor() as cursor:
        link = connection.connection
        try:
            with link.pipeline():
                cursor.run("BEGIN", None)
                cursor.run(*wall_statement(access))
                yield Trip()
                cursor.run("COMMIT", None)
            note_answer()
        except BaseException:
            if not link.broken:
                link.rollback()
            raise
