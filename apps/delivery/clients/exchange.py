"""What is known so far about one request, filled in by its client as the exchange goes on."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Any, Final

from apps.delivery.clients.failures import Failure
from apps.delivery.outcome import Outcome, Timings

Resolve = Callable[..., Sequence[Any]]
"""Has the signature and the answers of `socket.getaddrinfo`."""

CONNECT_TIMEOUT_S: Final = 5.0
# Answers of the 1xx kind that may come before the real one.
MAX_INTERIM_ANSWERS: Final = 16


@dataclass(slots=True)
class Exchange:
    """One call of `send`. `started` and `deadline` are `perf_counter` readings.

    `connecting` is set from the moment a new connection is being made: without it, the connection
    came from the pool. `sends` counts the connections that the request was written to. The batch
    client sets `is_whole` once the answer has been read to its end.
    """

    started: float
    deadline: float = inf
    sends: int = 0
    connecting: bool = False
    received: int = 0
    dns_ms: float | None = None
    connect_ms: float | None = None
    first_byte_ms: float | None = None
    status: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    body_truncated: bool = False
    is_whole: bool = False

    def elapsed_ms(self) -> float:
        """Milliseconds since the start."""
        return (perf_counter() - self.started) * 1000

    def remaining_s(self) -> float:
        """Seconds until the deadline. Raises TimeoutError once there are none."""
        remaining = self.deadline - perf_counter()
        if remaining <= 0:
            raise TimeoutError("deadline")
        return remaining

    def may_resend(self) -> bool:
        """Whether a connection that broke before any answer may be replaced by a new one.

        Only a pooled one, which the server may have closed meanwhile, and only once.
        """
        unanswered = self.status is None and not self.received
        return not self.connecting and self.sends == 1 and unanswered

    def outcome(self, failure: Failure | None) -> Outcome:
        """Close the books; `failure` is None for a complete answer."""
        kind, message = failure or (None, "")
        timings = Timings(
            total_ms=self.elapsed_ms(),
            dns_ms=self.dns_ms,
            connect_ms=self.connect_ms,
            first_byte_ms=self.first_byte_ms,
        )
        return Outcome(
            status=self.status,
            headers=self.headers,
            body=self.body,
            body_truncated=self.body_truncated,
            error_kind=kind,
            error_message=message,
            timings=timings,
            sends=self.sends,
        )

    def describe_timeout(self, timeout_s: float) -> str:
        """One sentence on how far the exchange had come when its deadline passed."""
        if self.status is not None:
            return f"The answer began but was not complete within {timeout_s:g} s."
        if self.sends:
            return f"No answer within {timeout_s:g} s."
        return f"No connection within {timeout_s:g} s."


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")
"""The exchange for which this task or thread uses a connection."""
