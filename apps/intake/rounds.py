"""Threads that bring something at the same moment have it done together. Pure but for its locks."""

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

_Brought = TypeVar("_Brought")
_Result = TypeVar("_Result")


@dataclass(slots=True, eq=False)
class _Seat(Generic[_Brought, _Result]):
    """What one thread brings. It waits for `turn`, and then has a result, or a round to lead."""

    brought: _Brought
    turn: Lock = field(default_factory=Lock)
    round: "list[_Seat[_Brought, _Result]]" = field(default_factory=list)
    result: _Result | None = None


class Rounds(Generic[_Brought, _Result]):
    """Does what threads bring in rounds, one at a time for each key.

    Who comes while nobody is at work does so at once, and waits for no company. Those who come
    meanwhile sit down; when the round ends, the first of them leads the next one for all of them.

    `work` does a round and returns a result for each, in the given order. Whoever gets None, as all
    do where it raises, is to do it alone: a round in vain is all that it costs whom they sit with.
    """

    def __init__(
        self, work: Callable[[Sequence[_Brought]], Sequence[_Result | None]], *, most: int
    ) -> None:
        self._work = work
        self._most = most
        self._lock = Lock()
        # Who waits, by the keys at which somebody is at work.
        self._waiting: dict[Hashable, list[_Seat[_Brought, _Result]]] = {}

    def join(self, key: Hashable, brought: _Brought) -> _Result | None:
        """Have it done in a round of this key, by this thread or another one; None: do it alone."""
        seat: _Seat[_Brought, _Result] = _Seat(brought)
        with self._lock:
            if (waiting := self._waiting.get(key)) is None:
                self._waiting[key] = []
                seat.round = [seat]
            else:
                seat.turn.acquire()
                waiting.append(seat)
        if not seat.round:
            # Whoever leads lets it go, come what may.
            seat.turn.acquire()
        if seat.round:
            self._lead(key, seat.round)
        return seat.result

    def _lead(self, key: Hashable, seats: "list[_Seat[_Brought, _Result]]") -> None:
        try:
            results = self._work([seat.brought for seat in seats])
            for seat, result in zip(seats, results, strict=True):
                seat.result = result
        # Each does it alone then, and meets its own fault.
        except Exception as error:  # noqa: BLE001
            if len(seats) > 1:
                what = str(error).partition("\n")[0]
                logger.info("A round of %s failed, each is done alone: %s", len(seats), what)
        finally:
            self._pass_on(key)
            for seat in seats[1:]:
                seat.turn.release()

    def _pass_on(self, key: Hashable) -> None:
        """Let the first who waits lead the next round; end where nobody does."""
        with self._lock:
            waiting = self._waiting[key]
            if not waiting:
                del self._waiting[key]
                return
            following, waiting[:] = waiting[: self._most], waiting[self._most :]
        following[0].round = following
        following[0].turn.release()
