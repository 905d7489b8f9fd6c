"""What goes on in the database meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


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
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return int(cursor.fetchone()[0])
