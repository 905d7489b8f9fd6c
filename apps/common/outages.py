"""PostgreSQL or Redis is away: a request is asked to come again, and the log says so once.

A PostgreSQL that takes no writes is away too, and so is the key that a credential needs. Any other
statement that fails on a connection that lives is a fault of ours.
"""

import logging
import time

import redis
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from apps.common.fields import UnreadableSecret
from apps.common.problems import Problem, problem_response

logger = logging.getLogger(__name__)

# What an outage is told by, besides other things.
DATABASE_OUTAGES = (OperationalError, InterfaceError, InternalError)
OUTAGES = (*DATABASE_OUTAGES, redis.ConnectionError, redis.TimeoutError)
# When to come again, in seconds.
RETRY_AFTER_S = 5
# While an outage lasts, a process says so this often, whatever the number of requests.
_SAY_EVERY_S = 10.0
# How the codes of PostgreSQL begin with which it says that it ends a connection.
_ENDED = ("08", "57P")
# And with which it takes no writes: as a standby, or told so by whoever runs it; with a full disk.
_TAKES_NO_WRITES = ("25006", "53100")
# And with which it lets nobody wait longer for what somebody else has locked.
_LOCKED = ("55P03",)
_API_PREFIX = "/api/"
_said_at_s: dict[str, float] = {}


class SaidOnce(logging.Filter):
    """Leaves out what Django says of each answer 503: whoever gives one has said why."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be kept."""
        return getattr(record, "status_code", None) != 503


def outage_response(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer 503 where an error means that a service, or a key, is away; None for any other."""
    what = _what_is_away(error)
    if what is None:
        return None
    is_unreadable = isinstance(error, UnreadableSecret)
    if not is_unreadable:
        # At the end of the request: the next may find another server, or this one made well.
        connection.close_at = 0.0
    warn(f"{what}, requests are answered 503", error)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if request.path_info.startswith(_API_PREFIX):
        detail = f"{what} at the moment; send the request again."
        return problem_response(Problem(503, "unavailable", detail, headers=headers))
    # Without a request: whatever else pages know, they ask the database for.
    page = get_template("unreadable.html" if is_unreadable else "503.html").render()
    return HttpResponse(page, status=503, headers=headers)


def _what_is_away(error: Exception) -> str | None:
    match error:
        case redis.ConnectionError() | redis.TimeoutError():
            return "Redis can not be reached"
        case UnreadableSecret():
            return "A credential can not be read"
        case _ if not is_database_away(error):
            return None
        case _ if _code(error).startswith(_TAKES_NO_WRITES):
            return "PostgreSQL takes no writes"
        case _ if _code(error).startswith(_LOCKED):
            return "What is needed is locked in PostgreSQL"
    return "PostgreSQL can not be reached"


def is_database_away(error: Exception) -> bool:
    """Tell whether an error means that this thread can not connect or write, now, or was cut off.

    The code of the error does not say all of it: where no server answers, there is none.
    """
    if not isinstance(error, DATABASE_OUTAGES):
        return False
    own = connection.connection
    codes = _ENDED + _TAKES_NO_WRITES + _LOCKED
    return own is None or bool(own.closed) or _code(error).startswith(codes)


def in_a_line(error: Exception) -> str:
    """Return what an error says, without the explanations that some clients add below."""
    return str(error).partition("\n")[0]


def warn(what: str, error: Exception) -> None:
    """Say in a line what does not work, and again every ten seconds while it lasts."""
    now = time.monotonic()
    if now - _said_at_s.get(what, -_SAY_EVERY_S) >= _SAY_EVERY_S:
        _said_at_s[what] = now
        logger.warning("%s: %s", what, in_a_line(error))


def _code(error: Exception) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
