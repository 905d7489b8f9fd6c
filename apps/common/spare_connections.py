"""Connections to PostgreSQL that the threads of a web process hand on to each other.

Django keeps one for each thread. Most threads are there to wait, for the receivers of IVRs or for
a round of events, and all of them take turns: each connection would be used now and then, and
neither it nor its server process be warm. So whoever needs one takes the one that rested least, and
gives it back.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper

# One that nobody needed for so long is closed when another one is given back.
_MOST_REST_S = 60.0


class SpareConnections:
    """Those that no thread has, and since when; the one that rested least is the last."""

    def __init__(self) -> None:
        self._spare: deque[tuple[float, BaseDatabaseWrapper]] = deque()
        self._open = connections.create_connection
        self._is_shared = False

    def share(self) -> None:
        """Let the requests of this process share them, from now on."""
        self._is_shared = True
        # Django asks for one when a thread that has none needs it.
        connections.create_connection = self._take  # type: ignore[method-assign]
        # So a request begins without, and there is nothing to close or to reset.
        request_started.disconnect(close_old_connections)
        request_started.disconnect(reset_queries)
        # It closes what Django would.
        request_finished.disconnect(close_old_connections)
        request_finished.connect(self._give_back)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend the connection of a request to others while its thread waits for somebody else.

        Raises RuntimeError in a transaction. Does nothing where connections are not shared.
        """
        if self._is_shared:
            if any(own.in_atomic_block for own in connections.all(initialized_only=True)):
                raise RuntimeError("A connection is not lent in the middle of its transaction.")
            self._give_back()
        yield

    def _take(self, alias: str) -> BaseDatabaseWrapper:
        try:
            return self._spare.pop()[1]
        except IndexError:
            own = self._open(alias)
            own.inc_thread_sharing()
            return own

    def _give_back(self, **_: Any) -> None:
        for own in connections.all(initialized_only=True):
            del connections[DEFAULT_DB_ALIAS]
            own.queries_log.clear()
            if own.in_atomic_block:
                # Whoever had it next would be in this transaction, and behind its wall.
                own.close()
                continue
            own.close_if_unusable_or_obsolete()
            self._spare.append((monotonic(), own))
        with suppress(IndexError):  # Another thread took the last one.
            while self._spare[0][0] < monotonic() - _MOST_REST_S:
                self._spare.popleft()[1].close()


spare_connections = SpareConnections()
