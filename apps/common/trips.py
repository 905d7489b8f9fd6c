"""A tenant scope whose statements go to PostgreSQL together, where somebody waits for each trip.

To begin, to put up the wall, to ask and to commit is one trip instead of four, and for the process
one wait at which other threads take their turn instead of four.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from django.db import connection

from apps.common.access import Access
from apps.common.prepared import prepared_cursor
from apps.common.statements import Parameters, Row
from apps.common.tenancy import tenant_scope, wall_statement


class Asked(Protocol):
    """A statement that was sent along."""

    def rows(self) -> list[Row]:
        """Return what it found. Inside the scope that is a trip; after it, it is there."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What goes to PostgreSQL together. `ask` sends a statement along, planned once in a while."""

    ask: Callable[[str, Parameters], Asked]


@dataclass(frozen=True, slots=True)
class _Found:
    found: list[Row]

    def rows(self) -> list[Row]:
        return self.found


@contextmanager
def tenant_trip(access: Access) -> Iterator[Trip]:
    """Run the block in one transaction that reaches only the accounts of `access`.

    As `tenant_scope`, for a block that does nothing with the database but `ask`. Raises the errors
    of `django.db`, at the latest where it ends. Inside a transaction there is nothing to save.
    """
    if connection.in_atomic_block:
        with tenant_scope(access), prepared_cursor() as cursor:
            yield Trip(lambda statement, parameters: _Found(cursor.rows(statement, parameters)))
        return
    with prepared_cursor() as cursor:
        link = connection.connection
        try:
            with cursor.together() as send:
                send("BEGIN", None)
                send(*wall_statement(access))
                yield Trip(send)
                send("COMMIT", None)
        except BaseException:
            if not link.broken:
                link.rollback()
            raise
