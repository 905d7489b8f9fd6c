"""Statements that a connection knows by name, run one by one or sent together.

This goes past psycopg's cursors, to its `pq` module. They take several times as long to send a
statement and to read its answer, wait after each one even in a pipeline, and have all that is
prepared dropped whenever a transaction is undone.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Row = tuple[Any, ...]
Link = psycopg.Connection[Any]
Parameters = Sequence[Any] | Mapping[str, Any] | None
"""By position or by name; each a text, a number, a truth value, a UUID or None."""

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?([s%])")
_FAILURES = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED})
# The server knows no statement of this name, or its result has another shape than when it was
# prepared; in a pooler, another client may have one of this name.
_STALE = frozenset({"26000", "0A000", "42P05"})
_numbers = count()


class Statements:
    """What is prepared on one connection, by its text.

    Parameters are bound by the server, which takes them for texts where it can not tell: such want
    a cast. Raises the errors of psycopg.
    """

    def __init__(self) -> None:
        self._names: dict[str, bytes] = {}

    def run(self, link: Link, statement: str, parameters: Parameters) -> list[Row]:
        """Run a statement and return what it found.

        It begins a transaction where psycopg would: if none is open and the link does not commit
        by itself.
        """
        pgconn = link.pgconn
        if pgconn.transaction_status == TransactionStatus.IDLE and not link.autocommit:
            pgconn.send_query(b"BEGIN")
            _checked(link.wait(generators.execute(pgconn))[-1])
        values = _values(statement, parameters)
        is_new = statement not in self._names
        try:
            if is_new:
                self._prepare(pgconn, statement)
                _checked(link.wait(generators.execute(pgconn))[-1])
                is_new = False
            pgconn.send_query_prepared(self._names[statement], values)
            return _rows_of(link, _checked(link.wait(generators.execute(pgconn))[-1]))
        except psycopg.Error as error:
            if is_new or error.sqlstate in _STALE:
                self.forget(statement)
            raise

    def send(self, link: Link, statement: str, parameters: Parameters) -> int:
        """Put a statement into a pipeline; return how many results it has, the last one its own."""
        values = _values(statement, parameters)
        is_new = statement not in self._names
        if is_new:
            self._prepare(link.pgconn, statement)
        link.pgconn.send_query_prepared(self._names[statement], values)
        return 2 if is_new else 1

    def forget(self, statement: str) -> None:
        """Prepare a statement anew when it comes again."""
        self._names.pop(statement, None)

    def _prepare(self, pgconn: PGconn, statement: str) -> None:
        # Never the same name twice: where one was forgotten, the server may still know it.
        name = self._names[statement] = b"hookline_%d" % next(_numbers)
        pgconn.send_prepare(name, _libpq_form(statement)[0])


class Sent:
    """A statement that was sent along."""

    def __init__(self, pipeline: "Pipeline", statement: str, results: int) -> None:
        self._pipeline = pipeline
        self.statement = statement
        self.results = results
        self.result: PGresult | None = None

    def rows(self) -> list[Row]:
        """Return what it found. While the pipeline is open that is a trip to the server."""
        if self.result is None:
            self._pipeline.synchronize()
        return _rows_of(self._pipeline.link, _checked(self.result))


class Pipeline:
    """Statements that go to the server together, and whose answers come together.

    One that fails keeps those after it from being run. Raises the errors of psycopg.
    """

    def __init__(self, link: Link, statements: Statements) -> None:
        self.link = link
        self._statements = statements
        self._sent: list[Sent] = []
        self._has_failed = False

    def __enter__(self) -> "Pipeline":
        self.link.pgconn.enter_pipeline_mode()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.synchronize()
            elif not self.link.broken:
                with suppress(psycopg.Error):
                    self.synchronize()
        finally:
            if not self.link.broken:
                self.link.pgconn.exit_pipeline_mode()

    def send(self, statement: str, parameters: Parameters) -> Sent:
        """Send a statement along."""
        if self._has_failed:
            raise psycopg.InterfaceError("Nothing is sent after a statement that failed.")
        results = self._statements.send(self.link, statement, parameters)
        sent = Sent(self, statement, results)
        self._sent.append(sent)
        return sent

    def synchronize(self) -> None:
        """Wait for the answers to all that was sent."""
        sent, self._sent = self._sent, []
        if not sent:
            return
        pgconn = self.link.pgconn
        pgconn.pipeline_sync()
        expected = [each for each in sent for _ in range(each.results)]
        results = self.link.wait(_results(pgconn, len(expected)))
        failed: PGresult | None = None
        for each, result in zip(expected, results, strict=True):
            each.result = result
            if result.status in _FAILURES:
                if each.results > 1 or _state_of(result) in _STALE:
                    self._statements.forget(each.statement)
                failed = failed or result
        if failed:
            self._has_failed = True
            _checked(failed)


def _results(pgconn: PGconn, number: int) -> PQGen[list[PGresult]]:
    """Wait for so many results, and for the mark that ends them."""
    yield from generators.send(pgconn)
    found = []
    for _ in range(number + 1):
        found += yield from generators.fetch_many(pgconn)
    return found[:-1]


def _state_of(result: PGresult) -> str:
    return (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()


def _checked(result: PGresult | None) -> PGresult:
    """Return a result; raises what went wrong."""
    if result is None:
        raise psycopg.InterfaceError("The pipeline ended before this was answered.")
    if result.status in _FAILURES:
        raise error_from_result(result)
    return result


def _rows_of(link: Link, result: PGresult) -> list[Row]:
    """Return the rows of a result."""
    loading = Transformer(link)
    loading.set_pgresult(result)
    return loading.load_rows(0, result.ntuples, tuple)


def _values(statement: str, parameters: Parameters) -> list[bytes | None] | None:
    if parameters is None:
        return None
    if isinstance(parameters, Mapping):
        parameters = [parameters[name] for name in _libpq_form(statement)[1]]
    return [_as_text(value) for value in parameters]


def _as_text(value: object) -> bytes | None:
    """Return a value as PostgreSQL reads it."""
    if value is None:
        return None
    if isinstance(value, str):
        if "\0" in value:
            raise psycopg.DataError("A text of PostgreSQL holds no NUL character.")
        return value.encode()
    if isinstance(value, UUID):
        return value.hex.encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    raise TypeError(f"A prepared statement takes no {type(value).__name__}.")


@cache
def _libpq_form(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with placeholders as libpq knows them, and the names of these in order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name, kind = found.groups()
        if kind == "%":
            return "%"
        if name is None:
            name = str(len(names))
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACEHOLDER.sub(number, statement).encode(), tuple(names)
