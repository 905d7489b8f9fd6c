"""A real proxy that takes CONNECT, and behaves as it is told."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast


@dataclass
class Proxy:
    """What it was asked for, and what it answers; with `answer` b"" it never does."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 Connected\r\n\r\n"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    proxy: Proxy


class _Tunnel(StreamRequestHandler):
    def handle(self) -> None:
        proxy = cast(_Server, self.server).proxy
        line = self.rfile.readline().decode()
        while header := self.rfile.readline().decode().strip():
            name, _, value = header.partition(": ")
            if name == "Proxy-Authorization":
                proxy.credentials.append(value)
        target = line.split(" ")[1]
        proxy.asked.append(target)
        if not proxy.answer:
            threading.Event().wait(30)
        self.wfile.write(proxy.answer)
        if not proxy.answer.startswith(b"HTTP/1.1 200"):
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as there:
            _relay(self.connection, there)


def _relay(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            for source in select.select([one, other], [], [])[0]:
                part = source.recv(65_536)
                if not part:
                    return
                (other if source is one else one).sendall(part)


@contextlib.contextmanager
def running_proxy() -> Iterator[Proxy]:
    """Serve on a free loopback port from threads."""
    with _Server(("127.0.0.1", 0), _Tunnel) as server:
        server.proxy = Proxy(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()
