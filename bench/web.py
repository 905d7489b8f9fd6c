"""A web process of an installation, as the image runs it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from bench.installation import HOST, Installation
from bench.processes import BenchmarkFailed, python, running, wait_until

_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Web:
    """Where it listens, and the process that its own process is a child of."""

    address: str
    pid: int


@contextmanager
def serving(installation: Installation) -> Iterator[Web]:
    """Run one web process as the image does."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = python("-m", "config.web", "--host", HOST, "--port", str(port))
    with running(
        command, env={"WEB_CONCURRENCY": "1"}, log=installation.data_dir / "web.log"
    ) as web:
        address = f"http://{HOST}:{port}"
        wait_until(lambda: _answers(f"{address}/healthz"), "Starting the web server", _START_S)
        if web.popen.poll() is not None:
            raise BenchmarkFailed(f"The web server ended:\n{web.end_of_log()}")
        yield Web(address, web.popen.pid)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
