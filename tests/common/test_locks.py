"""Locks in the database on what is no row, and how long a transaction waits for any."""

import pytest
from django.db import OperationalError, connection, connections, transaction

from apps.common.locks import bound_waiting, hold

pytestmark = pytest.mark.django_db(transaction=True)


def most_wait() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


class TestWaiting:
    def test_is_bound_in_milliseconds_until_the_transaction_ends(self) -> None:
        before = most_wait()
        with transaction.atomic():
            bound_waiting(50)
            assert most_wait() == "50ms"
        assert most_wait() == before

    def test_fails_where_somebody_holds_on(self) -> None:
        def wait_a_little() -> None:
            with transaction.atomic():
                bound_waiting(50)
                hold("held")

        holder = connections.create_connection("default")
        try:
            with holder.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('held', 0))")
            with pytest.raises(OperationalError):
                wait_a_little()
        finally:
            holder.close()
