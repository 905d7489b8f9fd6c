"""Statements that PostgreSQL plans once in a while, where somebody waits for each of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from apps.common.statements import Link, Parameters, Pipeline, Row, Sent, Statements

# A connection that answered so recently is not asked whether it lives before it is used again.
_TRUSTED_FOR_S = 1.0
# A plan lasts so long: one that was made while a table was empty may read all of it, and does so
# for as long as it is kept. That goes for those of foreign keys and of functions, too.
_PLAN_FOR_S = 5.0
_FORGET_PLANS = "DISCARD PLANS"
_UNCOUNTED = nullcontext()


@dataclass(slots=True)
class _Known:
    """What is known of a connection; the times are those of the monotonic clock."""

    statements: Statements = field(default_factory=Statements)
    planned_at: float = float("-inf")
    answered_at: float = float("-inf")


_known: WeakKeyDictionary[Link, _Known] = WeakKeyDictionary()


def trust_connection() -> BaseDatabaseWrapper:
    """Spare Django's connection the check of its health while it is busy, and return it.

    That would be a statement more for each request. One that comes within a second of the loss of
    its connection fails for it, as those do that are under way.
    """
    # `django.db.connection` would look this up again at each attribute.
    own = connections[DEFAULT_DB_ALIAS]
    known = None if own.connection is None else _known.get(own.connection)
    if known is not None and monotonic() - known.answered_at < _TRUSTED_FOR_S:
        own.health_check_done = True  # type: ignore[attr-defined]  # the stubs leave it out
    return own


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
    with own.wrap_database_errors:
        yield PreparedCursor(own)


class PreparedCursor:
    """Runs statements whose parameters are bound by the server; texts may want a cast there."""

    def __init__(self, own: BaseDatabaseWrapper) -> None:
        self._own = own
        self._link: Link = own.connection
        known = _known.get(self._link)
        if known is None:
            known = _known[self._link] = _Known()
        self._known = known
        if monotonic() - known.planned_at > _PLAN_FOR_S:
            # Nobody asked for it, so it is not counted.
            known.statements.run(self._link, _FORGET_PLANS, None)
            known.planned_at = monotonic()

    def rows(self, statement: str, parameters: Parameters) -> list[Row]:
        """Run a statement and return what it found."""
        with self._counted(statement, parameters):
            found = self._known.statements.run(self._link, statement, parameters)
        self._known.answered_at = monotonic()
        return found

    def run(self, statement: str, parameters: Parameters) -> None:
        """Run a statement that returns nothing."""
        self.rows(statement, parameters)

    @contextmanager
    def together(self) -> Iterator[Callable[[str, Parameters], Sent]]:
        """Have what the block sends go to the server together, and the answers come together."""
        with Pipeline(self._link, self._known.statements) as pipeline:

            def send(statement: str, parameters: Parameters) -> Sent:
                with self._counted(statement, parameters):
                    return pipeline.send(statement, parameters)

            yield send
        self._known.answered_at = monotonic()

    def _counted(self, statement: str, parameters: Parameters) -> AbstractContextManager[None]:
        """Let Django know of the statement where somebody counts them."""
        if not self._own.queries_logged:
            return _UNCOUNTED
        cursor: Any = self
        return self._own.make_debug_cursor(cursor).debug_sql(statement, parameters)


@receiver(connection_created)
def plan_once(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Let PostgreSQL keep the first plan of a statement. It would weigh a new one each time."""
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
