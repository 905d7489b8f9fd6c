"""Asks what runs in this container whether it lives: `python -m config.healthcheck`.

Ends with 0 when the file of HEARTBEAT_FILE was touched just now, or, where there is none, when
`/healthz` answers 200.
"""

import http.client
import os
import sys
import time
from pathlib import Path

_TIMEOUT_S = 4.0
# It is touched every two seconds.
_FRESH_S = 30.0


def main() -> int:
    """Return the exit code."""
    heartbeat = os.environ.get("HEARTBEAT_FILE")
    return _check_heartbeat(Path(heartbeat)) if heartbeat else _check_web()


def _check_heartbeat(path: Path) -> int:
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        sys.stderr.write("There has been no sign of life yet.\n")
        return 1
    sys.stdout.write(f"The last sign of life was {age_s:.0f} s ago.\n")
    return int(abs(age_s) > _FRESH_S)


def _check_web() -> int:
    port = int(os.environ.get("PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{status}\n")
    return int(status != http.client.OK)


if __name__ == "__main__":
    sys.exit(main())
