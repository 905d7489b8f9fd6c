"""The web server, of the image and of `up`: `gunicorn --config config/gunicorn.py config.wsgi`."""

import gc
import os
from pathlib import Path
from typing import Any

# Every address of the container; what reaches it is decided outside.
bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"

# Processes, and threads in each. A thread waits for PostgreSQL most of its time, and holds one
# connection to it: workers x threads stays below the connections that PostgreSQL allows.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))

# A worker that gives no sign of life for so long is replaced. It bounds no request: threads keep
# the sign going. Nothing here bounds how long a body may take, and a slow one holds a thread: the
# proxy in front must buffer bodies, within a time-out of its own.
timeout = 30
# On SIGTERM, requests under way get this long. The stop_grace_period of compose.yaml is longer.
graceful_timeout = 25
# Longer than a proxy keeps an idle connection, so that the proxy is the one who closes it.
keepalive = 75

# Whose X-Forwarded-For and X-Forwarded-Proto gunicorn itself believes; `*` for everybody.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")

# The signs of life go to memory: on a disk, a slow moment looks like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# No socket to be commanded through; the root file system may be read-only.
control_socket_disable = True

# Each call and delivery is logged by Hookline, each request by the proxy in front.
accesslog = None
errorlog = "-"
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """Leave what is loaded once out of later collections, each of which holds up every request."""
    gc.collect()
    gc.freeze()
