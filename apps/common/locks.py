"""Locks in the database on what is no row: all processes keep to them."""

from django.db import connection

from apps.common.prepared import prepared_cursor


def hold(name: str) -> None:
    """Wait until nobody else holds this name, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def bound_waiting(milliseconds: int) -> None:
    """Let no statement of this transaction wait longer for a lock: it raises OperationalError."""
    with prepared_cursor() as cursor:
        cursor.rows("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])
