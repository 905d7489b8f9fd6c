"""Which state of a row somebody has seen: ETag, If-Match, If-None-Match (RFC 9110)."""

import hashlib
from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from apps.common.api.bodies import OrjsonRenderer
from apps.common.problems import Problem


def etag_of(shown: Any) -> str:
    """Return the ETag of a row as it is shown whole."""
    return f'"{hashlib.sha256(OrjsonRenderer().render(shown)).hexdigest()[:32]}"'


def check_state(request: Request, etag: str) -> None:
    """Raise a Problem 412 if the row is not in a state in which the sender wants this done.

    To read a row in a state that `If-None-Match` names does no harm: see `was_seen`.
    """
    wanted = request.headers.get("If-Match")
    if wanted is not None and not {etag, "*"} & _tags(wanted):
        told = "It was changed meanwhile: get it again, and decide anew."
    elif request.method not in SAFE_METHODS and was_seen(request, etag):
        told = "It is in a state that If-None-Match rules out."
    else:
        return
    raise Problem(412, "precondition_failed", told, headers={"ETag": etag})


def was_seen(request: Request, etag: str) -> bool:
    """Tell whether `If-None-Match` names this very state, or any."""
    seen = {tag.removeprefix("W/") for tag in _tags(request.headers.get("If-None-Match", ""))}
    return bool({etag, "*"} & seen)


def _tags(text: str) -> set[str]:
    return {tag.strip() for tag in text.split(",")}
