"""Operating-system and TLS errors in words, shared by both clients."""

import errno
import socket
import ssl
from typing import Final

from apps.common.egress import BlockedAddress, EgressError, UnresolvableHost
from apps.delivery.outcome import ErrorKind

Failure = tuple[ErrorKind, str]
"""Which kind, and one sentence for an account admin."""

# What we ran out of; the receiver had no part in it.
_OWN_LIMITS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
_CLOSED: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN})
_CONNECT_WORDS: Final = {
    errno.ECONNREFUSED: "The connection was refused: nothing answers on that port.",
    errno.EHOSTUNREACH: "There is no route to the host.",
    errno.ENETUNREACH: "There is no route to the network of the host.",
}

CLOSED_EARLY: Final = "The receiver closed the connection before it answered."
CLOSED_IN_BODY: Final = "The receiver closed the connection in the middle of its answer."
HEAD_TOO_LARGE: Final = "The head of the answer is larger than Hookline reads."
NOT_HTTP: Final = "The answer is not valid HTTP."
STOPPING: Final = (ErrorKind.LOCAL, "Hookline was stopping.")


class RefusedSocket(OSError):
    """Raised where a socket would be opened to a blocked address; an OSError for the libraries.

    It passes through their retry loops, which only know OSError, and is unwrapped afterwards.
    """

    def __init__(self, blocked: BlockedAddress) -> None:
        super().__init__(errno.EACCES, blocked.reason)
        self.blocked = blocked


class TunnelFailed(OSError):
    """There is no way through the operator's proxy; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure[1])
        self.failure = failure


def egress_failure(error: EgressError) -> Failure:
    """Explain a refusal of the guard."""
    if isinstance(error, UnresolvableHost):
        return ErrorKind.DNS, error.reason
    return ErrorKind.BLOCKED, error.reason


def dns_failure(host: str, error: Exception) -> Failure:
    """Explain why a name could not be looked up."""
    if isinstance(error, OSError) and error.errno in {socket.EAI_SYSTEM, socket.EAI_MEMORY}:
        return ErrorKind.LOCAL, f"Hookline could not look up {host}: {error.strerror}."
    return ErrorKind.DNS, f"The name {host} can not be found."


def tls_failure(error: BaseException) -> Failure:
    """Explain a failed handshake or certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ErrorKind.TLS, f"The certificate is not accepted: {error.verify_message}."
    reason = getattr(error, "reason", None) or str(error)
    return ErrorKind.TLS, f"TLS failed: {str(reason).replace('_', ' ').lower()[:200]}."


def connect_failure(error: OSError) -> Failure:
    """Explain why no connection came about."""
    if isinstance(error, RefusedSocket):
        return egress_failure(error.blocked)
    if isinstance(error, TunnelFailed):
        return error.failure
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)
    if error.errno in _OWN_LIMITS:
        return ErrorKind.LOCAL, f"Hookline could not open a connection: {error.strerror}."
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return ErrorKind.TIMEOUT, "The host did not answer the connection."
    if error.errno in _CLOSED:
        return ErrorKind.CLOSED, "The host closed the connection while it was being set up."
    words = _CONNECT_WORDS.get(error.errno or 0)
    return ErrorKind.REFUSED, words or f"The connection failed: {error.strerror or error}."


def printable(text: bytes | str, limit: int = 8_190) -> str:
    """Text that any database stores: no NUL, no half surrogates, cut to `limit` characters."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return decoded[:limit].encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
