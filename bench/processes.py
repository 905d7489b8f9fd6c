"""Processes of a benchmark, and what they cost: processor time and memory, read from /proc."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.common import janitor

BASE_DIR = Path(__file__).resolve().parents[1]
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_GRACE_S = 15.0


class BenchmarkFailed(Exception):
    """The benchmark could not be run to its end; the message says what happened."""


@dataclass(frozen=True, slots=True)
class Process:
    """A child of the benchmark; `log` has what it wrote."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def kill(self) -> None:
        """End it as a crash would."""
        self.popen.kill()
        self.popen.wait()

    def peak_rss_mb(self) -> float:
        """The most memory it has had so far, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (peak,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024

    def end_of_log(self, lines: int = 20) -> str:
        """What it wrote last."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a command for the length of a `with` block; it is stopped after it, come what may."""
    with open(log, "ab") as output:
        popen = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=BASE_DIR,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    watched = janitor.Watched(popen.pid, signal.SIGTERM, _GRACE_S)
    janitor.watch(watched)
    try:
        yield Process(popen, log)
    finally:
        janitor.stop_group(watched)
        janitor.forget(popen.pid)
        popen.wait()


def python(*arguments: str) -> list[str]:
    """Return the command that runs this Python with these arguments."""
    return [sys.executable, *arguments]


def wait_until(
    condition: Callable[[], object], what: str, timeout_s: float, *, every_s: float = 0.05
) -> None:
    """Look until the condition holds; raises BenchmarkFailed, saying what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{what} took more than {timeout_s:.0f} s.")
        time.sleep(every_s)


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and of all its children, dead or alive, in seconds.

    Read from /proc, so it is exact to a hundredth of a second; 0 for a process that is gone.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [
            int(child) for task in tasks for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = sum(map(int, stat[11:15])) / _TICKS_A_SECOND
    return own + sum(map(cpu_s, children))


class CpuMeter:
    """What named processes have used since it was made, in seconds of processor time."""

    def __init__(self, **pids: int) -> None:
        self._pids = pids
        self._before = {name: cpu_s(pid) for name, pid in pids.items()}

    def used_s(self) -> dict[str, float]:
        """Return what each has used so far."""
        return {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
