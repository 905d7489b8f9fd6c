"""Errors that an API client can act on: problem details for HTTP APIs (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from apps.common import logs
from apps.common.collisions import is_collision
from apps.common.pointers import escaped
from apps.common.tenancy import undo

CONTENT_TYPE = "application/problem+json"
# Also the code of a fault in a body that names a row of nobody, or of somebody else.
NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One fault in a body: where (JSON pointer, RFC 6901), a stable code, and what to do."""

    pointer: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        """Return the shape clients get."""
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class ParameterProblem:
    """One fault in the query string: which parameter, a stable code, and what to do."""

    parameter: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        """Return the shape clients get."""
        return {"parameter": self.parameter, "code": self.code, "message": self.message}


class Problem(Exception):
    """An error with a stable code, to be answered as a problem.

    `extra` becomes members of the body beside the standard ones (RFC 9457, section 3.2).
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem | ParameterProblem] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def for_status(cls, status: int) -> "Problem":
        """Return the plain problem of an HTTP status."""
        phrase = HTTPStatus(status)
        return cls(status, phrase.name.lower(), phrase.description or phrase.phrase)


def problem_response(problem: Problem) -> HttpResponse:
    """Return the response that tells a client of a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": logs.request_id.get(),
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = [error.as_json() for error in problem.errors]
    return HttpResponse(
        orjson.dumps(body),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer what an API view raised; None leaves a crash to be logged and answered with 500."""
    problem = _translate(error)
    if problem is None:
        return None
    undo(context["request"])
    return problem_response(problem)


def _translate(error: Exception) -> Problem | None:
    match error:
        case Problem():
            return error
        case Http404():
            return Problem(404, NOT_FOUND, "There is nothing here under this id.")
        case PermissionDenied():
            return Problem(403, "permission_denied", "Your role or key does not allow this.")
        case ModelValidationError():
            return _invalid(_field_problems(error))
        case exceptions.ValidationError():
            return _invalid(list(_detail_problems("", error.get_full_details())))
        case ProtectedError() | RestrictedError():
            return Problem(409, "in_use", "Other rows depend on this one; it can not be deleted.")
        case DatabaseError() if is_collision(error):
            return conflict()
        case exceptions.Throttled():
            wait_s = int(getattr(error, "wait", None) or 1)
            detail = f"Too many requests in this minute; wait {wait_s} seconds."
            return Problem(429, "rate_limited", detail, headers={"Retry-After": str(wait_s)})
        case exceptions.APIException():
            headers = {}
            if challenge := getattr(error, "auth_header", None):
                headers["WWW-Authenticate"] = challenge
            codes = error.get_codes()
            return Problem(
                error.status_code,
                codes if isinstance(codes, str) else error.default_code,
                str(error.detail),
                headers=headers,
            )
    return None


def conflict() -> Problem:
    """Return the problem of whoever comes second of two who change the same."""
    detail = (
        "Somebody else has just made, changed or deleted the same, or what it refers to; nothing"
        " was done. Look again, and repeat what is still wanted."
    )
    return Problem(409, "conflict", detail)


def _invalid(errors: list[FieldProblem]) -> Problem:
    """Tell of faults in a body; one that names what is not there is answered as such."""
    if any(error.code == NOT_FOUND for error in errors):
        detail = "Something that the request names does not exist here."
        return Problem(404, NOT_FOUND, detail, errors=errors)
    return Problem(422, "invalid", "The request is not valid.", errors=errors)


def _field_problems(error: ModelValidationError) -> list[FieldProblem]:
    if not hasattr(error, "error_dict"):
        return [
            FieldProblem("", e.code or "invalid", " ".join(e.messages)) for e in error.error_list
        ]
    return [
        FieldProblem(
            "" if name == "__all__" else f"/{name}",
            fault.code or "invalid",
            " ".join(fault.messages),
        )
        for name, faults in error.error_dict.items()
        for fault in faults
    ]


def _detail_problems(pointer: str, detail: Any) -> list[FieldProblem]:
    if isinstance(detail, dict) and set(detail) == {"message", "code"}:
        return [FieldProblem(pointer, str(detail["code"]), str(detail["message"]))]
    if isinstance(detail, dict):
        items = [
            (pointer if key == "non_field_errors" else f"{pointer}/{escaped(str(key))}", value)
            for key, value in detail.items()
        ]
    elif isinstance(detail, list) and all("code" in item for item in detail):
        items = [(pointer, value) for value in detail]
    else:
        items = [(f"{pointer}/{index}", value) for index, value in enumerate(detail)]
    return [fault for place, value in items for fault in _detail_problems(place, value)]
