"""The processes that make up Hookline on one machine, as children of a supervisor."""

import contextlib
import http.client
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from apps.common.heartbeat import Pulse
from apps.common.supervisor import Child

BASE_DIR = Path(__file__).resolve().parents[2]
MANAGE = str(BASE_DIR / "manage.py")
# Ten seconds for requests under way, and some for recording them.
STOP_GRACE_S = 15.0


def manage(
    name: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    output_to: IO[bytes] | None = None,
    restart: bool = True,
) -> Child:
    """Return a management command as a child."""
    return Child(
        name,
        [sys.executable, MANAGE, *arguments],
        env=env or {},
        cwd=BASE_DIR,
        output_to=output_to,
        restart=restart,
    )


def receiver(port: int, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
    """Return the local receiver of the demo."""
    return Child(
        "receiver",
        [sys.executable, "-m", "apps.console.demo.receiver", "--port", str(port), *arguments],
        env=env or {},
        cwd=BASE_DIR,
    )


def switch(url: str, *, public_url: str) -> Child:
    """Return the simulated phone switch: it ends after some calls."""
    return Child(
        "switch",
        [
            *(sys.executable, "-m", "apps.console.demo.switch"),
            *("--url", url, "--public-url", public_url),
        ],
        cwd=BASE_DIR,
        restart=False,
    )


def web(host: str, port: int, *, env: Mapping[str, str] | None = None) -> Child:
    """Return the web server, set up as everywhere by config/web.py."""
    return Child(
        "web",
        [
            *(sys.executable, "-m", "config.web", "--host", host, "--port", str(port)),
            # Who presses Ctrl-C waits for it.
            *("--grace", "5"),
        ],
        # Static files come straight from the apps until `collectstatic` has run, and may.
        env={"PYTHONWARNINGS": "ignore:No directory at:UserWarning", **(env or {})},
        cwd=BASE_DIR,
    )


def watched(child: Child, folder: Path) -> Child:
    """Return the child as one that is killed when it gives no sign of life in a file there.

    Told to stop, it has the time for its requests under way, and to record them.
    """
    path = folder / child.name
    return replace(
        child,
        env={**child.env, "HEARTBEAT_FILE": str(path)},
        pulse=Pulse(path),
        stop_grace_s=STOP_GRACE_S,
    )


def answers(host: str, port: int, path: str) -> bool:
    """Tell whether a web server that listens on `host` answers, and not with a failure."""
    with contextlib.closing(
        http.client.HTTPConnection(reachable(host), port, timeout=2.0)
    ) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False


def address(host: str, port: int) -> str:
    """Return host and port as URLs have them: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """Return the address at which we reach a server of ours that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
