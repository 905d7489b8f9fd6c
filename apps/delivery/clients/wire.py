"""The head of a request as bytes: exactly what the attempt's log shows, and nothing injected.

Both clients use these rules; the aiohttp client also uses the bytes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from apps.webhooks.headers import COMPUTED_HEADERS

# Sent unless the request says otherwise. Bodies are stored as they come, so none is compressed.
DEFAULT_HEADERS: Final = {
    "User-Agent": "Hookline",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
# Methods whose requests say their length even when they carry nothing.
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class UnsendableRequest(ValueError):
    """The request breaks HTTP before it is sent; the message names the part."""


@lru_cache(maxsize=4096)
def missing_defaults(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Check the header names of a request and return the default headers that it lacks.

    Raises UnsendableRequest for a name that is malformed, given twice, or set by the client.
    """
    lowered = set()
    for name in names:
        if not _TOKEN.match(name):
            raise UnsendableRequest(f"the header name “{name}” is not valid")
        if name.lower() in COMPUTED_HEADERS:
            raise UnsendableRequest(f"the header {name} is set by Hookline itself")
        if name.lower() in lowered:
            raise UnsendableRequest(f"the header {name} is there twice")
        lowered.add(name.lower())
    return tuple(pair for pair in DEFAULT_HEADERS.items() if pair[0].lower() not in lowered)


def check_method(method: str) -> None:
    """Raises UnsendableRequest unless the method is an HTTP token."""
    if not _TOKEN.match(method):
        raise UnsendableRequest("the method is not valid")


def check_value(name: str, value: str) -> None:
    """Raises UnsendableRequest when a header's value would end its line."""
    if "\r" in value or "\n" in value or "\0" in value:
        raise UnsendableRequest(f"the header {name} has a line break")


def encode_request(
    method: str, target: str, host: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """The whole HTTP/1.1 request, values in UTF-8. Raises UnsendableRequest.

    `target` and `host` come from a checked URL and are trusted.
    """
    check_method(method)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    for name, value in missing_defaults(tuple(headers)):
        lines.append(f"{name}: {value}")
    for name, value in headers.items():
        check_value(name, value)
        lines.append(f"{name}: {value}")
    if body or method in _BODY_METHODS:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("utf-8", "replace") + body
