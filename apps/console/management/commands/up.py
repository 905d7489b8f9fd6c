"""`manage.py up`: everything on one machine, for a look, for development, for a small office."""

import contextlib
import errno
import json
import os
import socket
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import environ
from django.core.management.base import BaseCommand, CommandError

from apps.common.embedded import EmbeddedServiceError, EmbeddedServices, Keeper
from apps.common.embedded.environment import keep_secrets, shared_environment
from apps.common.supervisor import Child, StopSignals, Supervisor
from apps.console import processes
from apps.console.demo.keepsakes import FILE_NAME

_WEB_PORT = 8000
_RECEIVER_PORT = 8900
_PORTS_TRIED = 100
# An earlier run that was killed may need this long to let go of its port.
_PORT_WAIT_S = 3.0
_READY_S = 60.0
_CALM_S = 1.0
_LONGEST_CALM_S = 5.0


class Command(BaseCommand):
    """Start services, migrate, seed a demo, then run web, worker, sweep and a local receiver."""

    help = (
        "Run everything on this machine until Ctrl-C. PostgreSQL and Redis are started unless"
        " DATABASE_URL and REDIS_URL name others."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--host", default="127.0.0.1", help="address the web server listens on (%(default)s)"
        )
        parser.add_argument(
            "--port",
            type=_port,
            help=f"port of the web server (the first free one from {_WEB_PORT})",
        )
        parser.add_argument(
            "--data-dir",
            type=Path,
            default=processes.BASE_DIR / "var",
            help="where services keep their data, and keys are kept (var/)",
        )
        parser.add_argument(
            "--workers", type=int, default=1, help="delivery workers to run (%(default)s)"
        )
        parser.add_argument(
            "--no-demo", action="store_true", help="no demo account and no local receiver"
        )

    def handle(
        self,
        *,
        host: str,
        port: int | None,
        data_dir: Path,
        workers: int,
        no_demo: bool,
        **options: Any,
    ) -> None:
        """Run until a stop signal; raises `CommandError` when something does not start."""
        data_dir = data_dir.expanduser().absolute()
        os.environ["DATA_DIR"] = str(data_dir)
        environ.Env.read_env(processes.BASE_DIR / ".env")
        services = EmbeddedServices(
            data_dir,
            postgres="DATABASE_URL" not in os.environ,
            redis="REDIS_URL" not in os.environ,
        )
        try:
            with StopSignals() as signals, services, contextlib.ExitStack() as claims:
                web_port = (
                    _asked_port(host, port, claims) if port else _free_port(host, _WEB_PORT, claims)
                )
                receiver_port = None if no_demo else _free_port("127.0.0.1", _RECEIVER_PORT, claims)
                keep_secrets(data_dir / "secrets.env")
                _complete_environment(services, host, web_port, receiver_port)
                heartbeats = Path(claims.enter_context(tempfile.TemporaryDirectory()))
                with shared_environment(data_dir / "run.env"), Supervisor(signals) as supervisor:
                    _keep(services, supervisor)
                    _run(supervisor, host, web_port, receiver_port, workers, heartbeats)
                    supervisor.say("stopping")
        except EmbeddedServiceError as error:
            raise CommandError(str(error)) from error


def _keep(services: EmbeddedServices, supervisor: Supervisor) -> None:
    for service in services.chosen:
        keeper = Keeper(service, supervisor.say, lambda: supervisor.is_stopping)
        supervisor.each_turn(keeper.look)


def _run(
    supervisor: Supervisor,
    host: str,
    web_port: int,
    receiver_port: int | None,
    workers: int,
    heartbeats: Path,
) -> None:
    supervisor.say("preparing the database")
    _must_end_well(
        supervisor, processes.manage("migrate", "migrate", "--no-input", "--verbosity=0")
    )
    if supervisor.is_stopping:
        return
    if receiver_port is not None:
        refresh = ("--refresh", sys.executable, processes.MANAGE, "seed_demo", "--secrets")
        supervisor.start(processes.receiver(receiver_port, *refresh))
    for number in range(1, workers + 1):
        name = "worker" if workers == 1 else f"worker {number}"
        supervisor.start(processes.watched(processes.manage(name, "worker"), heartbeats))
    supervisor.start(processes.watched(processes.manage("sweep", "sweep"), heartbeats))
    supervisor.start(processes.watched(processes.web(host, web_port), heartbeats))
    logins = _seed(supervisor) if receiver_port is not None else []
    if supervisor.wait_for(lambda: processes.answers(host, web_port, "/healthz"), _READY_S):
        # The calls of a new demo are delivered now; what matters is to be read below them.
        supervisor.wait_for(lambda: supervisor.silence_s > _CALM_S, _LONGEST_CALM_S)
        supervisor.say(_welcome(os.environ["PUBLIC_URL"], logins))
        if receiver_port is not None:
            # Never by way of PUBLIC_URL: that may be another installation, and would get our keys.
            supervisor.start(
                processes.switch(_local_url(host, web_port), public_url=os.environ["PUBLIC_URL"])
            )
    elif not supervisor.is_stopping:
        raise CommandError(f"The web server gives no answer within {_READY_S:.0f} s, see above.")
    supervisor.run()


def _must_end_well(supervisor: Supervisor, child: Child) -> None:
    code = supervisor.run_once(child)
    if code:
        raise CommandError(f"{child.name} failed with code {code}, see above.")


def _seed(supervisor: Supervisor) -> list[dict[str, str]]:
    """Make the demo account, or find it made, and return its logins."""
    with tempfile.TemporaryFile() as output:
        _must_end_well(
            supervisor, processes.manage("seed", "seed_demo", "--json", output_to=output)
        )
        output.seek(0)
        logins: list[dict[str, str]] = json.loads(output.read() or b"[]")
    return logins


def _complete_environment(
    services: EmbeddedServices, host: str, web_port: int, receiver_port: int | None
) -> None:
    """Fill in what the environment and `.env` leave open; our children inherit it."""
    environ.Env.read_env(services.data_dir / "secrets.env")
    if services.postgres is not None:
        os.environ["DATABASE_URL"] = services.database_url
    if services.redis is not None:
        os.environ["REDIS_URL"] = services.redis_url
    if receiver_port is not None:
        os.environ["DEMO_RECEIVER_URL"] = f"http://127.0.0.1:{receiver_port}"
    os.environ.setdefault("PUBLIC_URL", _local_url(host, web_port))
    # The local receiver, and whatever else a developer runs on this machine.
    os.environ.setdefault("EGRESS_ALLOW", "127.0.0.0/8,::1/128")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(
            f"{text} is no port: choose one from 1 to 65535, or leave --port out."
        )
    return int(text)


def _local_url(host: str, web_port: int) -> str:
    return f"http://{processes.address(processes.reachable(host), web_port)}"


def _asked_port(host: str, port: int, claims: contextlib.ExitStack) -> int:
    deadline = time.monotonic() + _PORT_WAIT_S
    while not _claim(host, port, claims):
        if time.monotonic() > deadline:
            raise CommandError(
                f"Port {port} of {host} is taken by another program."
                " Stop that one, choose another --port, or leave --port out."
            )
        time.sleep(0.2)
    return port


def _free_port(host: str, first: int, claims: contextlib.ExitStack) -> int:
    for port in range(first, first + _PORTS_TRIED):
        if _claim(host, port, claims):
            return port
    raise CommandError(f"No port from {first} to {first + _PORTS_TRIED - 1} of {host} is free.")


def _claim(host: str, port: int, claims: contextlib.ExitStack) -> bool:
    """Claim a free port as long as `claims` is open; False if it is taken.

    The server that is to use it binds it seconds later. Until then a name in the abstract sockets
    of Linux keeps away others of us who start at the same time.
    """
    if not _is_free(host, port):
        return False
    if sys.platform == "linux":
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0hookline-port-{port}")
        except OSError:
            claim.close()
            return False
        claims.enter_context(claim)
    return True


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise CommandError(f"Port {port} may not be used: {error}.") from error
        except socket.gaierror as error:
            raise CommandError(f"The host {host!r} is not known: {error}.") from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise CommandError(
                    f"{host} is no address of this machine. Choose another --host, or leave it out."
                ) from error
            return False
    return True


def _welcome(url: str, logins: Sequence[dict[str, str]]) -> str:
    lines = ["", f"Hookline runs at {url}", ""]
    if logins:
        rows = [("E-mail", "Password", "Role", "Account")]
        rows += [(row["email"], row["password"], row["role"], row["account"]) for row in logins]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(cells).rstrip())
        lines += ["", f"They are kept, for you only, in {Path(os.environ['DATA_DIR'], FILE_NAME)}"]
        lines += [f"The local receiver is at {os.environ['DEMO_RECEIVER_URL']}", ""]
    lines += ["Ctrl-C stops it. Below, one line for each call and delivery.", ""]
    return "\n".join(lines)
