"""Which state of a row somebody has seen: ETag, If-Match, If-None-Match (RFC 9110)."""

import hashlib
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.bodies import OrjsonRenderer
from apps.common.problems import Problem


def etag_of(shown: Any) -> str:
    """Return the ETag of a row as it is shown whole."""
    return f'"{hashlib.sha256(OrjsonRenderer().render(shown)).hexdigest()[:32]}"'


def check_if_match(wanted: str, etag: str) -> None:
    """Raise a Problem 412 if the row is not in one of the wanted states any more."""
    tags = {tag.strip() for tag in wanted.split(",")}
    if etag not in tags and "*" not in tags:
        raise Problem(
            412,
            "precondition_failed",
            "It was changed meanwhile: get it again, and decide anew.",
            headers={"ETag": etag},
        )


def matches_none(request: Request, response: Response) -> bool:
    """Tell whether the sender has seen this very state."""
    seen = request.headers.get("If-None-Match", "")
    tags = {tag.strip().removeprefix("W/") for tag in seen.split(",")}
    return response.has_header("ETag") and response["ETag"] in tags
