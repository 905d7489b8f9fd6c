"""PostgreSQL or Redis is away: a request is asked to come again, and the log says so once.

Only what is gone is meant. A statement that fails on a connection that lives is a fault of ours.
"""

import logging
import time

import redis
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from apps.common.problems import Problem, problem_response

logger = logging.getLogger(__name__)

# What an outage is told by, besides other things.
OUTAGES = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)
# When to come again, in seconds.
RETRY_AFTER_S = 5
# While an outage lasts, a process says so this often, whatever the number of requests.
_SAY_EVERY_S = 10.0
# How the codes of PostgreSQL begin with which it says that it ends a connection.
_ENDED = ("08", "57P")
_API_PREFIX = "/api/"
_said_at_s: dict[str, float] = {}


class SaidOnce(logging.Filter):
    """Leaves out what Django says of each answer 503: whoever gives one has said why."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be kept."""
        return getattr(record, "status_code", None) != 503


def outage_response(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer 503 where an error means that a service is away; None for any other error."""
    service = _service_away(error)
    if service is None:
        return None
    _say(service, error)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if request.path_info.startswith(_API_PREFIX):
        detail = f"{service} can not be reached at the moment; send the request again."
        return problem_response(Problem(503, "unavailable", detail, headers=headers))
    # Without a request: whatever else pages know, they ask the database for.
    page = get_template("503.html").render()
    return HttpResponse(page, status=503, headers=headers)


def _service_away(error: Exception) -> str | None:
    match error:
        case redis.ConnectionError() | redis.TimeoutError():
            return "Redis"
        case _ if is_database_away(error):
            return "PostgreSQL"
    return None


def is_database_away(error: Exception) -> bool:
    """Tell whether an error means that this thread can not connect, or that its connection ended.

    The code of the error says only the last: where no server answers, there is none.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    own = connection.connection
    code = getattr(error.__cause__, "sqlstate", None) or ""
    return own is None or bool(own.closed) or code.startswith(_ENDED)


def in_a_line(error: Exception) -> str:
    """Return what an error says, without the explanations that some clients add below."""
    return str(error).partition("\n")[0]


def _say(service: str, error: Exception) -> None:
    now = time.monotonic()
    if now - _said_at_s.get(service, -_SAY_EVERY_S) < _SAY_EVERY_S:
        return
    _said_at_s[service] = now
    logger.warning(
        "%s can not be reached, requests are answered 503: %s", service, in_a_line(error)
    )
