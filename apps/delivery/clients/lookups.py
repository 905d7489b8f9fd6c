"""Looking names up for threads that can not wait for ever."""

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from apps.delivery.clients.exchange import Resolve

# A name server that hangs holds a thread for its time; others must find one free.
DNS_THREADS: Final = 64


class Lookups:
    """Asks the system resolver in threads of its own, so that a lookup can be given up.

    It goes on then, so whoever asks for the same name meanwhile waits for the same answer: a name
    whose server hangs holds one thread, however many ask for it.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[Sequence[Any]]] = {}

    def ask(self, host: str, port: int, *, within_s: float) -> Sequence[Any]:
        """Return what `getaddrinfo` does; raises what it raises, or TimeoutError."""
        key = host, port
        with self._lock:
            lookup = self._under_way.get(key)
            if lookup is None:
                ask = partial(self._resolve, host, port, type=socket.SOCK_STREAM)
                lookup = self._under_way[key] = self._threads.submit(self._asked, key, ask)
        return lookup.result(within_s)

    def _asked(self, key: tuple[str, int], ask: "partial[Sequence[Any]]") -> Sequence[Any]:
        try:
            return ask()
        finally:
            with self._lock:
                del self._under_way[key]

    def close(self) -> None:
        """Let the threads go; a lookup under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
