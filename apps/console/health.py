"""`/healthz`, `/readyz` and `/metrics`: whether this process lives, can work, and how much it does.

Answered before everything else, since a probe knows neither our host names nor TLS, and a process
lives also while the database is away.
"""

import secrets
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.common.outages import warn
from apps.console.metrics import CONTENT_TYPE, exposition
from apps.delivery.lag import seconds_behind
from apps.delivery.wake import delivery_queue

_NO_WRITES = "takes no writes"


class HealthMiddleware:
    """Answers GET and HEAD of the three addresses, and passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        if request.method in ("GET", "HEAD"):
            match request.path_info:
                case "/healthz":
                    return _unstored(JsonResponse({"status": "ok"}))
                case "/readyz":
                    return _unstored(_readiness())
                case "/metrics" if settings.METRICS_TOKEN:
                    return _unstored(_metrics(request))
        return self.get_response(request)


def _readiness() -> JsonResponse:
    """Answer 200 while events can be taken in, which takes the database alone.

    Without Redis the sweep sends, later: that is told, and is no reason to refuse events.
    `delivery_lag_s` is how long the oldest due delivery has been waiting, in seconds.
    """
    state: dict[str, Any] = {"status": "ready", "database": "ok", "redis": _redis_state()}
    try:
        state["delivery_lag_s"] = round(seconds_behind() or 0.0, 1)
        if not _database_takes_writes():
            state |= {"status": "not ready", "database": _NO_WRITES}
    except Error as error:
        warn("The database can not be used", error)
        state |= {"status": "not ready", "database": "unreachable", "delivery_lag_s": None}
    return JsonResponse(state, status=200 if state["status"] == "ready" else 503)


def _database_takes_writes() -> bool:
    """Tell what the server said when it was connected to, or since; that costs no query."""
    said = connection.connection.info.parameter_status
    return "on" not in (said("default_transaction_read_only"), said("in_hot_standby"))


def _redis_state() -> str:
    try:
        # One that is full, or a replica, still answers a ping.
        delivery_queue().connection.set("hookline:probe", b"1", ex=60)
    except redis.RedisError as error:
        warn("Redis can not be used", error)
        is_away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
        return "unreachable" if is_away else _NO_WRITES
    return "ok"


def _metrics(request: HttpRequest) -> HttpResponse:
    """Answer a Prometheus that knows the token; 401 to others, 503 without the database."""
    given = request.headers.get("Authorization", "").encode()
    if not secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("Send the token.\n", status=401, content_type="text/plain")
    try:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE)
    except Error as error:
        warn("The database can not be used", error)
        return HttpResponse("No database.\n", status=503, content_type="text/plain")


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
