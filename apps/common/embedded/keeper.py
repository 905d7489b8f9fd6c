"""Starts an embedded service again that ended by itself."""

import time
from collections.abc import Callable

from apps.common.embedded.errors import ServiceFailedError
from apps.common.embedded.service import Service

_FIRST_PAUSE_S = 0.5
_MOST_FAILURES = 5
# A service that ran for so long starts its failures afresh.
_SETTLED_S = 30.0


class Keeper:
    """Looks after a service that was started.

    `say` is told of each failure, in one line. Once `is_stopping`, no start is waited for.
    """

    def __init__(
        self, service: Service, say: Callable[[str], None], is_stopping: Callable[[], bool]
    ) -> None:
        self._service = service
        self._say = say
        self._is_stopping = is_stopping
        self._failures = 0
        self._started_at_s = time.monotonic()
        self._due_at_s: float | None = None

    def look(self) -> None:
        """Start it, after a growing pause, if it ended; for a loop that turns all the time.

        Raises `ServiceFailedError`, with the end of the log, at the fifth failure in a row.
        """
        if self._due_at_s is not None:
            if time.monotonic() >= self._due_at_s:
                self._start()
        elif how := self._service.how_it_ended():
            if time.monotonic() - self._started_at_s > _SETTLED_S:
                self._failures = 0
            name, log = self._service.name, self._service.log
            self._failed(
                f"{name} {how}", ServiceFailedError(name, f"it {how} after each start.", log)
            )

    def _start(self) -> None:
        try:
            self._service.start(is_wanted=lambda: not self._is_stopping())
        except ServiceFailedError as error:
            if not self._is_stopping():
                self._failed(str(error).partition("\n")[0].rstrip("."), error)
        else:
            self._started_at_s = time.monotonic()
            self._due_at_s = None

    def _failed(self, what: str, error: ServiceFailedError) -> None:
        self._failures += 1
        if self._failures == _MOST_FAILURES:
            raise error
        pause_s = _FIRST_PAUSE_S * 2 ** (self._failures - 1)
        self._say(f"{what}; again in {pause_s:g} s")
        self._due_at_s = time.monotonic() + pause_s
