"""Locks in the database on what is no row: all processes keep to them."""

from django.db import connection


def hold(name: str) -> None:
    """Wait until nobody else holds this name, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
