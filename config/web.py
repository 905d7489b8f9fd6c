"""The web server, of the image and of `up`: `python -m config.web`.

It is granian, which speaks HTTP without the interpreter's lock (decision 27). Around it are what
gunicorn did by itself: a process that hangs is replaced, and none outlives the one that started it.
"""

import argparse
import gc
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from apps.common.garbage import collect_seldom
from apps.common.heartbeat import INTERVAL_S, Pulse, start_beating

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIHandler

# Processes, and threads in each. Most threads wait, for a receiver or for a round of events; the
# others share connections to PostgreSQL (apps/common/spare_connections.py).
_PROCESSES = int(os.environ.get("WEB_CONCURRENCY", "2"))
_THREADS = int(os.environ.get("WEB_THREADS", "64"))
# On SIGTERM, requests under way get this long. The stop_grace_period of compose.yaml is longer.
GRACE_S = 25
# How long one that gives no sign of life is let be; twice that while it starts.
_STUCK_S = 30.0
# For the head of a request, and between two of a connection: longer than a proxy keeps an idle one,
# so that the proxy is the one who closes it.
_HEAD_TIMEOUT_MS = 75_000
_MOST_HEAD_BYTES = 65_536


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    # Every address of the container; what reaches it is decided outside.
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--grace", type=int, default=GRACE_S, help="seconds, once told to stop")
    options = parser.parse_args()
    logging.getLogger("_granian").addFilter(_in_our_words)
    # Each call and delivery is logged by Hookline, each request by the proxy in front.
    server = Granian(
        "config.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEAD_TIMEOUT_MS, max_buffer_size=_MOST_HEAD_BYTES
        ),
        websockets=False,
        workers=_PROCESSES,
        blocking_threads=_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=options.grace,
        log_level=LogLevels.error,
    )
    with tempfile.TemporaryDirectory(prefix="hookline-web-") as folder:
        beats = Path(folder)
        threading.Thread(target=_end_the_stuck, args=(beats,), daemon=True).start()
        server.serve(target_loader=partial(_load, beats), wrap_loader=False)


def _in_our_words(record: logging.LogRecord) -> bool:
    """Name the processes of the web server so that nobody takes them for workers, which deliver."""
    record.msg = str(record.msg).replace("worker-", "web process ")
    return True


def _load(beats: Path) -> "WSGIHandler":
    """Load the application into a process that serves it, and tell that this one lives."""
    application: WSGIHandler = import_module("config.wsgi").application
    import_module("apps.common.spare_connections").spare_connections.share()
    # Each look for garbage holds up every request.
    gc.collect()
    collect_seldom()
    start_beating()
    start_beating(path=beats / str(os.getpid()))
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    return application


def _end_with_the_server() -> None:
    """End this process once the one that started it is gone, as when that was killed."""
    server = multiprocessing.parent_process()
    while server is None or os.getppid() == server.pid:
        time.sleep(INTERVAL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_the_stuck(beats: Path) -> None:
    pulses: dict[int, Pulse] = {}
    while True:
        time.sleep(_STUCK_S)
        look(pulses, beats)


def look(pulses: dict[int, Pulse], beats: Path) -> None:
    """Kill each process that touched no file since the last look; the server starts another one."""
    for process in multiprocessing.active_children():
        pid = process.pid or 0
        if pid not in pulses:
            pulses[pid] = Pulse(beats / str(pid))
        elif not pulses[pid]():
            sys.stderr.write(f"Web process {pid} gives no sign of life and is killed.\n")
            process.kill()


if __name__ == "__main__":
    main()
