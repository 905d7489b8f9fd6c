"""What the embedded services have in common: one child process with a start, a stop and an end."""

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, ClassVar

from apps.common import janitor
from apps.common.embedded.errors import ServiceFailedError
from apps.common.embedded.places import OsAccount
from apps.common.supervisor import how_it_ended

_START_S = 60.0
_POLL_S = 0.01


class Service(ABC):
    """One server process of ours, kept in the folder `home`. Not for use by several threads."""

    name: ClassVar[str]
    stop_signal: ClassVar[int] = signal.SIGTERM
    stop_grace_s: ClassVar[float] = 20.0

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the server had to say, of this run and the one before (`.1`)."""
        return self.home / "server.log"

    def how_it_ended(self) -> str | None:
        """Say how it ended if it did so by itself; None while it runs, and after `stop`."""
        code = self._process.poll() if self._process else None
        return None if code is None else how_it_ended(code)

    def start(self, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Start and wait until it answers; nothing if it runs. Raises `ServiceFailedError`.

        The address is that of an earlier start until `stop`. Waits only as long as `is_wanted`.
        """
        if self.pid is not None:
            return
        self._ended()
        try:
            self._prepare()
            self._launch(self._command())
            self._wait_until_ready(is_wanted)
            self._on_ready()
        except OSError as error:
            self._end()
            raise ServiceFailedError(self.name, str(error)) from error
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop in good order, by force after a grace; nothing if it does not run."""
        self._end()
        self._clean_up()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would, and leave its traces for the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._ended()

    def restart(self) -> None:
        """Stop and start; the address stays the same."""
        self._end()
        self.start()

    @abstractmethod
    def _prepare(self) -> None:
        """Make folders, and end what an earlier run left behind."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """Return the server's command line."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Say whether the server answers."""

    @abstractmethod
    def _on_ready(self) -> None:
        """Set up what takes a running server."""

    @abstractmethod
    def _clean_up(self) -> None:
        """Remove what only a running server needs."""

    def _account(self) -> OsAccount | None:
        return None

    def _launch(self, command: Sequence[str | Path]) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb") as log:
            self._process = self._spawn(command, stdout=log, stderr=subprocess.STDOUT)
        janitor.watch(janitor.Watched(self._process.pid, self.stop_signal, self.stop_grace_s))

    def _spawn(
        self,
        command: Sequence[str | Path],
        *,
        stdout: int | IO[bytes],
        stderr: int,
    ) -> subprocess.Popen[bytes]:
        account = self._account()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=self.home,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def _wait_until_ready(self, is_wanted: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_S
        while is_wanted():
            if self.pid is None:
                raise ServiceFailedError(self.name, f"it {self.how_it_ended()}.", self.log)
            if self._is_ready():
                return
            if time.monotonic() > deadline:
                raise ServiceFailedError(self.name, f"no answer within {_START_S:.0f} s.", self.log)
            time.sleep(_POLL_S)
        raise ServiceFailedError(self.name, "it was stopped before it answered.")

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(self.stop_grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._ended()

    def _ended(self) -> None:
        if self._process is not None:
            janitor.forget(self._process.pid)
            self._process = None
