"""What goes on in the database meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Not those of PostgreSQL itself, as autovacuum: it comes when it likes, and is not ours to end.
_OTHERS = (
    "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


@contextmanager
def database_away() -> Iterator[None]:
    """Let nobody connect during the block, and drop the connection that there is."""
    connection.close()
    before = dict(connection.settings_dict)
    connection.settings_dict |= {"HOST": "/nonexistent"}
    try:
        yield
    finally:
        connection.settings_dict |= before


def open_transactions() -> int:
    """Count those of other sessions on this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {_OTHERS} AND xact_start IS NOT NULL"  # noqa: S608
        )
        return int(cursor.fetchone()[0])


def how_many_wait() -> int:
    """Count the other sessions on this database that wait for a lock."""
    with connection.cursor() as cursor:
        # A transaction sees no session that comes after its first look at them.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            f"SELECT count(*) FROM {_OTHERS}"  # noqa: S608
            " AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)"
        )
        return int(cursor.fetchone()[0])


def somebody_waits() -> bool:
    """Tell whether another session on this database waits for a lock."""
    return how_many_wait() > 0


def cut_others() -> int:
    """Cut every connection to this database but ours, and return how many there were.

    They are gone by then: one that is only told to end may still take a statement.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            f"SELECT count(pg_terminate_backend(pid, 60000)) FROM {_OTHERS}"  # noqa: S608
        )
        return int(cursor.fetchone()[0])
