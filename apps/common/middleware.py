"""What every request passes on its way in and out."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.common import logs
from apps.common.ids import encode_public_id, new_id
from apps.common.problems import Problem, problem_response

_OUTSIDE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_API_PREFIX = "/api/"

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
            return problem_response(Problem.for_status(response.status_code))
        return response
