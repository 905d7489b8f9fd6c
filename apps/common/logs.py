"""The request id in every log line that a request causes."""

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    """Adds `request_suffix` to a record: ` [req_…]` inside a request, else nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark the record; let all pass."""
        current = request_id.get()
        record.request_suffix = f" [{current}]" if current else ""
        return True
