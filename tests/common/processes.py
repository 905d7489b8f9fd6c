"""Real processes for the tests that start, stop and kill them; what is left is read from /proc."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]


def processes_of(mark: str | Path) -> dict[int, str]:
    """Return the command lines, by process id, of what names `mark` there or in its environment.

    Zombies and this process do not count.
    """
    found = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = Path(entry.path, "cmdline").read_bytes()
            environment = Path(entry.path, "environ").read_bytes()
            if str(mark).encode() in command + environment:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def janitors_of(owner: int) -> set[int]:
    """Return the ids of the janitors that a process has hired."""
    return {pid for pid, command in processes_of("janitor.py").items() if f" {owner} " in command}


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait for the condition to hold; a busy machine may take long for what is done at once.

    Looks are counted, not seconds: a virtual machine may stand still for minutes, and the clock
    not.
    """
    for _ in range(round(timeout_s / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    assert condition(), f"{condition} did not come true in {timeout_s} s"


def free_port() -> int:
    """Return a port that is free, and still is when a process that starts slowly takes it.

    The system gives those from 32,768 on to whoever asks for any.
    """
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311 - a port, no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def stop(process: "subprocess.Popen[str]") -> None:
    """Stop it until SIGCONT, and wait until it does nothing any more: not at once."""
    process.send_signal(signal.SIGSTOP)
    threads = Path(f"/proc/{process.pid}/task")
    wait_until(
        lambda: all(
            stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads.glob("*/stat")
        )
    )


@contextmanager
def python(
    *arguments: str | Path,
    prefix: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    cwd: Path = BASE_DIR,
) -> Iterator[subprocess.Popen[str]]:
    """Run Python for the length of a `with` block; its lines come from `stdout`."""
    process = subprocess.Popen(
        [*prefix, sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdout is not None
        process.stdout.close()


def read_until(process: subprocess.Popen[str], text: str, timeout_s: float = 120.0) -> str:
    """Return what the process prints up to the line that holds `text`."""
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_s
    seen = ""
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        seen += line
        if text in line:
            return seen
        assert line, f"{text!r} was never printed, but:\n{seen}"
    raise AssertionError(f"{text!r} was not printed within {timeout_s} s, but:\n{seen}")
