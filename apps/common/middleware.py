"""What every request passes on its way in and out."""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from apps.common import logs
from apps.common.ids import encode_public_id, new_id
from apps.common.problems import Problem, problem_response

_OUTSIDE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_API_PREFIX = "/api/"
# What an answer outside of a view tells beside its status.
_TOLD = ("Allow", "Retry-After")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives each request an id, the caller's `X-Request-Id` if that is sane, and returns it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        given = request.headers.get("X-Request-Id", "")
        current = given if _OUTSIDE_ID.fullmatch(given) else encode_public_id("req", new_id())
        token = logs.request_id.set(current)
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-Id"] = current
        return response


class ProblemMiddleware:
    """Answers API requests that fail outside a view (no such path, a crash) with a problem too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        response = self.get_response(request)
        if (
            response.status_code >= 400
            and request.path_info.startswith(_API_PREFIX)
            and not response.headers.get("Content-Type", "").endswith("json")
        ):
            problem = Problem.for_status(response.status_code)
            problem.headers = {name: response[name] for name in _TOLD if name in response}
            return problem_response(problem)
        return response


class ShortWayMiddleware:
    """Leads key bearers past what only browsers need, straight to the tenancy middleware.

    What lies between the two in MIDDLEWARE has to do with sessions, forms and pages. The host is
    checked and the length told here, as there. A bearer that turns out to be no key of ours is
    nobody on either way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._short_way = _last_of(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        if not request.path_info.startswith(_API_PREFIX) or not _has_bearer(request):
            return self.get_response(request)
        request.get_host()
        response = self._short_way(request)
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response


def _has_bearer(request: HttpRequest) -> bool:
    return str(request.META.get("HTTP_AUTHORIZATION", ""))[:7].lower() == "bearer "


def _last_of(get_response: Any) -> GetResponse:
    """Return the last middleware of the chain, as Django has wrapped it."""
    last = get_response
    while hasattr(following := getattr(last, "get_response", None), "get_response"):
        last = following
    if last is get_response:
        raise ImproperlyConfigured("ShortWayMiddleware stands before others in MIDDLEWARE.")
    return last  # type: ignore[no-any-return]
