"""What goes out in one HTTP request and what came back: the language of clients, retry and log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

# Response bodies are read this far and no further, in bytes.
MAX_BODY_BYTES: Final = 65_536
# The longest line of a response head, the most headers in it, and all of it, in bytes.
MAX_HEADER_LINE_BYTES: Final = 8_190
MAX_HEADERS: Final = 100
MAX_HEAD_BYTES: Final = 32_768


class ErrorKind(StrEnum):
    """Why a try failed. `LOCAL` is our own fault and spends no try.

    `RENDER`, `SETTINGS`, `HTTP` and `LOST` are never a client's: the first two stop a request
    before it is sent, the third is the judgement of a complete response, the last means that nobody
    knows.
    """

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    BLOCKED = "blocked"
    CLOSED = "closed"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"
    HTTP = "http"
    LOCAL = "local"
    RENDER = "render"
    SETTINGS = "settings"
    LOST = "lost"


class Timings(NamedTuple):
    """Milliseconds. DNS and connect are None when a pooled connection or cached answer was used.

    A lookup that several requests wait for is booked to the first, and to the others' `connect_ms`.

    `connect_ms` is TCP and TLS together; `first_byte_ms` runs from the start of the try to the
    complete head of the response.
    """

    total_ms: float
    dns_ms: float | None = None
    connect_ms: float | None = None
    first_byte_ms: float | None = None


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One request, ready to send. `headers` are complete but for `COMPUTED_HEADERS`.

    `timeout_s` is the hard deadline for all of it: DNS, TLS, sending, headers and body.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_s: float = 15.0


class Outcome(NamedTuple):
    """What became of one request.

    Either a complete response (`status` set, `error_kind` None), or an error; an error after the
    head of a response keeps what arrived. Clients never set `ErrorKind.HTTP`: whether a status is
    a success is judged later, by the webhook's own rule. `sends` says how often the request went
    on the wire: 2 when a pooled connection turned out to be dead, 0 when it never went out.
    """

    status: int | None
    headers: Sequence[tuple[str, str]]
    body: bytes
    body_truncated: bool
    error_kind: ErrorKind | None
    error_message: str
    timings: Timings
    sends: int = 1

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def not_sent(kind: ErrorKind, message: str) -> Outcome:
    """Return what became of a request that was ended before anything was sent."""
    return Outcome(
        status=None,
        headers=(),
        body=b"",
        body_truncated=False,
        error_kind=kind,
        error_message=message,
        timings=Timings(total_ms=0.0),
        sends=0,
    )
