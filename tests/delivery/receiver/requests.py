"""What reaches the receiver."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def id(self) -> str:
        """The delivery that it is a try of."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """A running receiver; `requests` and `connections` are what reached it.

    `closed` are those connections that it has closed, `unasked` the answers that it gave unasked.
    `most_busy` is, by path, how many requests it had under way at the same time; `gate` is what
    the path `gated` waits for.
    """

    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    unasked: int = 0
    bytes_sent: int = 0
    busy: Counter[str] = field(default_factory=Counter)
    most_busy: Counter[str] = field(default_factory=Counter)
    gate: threading.Event = field(default_factory=threading.Event)
    answered: list[asyncio.StreamWriter] = field(default_factory=list)

    def at(self, path: str) -> list[Received]:
        """What was sent to a path, in order."""
        return [received for received in self.requests if received.path == path]

    def url(self, path: str = "/ok", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


Behaviour = Callable[[Receiver, Received, asyncio.StreamWriter], Awaitable[None]]
