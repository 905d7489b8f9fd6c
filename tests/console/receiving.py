"""The demo's receiver as a real process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import requests

from tests.common.processes import free_port, python, wait_until


@contextmanager
def receiver_process(keepsakes: Path, *options: str) -> Iterator[tuple[str, Popen[str]]]:
    """Run a receiver that has its secrets from a file, and give its address and its process."""
    port = free_port()
    module = ("-m", "apps.console.demo.receiver")
    with python(*module, "--port", str(port), "--secrets", keepsakes, *options) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(url))
        yield url, process


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/ledger", timeout=10).ok
    except requests.RequestException:
        return False
