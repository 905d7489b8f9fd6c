"""Asks the web server of this container whether it lives: `python -m config.healthcheck`.

Ends with 0 when `/healthz` answers 200.
"""

import http.client
import os
import sys

_TIMEOUT_S = 4.0


def main() -> int:
    """Return the exit code."""
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
