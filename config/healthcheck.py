"""Asks the web server of this container whether it works: `python -m config.healthcheck`.

Ends with 0 when `/healthz` answers 200. Asks as a TLS proxy would, under a name that the site
answers to.
"""

import http.client
import os
import sys

_TIMEOUT_S = 4.0


def main() -> int:
    """Return the exit code."""
    hosts = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    named = [host.removeprefix(".") for host in hosts if host not in ("", "*")]
    headers = {"Host": named[0] if named else "localhost", "X-Forwarded-Proto": "https"}
    port = int(os.environ.get("PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz", headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{status}\n")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
