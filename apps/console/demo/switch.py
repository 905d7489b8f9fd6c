"""The simulated phone switch: posts calls to the event API over HTTP, as a platform would.

`python -m apps.console.demo.switch --url http://127.0.0.1:8000` lets the demo's phones ring for a
while. Knows nothing of Django.
"""

import argparse
import datetime as dt
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from apps.console.demo.calls import LONGEST_CALL, Call, simulate
from apps.console.demo.expected import Expected, expected_of
from apps.console.demo.keepsakes import FILE_NAME, Keepsakes

EVENTS_PATH = "/api/v1/events"
_TIMEOUT_S = 10.0
_PAUSE_S = 0.3
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


class SwitchRefused(Exception):
    """Hookline did not take an event that it must take; the message says which and why."""


class Switch:
    """Posts calls, `lines` at a time, the events of one call in their order, `pause_s` apart.

    A request that gets no answer is sent again until `stop`: events carry ids, so that is harmless.
    Where `public_url` is another address, it asks as a proxy in front of that does. `said` is
    called, from the switch's threads, with a line on each call once it is posted. `keys` are by the
    name of the client account.
    """

    def __init__(
        self,
        *,
        url: str,
        public_url: str = "",
        keys: Mapping[str, str],
        said: Callable[[str], None],
        lines: int = 8,
        pause_s: float = 0.0,
    ) -> None:
        self.posted = 0
        self.repeated_requests = 0
        self._events_url = url.rstrip("/") + EVENTS_PATH
        self._public_url = urlsplit(public_url or url)
        self._keys = keys
        self._said = said
        self._lines = lines
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._sessions = threading.local()
        self._lock = threading.Lock()

    def run(self, calls: Sequence[Call]) -> list[Expected]:
        """Post all calls and return every delivery that must follow; raises SwitchRefused."""
        with ThreadPoolExecutor(self._lines, thread_name_prefix="line") as threads:
            try:
                return [each for found in threads.map(self._post_call, calls) for each in found]
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End soon, with calls unposted."""
        self._stopped.set()

    def _post_call(self, call: Call) -> list[Expected]:
        for events in call.posts:
            self._stopped.wait(self._pause_s)
            self._post(call, events)
        expected = list(expected_of(call))
        with self._lock:
            self.posted += 1
        webhooks = "webhook" if len(expected) == 1 else "webhooks"
        line = f"{call.summary} → {len(expected)} {webhooks}"
        self._said("".join(c if c.isprintable() else "·" for c in line))
        return expected

    def _post(self, call: Call, events: list[dict[str, Any]]) -> None:
        body: Any = events[0] if len(events) == 1 else events
        while not self._stopped.is_set():
            try:
                response = self._session().post(
                    self._events_url,
                    json=body,
                    headers={"Authorization": f"Bearer {self._keys[call.client.name]}"},
                    timeout=_TIMEOUT_S,
                    allow_redirects=False,
                )
            except (requests.ConnectionError, requests.Timeout):
                response = None
            if response is not None and response.status_code not in _TEMPORARY:
                _check(call, events, response)
                return
            with self._lock:
                self.repeated_requests += 1
            self._stopped.wait(_PAUSE_S)

    def _session(self) -> requests.Session:
        """Return the session of this thread: they are not made for sharing."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = requests.Session()
            session.trust_env = False
            session.headers["Host"] = self._public_url.netloc
            session.headers["X-Forwarded-Proto"] = self._public_url.scheme
        return session


def _check(call: Call, events: list[dict[str, Any]], response: requests.Response) -> None:
    answer = response.json() if response.ok else {}
    taken = [each["id"] for each in answer.get("accepted", [])]
    if response.status_code != 202 or taken != [event["id"] for event in events]:
        raise SwitchRefused(
            f"{call.id}: {len(events)} events were answered with {response.status_code}"
            f" {response.text[:500]}"
        )


def main() -> int:
    """Post some calls that have just happened, and return the exit code."""
    folder = Path(os.environ.get("DATA_DIR") or "var")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of Hookline")
    parser.add_argument("--public-url", default="", help="as others know it, if that differs")
    parser.add_argument("--keys", type=Path, default=folder / FILE_NAME)
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--pause-s", type=float, default=2.0, help="between two posts of a call")
    arguments = parser.parse_args()
    begin = dt.datetime.now(dt.UTC) - LONGEST_CALL - arguments.calls * dt.timedelta(seconds=1)
    switch = Switch(
        url=arguments.url,
        public_url=arguments.public_url,
        keys=Keepsakes.read(arguments.keys).keys,
        said=lambda line: print(line, flush=True),  # noqa: T201
        lines=2,
        pause_s=arguments.pause_s,
    )
    try:
        switch.run(simulate(count=arguments.calls, seed=int(time.time()), begin=begin))
    except SwitchRefused as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
