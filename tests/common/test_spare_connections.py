"""Connections that threads hand on to each other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.core.signals import request_finished, request_started
from django.db import (
    OperationalError,
    close_old_connections,
    connection,
    connections,
    reset_queries,
    transaction,
)

from apps.common import spare_connections as module
from apps.common.spare_connections import SpareConnections

pytestmark = pytest.mark.django_db(transaction=True)

_Result = TypeVar("_Result")


@pytest.fixture
def spare() -> Iterator[SpareConnections]:
    spare = SpareConnections()
    spare.share()
    yield spare
    del connections.create_connection
    request_finished.disconnect(spare._give_back)
    request_finished.connect(close_old_connections)
    request_started.connect(close_old_connections)
    request_started.connect(reset_queries)
    while spare._spare:
        spare._spare.pop()[1].close()


def in_a_thread(work: Callable[[], _Result]) -> _Result:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def request(within: Callable[[], _Result] = server_process) -> _Result:  # type: ignore[assignment]
    request_started.send(None)
    try:
        return within()
    finally:
        request_finished.send(None)


def test_the_one_that_rested_least_is_used_next(spare: SpareConnections) -> None:
    met = Barrier(2)

    def at_once() -> int:
        met.wait(20)
        found = server_process()
        met.wait(20)
        return found

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: request(at_once), range(2))
    assert first != second
    last = in_a_thread(request)
    assert last in {first, second}
    assert [in_a_thread(request) for _ in range(3)] == [last] * 3


def test_others_use_it_while_its_thread_waits(spare: SpareConnections) -> None:
    def wait_within() -> tuple[int, int, int]:
        before = server_process()
        with spare.lent():
            other = in_a_thread(request)
        return before, other, server_process()

    assert len(set(in_a_thread(lambda: request(wait_within)))) == 1


def test_one_that_broke_is_not_handed_on(spare: SpareConnections) -> None:
    def break_it() -> int:
        found = server_process()
        with pytest.raises(Exception, match="terminating"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return found

    broken = in_a_thread(lambda: request(break_it))
    assert in_a_thread(request) != broken


def test_one_that_nobody_needs_is_closed(
    spare: SpareConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_thread(request)
    ((_, rested),) = spare._spare
    assert rested.connection is not None
    monkeypatch.setattr(module, "_MOST_REST_S", -1.0)
    in_a_thread(request)
    assert rested.connection is None
    assert not spare._spare


def test_none_is_lent_or_handed_on_in_a_transaction(spare: SpareConnections) -> None:
    def lend_within() -> None:
        with transaction.atomic(), spare.lent():
            raise AssertionError("it was lent")

    def leave_open() -> int:
        transaction.atomic().__enter__()
        return server_process()

    with pytest.raises(RuntimeError, match="transaction"):
        in_a_thread(lambda: request(lend_within))
    left = in_a_thread(lambda: request(leave_open))
    assert in_a_thread(request) != left


def test_one_that_broke_is_not_lent(spare: SpareConnections) -> None:
    def break_and_lend() -> tuple[int, int]:
        broken = server_process()
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with spare.lent():
            return broken, in_a_thread(request)

    broken, other = in_a_thread(lambda: request(break_and_lend))
    assert broken != other


def test_a_request_that_asks_nothing_has_none(spare: SpareConnections) -> None:
    in_a_thread(lambda: request(lambda: None))
    assert not spare._spare


def test_is_left_alone_where_none_are_shared() -> None:
    with SpareConnections().lent():
        assert connections.all(initialized_only=True)
