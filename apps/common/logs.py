"""What a log line looks like, with the id of the request that caused it, and how many there are."""

import logging
import re
from contextvars import ContextVar
from threading import Lock
from typing import Final

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What our lines do not tell is not asked for each of them.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

# Of one kind. More than that takes longer to write than to do, and nobody reads it.
MOST_LINES_A_SECOND: Final = 100
# Of a message: it may tell an address, or the name of a parameter, that somebody made very long.
MOST_CHARACTERS: Final = 2_000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """One line a record: time and message; a warning also says how grave it is and from where."""

    def __init__(self) -> None:
        super().__init__("{asctime} {origin}{message}{request_suffix}", "%H:%M:%S", "{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Keep what was sent to us from making lines, or colours, of its own, or endless ones."""
        message = _CONTROL.sub(_escaped, record.message[: MOST_CHARACTERS + 1])
        is_too_long = len(message) > MOST_CHARACTERS
        record.message = f"{message[:MOST_CHARACTERS]}…" if is_too_long else message
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        is_grave = record.levelno >= logging.WARNING
        record.origin = f"{record.levelname} {record.name}: " if is_grave else ""
        return super().format(record)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


class RefusedInALine(logging.Filter):
    """Takes the trace from what Django says of a forged request: nothing of ours is broken."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let all pass."""
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


class RequestIdFilter(logging.Filter):
    """Adds `request_suffix` to a record: ` [req_…]` inside a request, else nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark the record; let all pass."""
        current = request_id.get()
        record.request_suffix = f" [{current}]" if current else ""
        return True


class LineLimit:
    """Counts the lines of one kind that are over the limit, and says how many there were.

    `things` is what a line tells of, in the plural.
    """

    def __init__(self, logger: logging.Logger, things: str) -> None:
        self._logger = logger
        self._things = things
        self._lock = Lock()
        self._second = 0
        self._lines = 0

    def has_room(self, now: float) -> bool:
        """Count a line, and tell whether it is to be written; `now` in seconds, of any clock."""
        if not self._logger.isEnabledFor(logging.INFO):
            return False
        with self._lock:
            if int(now) != self._second:
                self._begin_anew(int(now))
            self._lines += 1
            return self._lines <= MOST_LINES_A_SECOND

    def close(self) -> None:
        """Say how many had no line of their own."""
        with self._lock:
            self._begin_anew(0)

    def _begin_anew(self, second: int) -> None:
        untold = self._lines - MOST_LINES_A_SECOND
        self._second, self._lines = second, 0
        if untold > 0:
            self._logger.info("… and %d %s more in the same second", untold, self._things)
