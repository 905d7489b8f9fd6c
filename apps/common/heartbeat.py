"""Signs of life: a file that a process touches while it gets on, for whoever looks after it.

A process that is stopped, or stuck, still has its id and its sockets; only this tells.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

INTERVAL_S = 2.0


def start_beating(is_well: Callable[[], bool] = lambda: True, *, path: Path | None = None) -> None:
    """Touch a file every two seconds, from a thread, for as long as `is_well` says so.

    It is HEARTBEAT_FILE where no other one is given; without either nobody looks, and nothing is
    done.
    """
    if file := path or os.environ.get("HEARTBEAT_FILE"):
        threading.Thread(target=_beat, args=(Path(file), is_well), daemon=True).start()


def _beat(path: Path, is_well: Callable[[], bool]) -> None:
    while True:
        if is_well():
            path.touch()
        time.sleep(INTERVAL_S)


class Pulse:
    """Tells, each time it is asked, whether a file was touched since the last time.

    No clock is read, so none can jump.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._touched_at()

    def __call__(self) -> bool:
        """Look; to be asked less often than the file is touched."""
        before, self._seen = self._seen, self._touched_at()
        return self._seen != before

    def _touched_at(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
