"""The proxy through which webhooks go, where the operator has one. Pure: no I/O.

Every connection is a tunnel (CONNECT, RFC 9110, section 9.3.6) to an address that Hookline vetted
itself, so the guard holds whatever names the proxy would look up.
"""

import base64
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from apps.common.special_addresses import IPAddress

# The head of an answer to CONNECT that is read, in bytes.
MAX_ANSWER_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class EgressProxy:
    """Where the proxy listens, and the value of its `Proxy-Authorization`; "" for none."""

    host: str
    port: int
    credentials: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> "EgressProxy":
        """Read `http://user:password@proxy:3128`; ValueError says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.port is None:
            raise ValueError("write it as http://proxy:3128, with a port")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("nothing may follow the port")
        credentials = ""
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return cls(parts.hostname, parts.port, credentials)

    def request(self, address: IPAddress, port: int) -> bytes:
        """Return what asks for a tunnel."""
        target = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if self.credentials:
            lines.append(f"Proxy-Authorization: {self.credentials}")
        return "\r\n".join([*lines, "\r\n"]).encode()


def status_of(answer: bytes) -> int:
    """Return the status of a complete head; 0 for what is no HTTP."""
    words = answer.split(b"\r\n", 1)[0].split(b" ", 2)
    is_http = len(words) > 1 and words[0].startswith(b"HTTP/1.")
    return int(words[1]) if is_http and len(words[1]) == 3 and words[1].isdigit() else 0
