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
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.05


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


def group_is_alive(pid: int) -> bool:
    """True while the process group `pid` has a member that is not a zombie."""
    if not Path("/proc/self/stat").exists():
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in parentheses may hold blanks; state, parent and group follow it.
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == pid and fields[0] not in "ZX":
                    return True
    return False


def stop_group(child: Watched) -> None:
    """Signal the group of `child`, wait for its grace, then kill what is left of it."""
    for stop_signal, grace_s in ((child.stop_signal, child.grace_s), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, stop_signal)
        deadline = time.monotonic() + grace_s
        while group_is_alive(child.pid):
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        else:
            return


def _own() -> None:
    """Start afresh in a process that was forked from the one that watched."""
    global _janitor, _owner_pid
    if _owner_pid != os.getpid():
        _owner_pid = os.getpid()
        _janitor = None
        _watched.clear()
        atexit.register(_dismiss, _owner_pid)


def _tell(line: str) -> None:
    global _janitor
    if _janitor is not None:
        try:
            _send(_janitor, line)
        except BrokenPipeError:
            _janitor.wait()
            _janitor = None
        else:
            return
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
    # A process forked from our owner may hold the pipe open too, hence the look at the parent.
    while os.getppid() == owner_pid:
        if not select.select([0], [], [], 1.0)[0]:
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
