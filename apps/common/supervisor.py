"""Runs named child processes side by side: restarts those that die, shows their lines, stops all.

Single-threaded, for the main thread: it owns the stop signals while it works. Every child leads a
process group of its own, and the janitor ends the groups should we die without a chance to.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self, TextIO

from apps.common import janitor

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0
# A child that lived this long starts its back-off afresh.
_SETTLED_S = 30.0
_TURN_S = 0.2
# How often a child is asked for a sign of life, and for how long it may give none.
_LOOK_S = 5.0
_PATIENCE_S = 30.0
# Before the first sign it may take this much longer, as a start does on a busy machine.
_START_S = 60.0
_COLOURS = (36, 33, 35, 32, 34)


@dataclass(frozen=True)
class Child:
    """A process to run: its name in front of each line, its arguments, what the environment adds.

    With `restart` it is started again whenever it ends, after a growing pause. With `output_to`
    its standard output goes there and only its errors are shown. With `pulse` it is killed when
    that has told of no sign of life for `patience_s`.
    """

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    output_to: IO[bytes] | None = None
    restart: bool = True
    stop_signal: int = signal.SIGTERM
    stop_grace_s: float = 10.0
    pulse: Callable[[], bool] | None = None
    patience_s: float = _PATIENCE_S


class StopSignals:
    """Notes SIGINT, SIGTERM and SIGHUP inside a `with` block instead of acting on them."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, object] = {}
        self._wake_read, self._wake_write = -1, -1

    def __enter__(self) -> Self:
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        for number in _STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        # Children that end wake the loop too.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._wake_read)
        os.close(self._wake_write)

    def fileno(self) -> int:
        """The descriptor that turns readable at each signal."""
        return self._wake_read

    def drain(self) -> None:
        """Make the descriptor wait for the next signal."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 512):
                pass

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1


class _Running:
    """One start of a child."""

    def __init__(self, child: Child, failures: int = 0) -> None:
        self.child = child
        self.failures = failures
        self.started_at_s = self.looked_at_s = time.monotonic()
        self.alive_at_s = self.started_at_s + _START_S
        self.rest = b""
        self.is_silent = False
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.output = os.fdopen(read, "rb", buffering=0)
        with os.fdopen(write, "wb") as shown:
            self.process = subprocess.Popen(
                child.argv,
                stdin=subprocess.DEVNULL,
                stdout=child.output_to or shown,
                stderr=shown,
                cwd=child.cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **child.env},
                start_new_session=True,
            )
        self.watched = janitor.Watched(self.process.pid, child.stop_signal, child.stop_grace_s)
        janitor.watch(self.watched)

    def kill(self) -> None:
        """Kill the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def is_stuck(self) -> bool:
        """Tell whether it gives no sign of life; it is asked for one now and then."""
        child, now = self.child, time.monotonic()
        if child.pulse is None or now - self.looked_at_s < min(_LOOK_S, child.patience_s / 2):
            return False
        self.looked_at_s = now
        if child.pulse():
            self.alive_at_s = now
        return now - self.alive_at_s > child.patience_s

    def lines(self, *, to_the_end: bool = False) -> list[str]:
        """Return the whole lines that arrived, or all there is `to_the_end`.

        `is_silent` tells afterwards that nothing more can come.
        """
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output.fileno(), 65536):
                self.rest += chunk
            self.is_silent = True
        *lines, self.rest = self.rest.split(b"\n")
        if to_the_end and self.rest:
            lines.append(self.rest)
            self.rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in lines]


class Supervisor:
    """A set of children that lives as long as the `with` block; its own lines are under `name`."""

    def __init__(self, signals: StopSignals, out: TextIO = sys.stdout, *, name: str = "up") -> None:
        self._name = name
        self._signals = signals
        self._out = out
        self._is_over = False
        self._running: list[_Running] = []
        self._due: list[tuple[float, Child, int]] = []
        self._looks: list[Callable[[], None]] = []
        self._colours: dict[str, int] = {}
        self._last_line_at_s = time.monotonic()
        self._selector = selectors.DefaultSelector()

    @property
    def is_stopping(self) -> bool:
        """True once a stop signal came, `stop` was called or nobody reads the output any more."""
        return self._signals.count > 0 or self._is_over

    @property
    def silence_s(self) -> float:
        """Seconds since the last line was printed."""
        return time.monotonic() - self._last_line_at_s

    def start(self, child: Child) -> None:
        """Start a child; its lines show while `run`, `run_once` or `wait_for` work."""
        self._start(child, failures=0)

    def kill(self, name: str) -> None:
        """End a child with SIGKILL, as a crash would; one with `restart` is started again."""
        for running in self._running:
            if running.child.name == name:
                running.kill()

    def run(self) -> None:
        """Keep the children running until a stop signal comes."""
        while not self.is_stopping:
            self._turn()

    def run_once(self, child: Child) -> int | None:
        """Run a child to its end and return its exit code; None when a stop signal came first."""
        running = self._start(replace(child, restart=False), failures=0)
        while running in self._running:
            if self.is_stopping:
                return None
            self._turn()
        return running.process.returncode

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Keep the children running until the condition holds; False at the limit or a stop."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.is_stopping or time.monotonic() > deadline:
                return False
            self._turn()
        return True

    def each_turn(self, look: Callable[[], None]) -> None:
        """Have `look` called between the lines, several times a second, until a stop."""
        self._looks.append(look)

    def say(self, text: str, name: str | None = None) -> None:
        """Print text of several lines, each behind the name: our own, unless another is given."""
        name = name or self._name
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        label = f"{name:<8} |"
        if self._out.isatty():
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self._last_line_at_s = time.monotonic()
        try:
            for line in text.split("\n"):
                self._out.write(f"{label} {line}\n")
            self._out.flush()
        except OSError:
            self._is_over = True

    def stop(self) -> None:
        """Stop the children, last started first; a second stop signal kills them at once."""
        self._is_over = True
        self._due.clear()
        for running in reversed(self._running.copy()):
            running.process.send_signal(running.child.stop_signal)
            deadline = time.monotonic() + running.child.stop_grace_s
            is_killed = False
            while running in self._running:
                if not is_killed and (time.monotonic() > deadline or self._signals.count > 1):
                    self.say(f"{running.child.name} does not stop; killing it")
                    running.kill()
                    is_killed = True
                self._turn()

    def __enter__(self) -> Self:
        self._selector.register(self._signals, selectors.EVENT_READ)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._selector.close()

    def _start(self, child: Child, failures: int) -> _Running:
        running = _Running(child, failures)
        self._running.append(running)
        self._selector.register(running.output, selectors.EVENT_READ, running)
        return running

    def _turn(self) -> None:
        """Show what arrived, see who ended, start who is due, look after the rest."""
        janitor.keep()
        for key, _ in self._selector.select(_TURN_S):
            if key.data is None:
                self._signals.drain()
                continue
            self._show(key.data)
            if key.data.is_silent:
                self._selector.unregister(key.fileobj)
        for running in self._running.copy():
            if running.process.poll() is not None:
                self._bury(running)
            elif running.is_stuck() and not self.is_stopping:
                self.say(f"{running.child.name} gives no sign of life; killing it")
                running.kill()
        now = time.monotonic()
        for entry in [entry for entry in self._due if entry[0] <= now]:
            self._due.remove(entry)
            if not self.is_stopping:
                self._start(entry[1], failures=entry[2])
        for look in self._looks:
            if not self.is_stopping:
                look()

    def _show(self, running: _Running, *, to_the_end: bool = False) -> None:
        for line in running.lines(to_the_end=to_the_end):
            self.say(line, running.child.name)

    def _bury(self, running: _Running) -> None:
        """See off a child that ended, with whatever it left in its group."""
        child = running.child
        if janitor.group_is_alive(running.process.pid):
            janitor.stop_group(janitor.Watched(running.process.pid, child.stop_signal, 0.0))
        janitor.forget(running.process.pid)
        if not running.is_silent:
            self._selector.unregister(running.output)
        self._show(running, to_the_end=True)
        running.output.close()
        self._running.remove(running)
        if not child.restart or self.is_stopping:
            return
        lived_s = time.monotonic() - running.started_at_s
        failures = 0 if lived_s > _SETTLED_S else running.failures
        pause_s = min(_FIRST_BACKOFF_S * 2**failures, _LONGEST_BACKOFF_S)
        self.say(f"{child.name} {how_it_ended(running.process.returncode)}; again in {pause_s:g} s")
        self._due.append((time.monotonic() + pause_s, child, failures + 1))


def how_it_ended(code: int) -> str:
    """Put an exit code, negative for a signal, into words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
