"""The process that stops our children when we can not: after SIGKILL, a crash, a lost terminal.

`watch` names a child to a janitor process, `forget` takes it back when it was stopped in the usual
way. The janitor holds one end of a pipe whose other end only we hold. When that closes, it stops
what is still watched, last started first, and ends. It is this same file run as a program, in a
session of its own, with nothing but the standard library.
"""

import atexit
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.05
_HAS_PROC = Path("/proc/self/stat").exists()


@dataclass(frozen=True)
class Watched:
    """A child that leads its own process group, and how to stop that group."""

    pid: int
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0


_lock = threading.Lock()
_watched: dict[int, Watched] = {}
_janitor: subprocess.Popen[bytes] | None = None
_owner_pid = 0


def watch(child: Watched) -> None:
    """Have `child` stopped should this process end without `forget`."""
    with _lock:
        _own()
        _watched[child.pid] = child
        _tell(f"+ {child.pid} {int(child.stop_signal)} {child.grace_s}")


def forget(pid: int) -> None:
    """Take a child that has ended off the janitor's list."""
    with _lock:
        _own()
        if _watched.pop(pid, None):
            _tell(f"- {pid}")


def keep() -> None:
    """Have another janitor if somebody killed this one; for a loop that turns all the time."""
    with _lock:
        if _owner_pid == os.getpid() and _janitor is not None and _janitor.poll() is not None:
            _hire()


def group_is_alive(pid: int) -> bool:
    """True while the process group `pid` has a member that is not a zombie."""
    if not _HAS_PROC:
        return _exists(os.killpg, pid)
    return any(
        stat is not None and stat[1] == pid
        for stat in (_state(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit())
    )


def stop_group(child: Watched) -> None:
    """Signal the leader, then what it left behind, and kill what outlives the grace."""
    deadline = time.monotonic() + child.grace_s
    _send_signal(os.kill, child.pid, child.stop_signal)
    _wait_while(_leader_is_alive, child.pid, deadline)
    _send_signal(os.killpg, child.pid, child.stop_signal)
    _wait_while(group_is_alive, child.pid, max(deadline, time.monotonic() + 1.0))
    _send_signal(os.killpg, child.pid, signal.SIGKILL)
    _wait_while(group_is_alive, child.pid, time.monotonic() + 2.0)


def _leader_is_alive(pid: int) -> bool:
    return _state(str(pid)) is not None if _HAS_PROC else _exists(os.kill, pid)


def _state(pid: str) -> tuple[str, int] | None:
    """Return state and process group of a process, from /proc; None if gone or a zombie."""
    try:
        # The name in parentheses may hold blanks; state, parent and group follow it.
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (fields[0], int(fields[2]))


def _exists(kill: Callable[[int, int], None], pid: int) -> bool:
    try:
        kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _send_signal(kill: Callable[[int, int], None], pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(pid, number)


def _wait_while(condition: Callable[[int], bool], pid: int, deadline: float) -> None:
    while condition(pid) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _own() -> None:
    """Start afresh in a process that was forked from the one that watched."""
    global _janitor, _owner_pid
    if _owner_pid != os.getpid():
        _owner_pid = os.getpid()
        _janitor = None
        _watched.clear()
        atexit.register(_dismiss, _owner_pid)


def _tell(line: str) -> None:
    """Tell the janitor; a new one learns it from what is watched."""
    if _janitor is not None:
        with contextlib.suppress(BrokenPipeError):
            _send(_janitor, line)
            return
        _janitor.wait()
    _hire()


def _hire() -> None:
    global _janitor
    _janitor = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
        cwd="/",
    )
    for child in _watched.values():
        _send(_janitor, f"+ {child.pid} {int(child.stop_signal)} {child.grace_s}")


def _send(janitor: subprocess.Popen[bytes], line: str) -> None:
    assert janitor.stdin is not None  # noqa: S101
    janitor.stdin.write(f"{line}\n".encode())


def _dismiss(owner_pid: int) -> None:
    """Let the janitor end with us, after it stopped whatever was left running."""
    global _janitor
    if _janitor is not None and owner_pid == os.getpid() and _janitor.stdin:
        _janitor.stdin.close()
        _janitor.wait()
        _janitor = None


def _main(owner_pid: int) -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    children: dict[int, Watched] = {}
    buffer = b""
    while True:
        # A process forked from our owner may hold the pipe open too, hence the look at the parent.
        is_orphan = os.getppid() != owner_pid
        if not select.select([0], [], [], 0.0 if is_orphan else 1.0)[0]:
            if is_orphan:
                break
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            verb, pid, *how = line.split()
            if verb == b"+":
                children[int(pid)] = Watched(int(pid), int(how[0]), float(how[1]))
            else:
                children.pop(int(pid), None)
    for child in reversed(children.values()):
        stop_group(child)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
