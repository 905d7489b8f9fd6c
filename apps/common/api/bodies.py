"""How bodies of the API are read and written."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import IO, Any, BinaryIO

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from apps.common.pointers import escaped
from apps.common.problems import FieldProblem, Problem

# How much of a refused body is read and dropped, so that the client reads our answer instead of
# a broken connection.
_DRAIN_BYTES = 64_000_000
_CHUNK = 65_536
MAX_DEPTH = 32


class OrjsonRenderer(BaseRenderer):
    """Writes JSON; times as RFC 3339 in UTC."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the body; an empty one for no content."""
        if data is None:
            return b""
        return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


class JsonOnly(DefaultContentNegotiation):
    """Answers in JSON whatever is asked for."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class OrjsonParser(BaseParser):
    """Reads JSON; bodies over INTAKE_MAX_BODY_BYTES are refused with 413."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value; raise a Problem with line and column of a syntax error.

        An empty body is nothing where the view needs none. The request keeps `body_digest`.
        """
        context = parser_context or {}
        request, view = context["request"], context.get("view")
        body = read_body(request, settings.INTAKE_MAX_BODY_BYTES)
        request.body_digest = hashlib.sha256(body).hexdigest()
        if not body:
            if view is None or view.needs_body():
                raise empty_body()
            return {}
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Problem(
                400,
                "invalid_json",
                f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
            ) from None


def empty_body() -> Problem:
    """Return what a client is told that sent nothing."""
    return Problem(400, "empty_body", "The request has no body; send JSON.")


def check_shape(body: Any) -> None:
    """Refuse what no row can hold: NUL in a text, and nesting over MAX_DEPTH levels."""
    _check_below([], body)


def _check_below(way: list[str | int], value: Any) -> None:
    """Check a value and all in it; `way` leads there. A pointer is made where a fault is alone."""
    if isinstance(value, str) and "\0" in value:
        raise _unusable(way, "nul_character", "A text contains NUL.")
    if not value or not isinstance(value, dict | list):
        return
    if len(way) == MAX_DEPTH - 1:
        raise _unusable([], "too_deep", f"The body has more than {MAX_DEPTH} levels.")
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(name, str) and "\0" in name:
            raise _unusable(way, "nul_character", "A name contains NUL.")
        way.append(name)
        _check_below(way, each)
        way.pop()


def _unusable(way: list[str | int], code: str, message: str) -> Problem:
    pointer = "".join(f"/{escaped(str(segment))}" for segment in way)
    fault = FieldProblem(pointer, code, message)
    return Problem(422, "invalid", "The request is not valid.", errors=[fault])


def read_body(request: Request, limit: int) -> bytes:
    """Return the request's body of at most `limit` bytes, declared or chunked.

    A larger one is a Problem 413; it is drained first, so that the client sees the answer. One
    that breaks off, or is chunked wrongly, is a Problem 400.
    """
    declared = request._request.META.get("CONTENT_LENGTH") or ""
    stream = chunks_of(request._request) or request._request
    if declared.isdecimal() and int(declared) > limit:
        _drain(stream)
        raise _too_large(limit)
    body = _read(stream, limit + 1)
    if len(body) > limit:
        _drain(stream)
        raise _too_large(limit)
    # A web server may take one that broke off for a whole one.
    if declared.isdecimal() and len(body) < int(declared):
        raise _unreadable()
    return body


def chunks_of(request: HttpRequest) -> BinaryIO | None:
    """Return the stream of a body in chunks, whose length is not told; None for others."""
    environ = request.META
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH")
    # A request that tells neither has no body.
    if not is_chunked or not environ.get("wsgi.input_terminated"):
        return None
    chunks: BinaryIO = environ["wsgi.input"]
    return chunks


def _read(stream: HttpRequest | BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    # Each web server has errors of its own for a body that breaks.
    except Exception:  # noqa: BLE001
        raise _unreadable() from None


def _unreadable() -> Problem:
    return Problem(400, "unreadable_body", "The body could not be read to its end.")


def _drain(stream: HttpRequest | BinaryIO) -> None:
    dropped = 0
    while dropped < _DRAIN_BYTES and (chunk := _read(stream, _CHUNK)):
        dropped += len(chunk)


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The body is larger than {limit:,} bytes; send less at once.")
