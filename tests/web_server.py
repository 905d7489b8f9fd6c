"""The web server as it is deployed, with one process that serves."""

import http.client
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.common.processes import free_port, processes_of, python, wait_until


@dataclass(frozen=True, slots=True)
class WebServer:
    """Where it listens on this machine, and the process that starts those that serve."""

    process: "subprocess.Popen[str]"
    port: int

    def workers(self) -> set[int]:
        """Return the ids of the processes that serve."""
        return processes_of(_mark(self.port)).keys() - {self.process.pid}

    def is_up(self) -> bool:
        """Tell whether it answers."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            client.request("GET", "/healthz")
            return client.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()


@contextmanager
def web_server(env: Mapping[str, str] | None = None) -> Iterator[WebServer]:
    """Run it for the length of a `with` block; afterwards nothing of it is left."""
    port = free_port()
    arguments = ("-m", "config.web", "--host", "127.0.0.1", "--port", str(port))
    with python(*arguments, env={"WEB_CONCURRENCY": "1", **(env or {})}) as process:
        server = WebServer(process, port)
        wait_until(server.is_up, timeout_s=60)
        yield server
    wait_until(lambda: not server.workers())


def _mark(port: int) -> str:
    return f"--port\0{port}"
