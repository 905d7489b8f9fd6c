"""The simulated phone switch: posts calls to the event API over HTTP, as a platform would."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from apps.console.demo.calls import Call
from apps.console.demo.expected import Expected, expected_of

THREADS = 8
_TIMEOUT_S = 10.0
_PAUSE_S = 0.3
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


class SwitchRefused(Exception):
    """Hookline did not take an event that it must take; the message says which and why."""


class Switch:
    """Posts calls, several at a time, the events of one call in their order.

    A request that gets no answer is sent again until `stop`: events carry ids, so that is harmless.
    `said` is called, from the switch's threads, with a call and its deliveries once it is posted.
    """

    def __init__(
        self,
        *,
        events_url: str,
        keys: Mapping[str, str],
        said: Callable[[Call, list[Expected]], None],
        pause_s: float = 0.0,
    ) -> None:
        self.posted = 0
        self.repeated_requests = 0
        self._events_url = events_url
        self._keys = keys
        self._said = said
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._sessions = threading.local()
        self._lock = threading.Lock()

    def run(self, calls: Sequence[Call]) -> list[Expected]:
        """Post all calls and return every delivery that must follow; raises SwitchRefused."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="switch") as threads:
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
        self._said(call, expected)
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
        return session


def _check(call: Call, events: list[dict[str, Any]], response: requests.Response) -> None:
    answer = response.json() if response.ok else {}
    taken = [each["id"] for each in answer.get("accepted", [])]
    if response.status_code != 202 or taken != [event["id"] for event in events]:
        raise SwitchRefused(
            f"{call.id}: {len(events)} events were answered with {response.status_code}"
            f" {response.text[:500]}"
        )
