"""What a log line looks like: one line, with the id of the request that caused it."""

import logging
import re
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What our lines do not tell is not asked for each of them.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """One line a record: time and message; a warning also says how grave it is and from where."""

    def __init__(self) -> None:
        super().__init__("{asctime} {origin}{message}{request_suffix}", "%H:%M:%S", "{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Keep what was sent to us from making lines, or colours, of its own."""
        record.message = _CONTROL.sub(_escaped, record.message)
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
