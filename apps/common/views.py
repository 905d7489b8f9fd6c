"""Answers that belong to no room."""

from django.http import HttpRequest, HttpResponse

from apps.common.problems import Problem, problem_response


def api_not_found(request: HttpRequest) -> HttpResponse:
    """Answer an API address that does not exist."""
    return problem_response(
        Problem(404, "not_found", f"There is no {request.path_info} in this API.")
    )
