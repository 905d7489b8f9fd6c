"""What became of tries: judged, told and handed to the recorder, all of one turn together."""

import datetime as dt
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from apps.common.ids import made_at_s
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint, EndpointCache
from apps.delivery.engine.gathering import Gathering
from apps.delivery.engine.hold import Hold
from apps.delivery.engine.log import TryLog
from apps.delivery.engine.recorder import Recorder
from apps.delivery.engine.records import MAX_ERROR_CHARS, Tried
from apps.delivery.engine.requests import Prepared
from apps.delivery.outcome import ErrorKind, Outcome, not_sent
from apps.delivery.retry import RetryPolicy, State, broken_down, judge

logger = logging.getLogger(__name__)

_NO_POLICY = RetryPolicy()


class Ended(NamedTuple):
    """A try that ended; one without a request was ended before there was one."""

    held: Claimed
    outcome: Outcome
    prepared: Prepared | None = None


class Judging:
    """Judges tries, all that ended in a turn together; `tell` hears of each new state."""

    def __init__(
        self,
        *,
        hold: Hold,
        cache: EndpointCache,
        recorder: Recorder,
        tell: Callable[[State], None],
    ) -> None:
        self._hold = hold
        self._cache = cache
        self._recorder = recorder
        self._tell = tell
        self._log = TryLog()
        self._ended = Gathering(self._judge_all)
        self.add, self.flush = self._ended.add, self._ended.flush

    def broke_down(self, held: Claimed) -> None:
        """Note that a try broke down in our own code, wherever that was."""
        cached = self._cache.endpoints.get(held.webhook_id)
        endpoint = cached if isinstance(cached, Endpoint) else None
        verdict = broken_down(held.lost_count + 1)
        self._recorder.note(
            Tried(
                held=held,
                method=endpoint.method if endpoint else "",
                url=endpoint.url if endpoint else "",
                headers={},
                body=b"",
                started_at=dt.datetime.now(dt.UTC),
                outcome=not_sent(ErrorKind.LOST, verdict.reason)._replace(sends=1),
                verdict=verdict,
            )
        )

    def close(self) -> None:
        """Judge the rest."""
        self.flush()
        self._log.close()

    def _judge_all(self, ended: Sequence[Ended]) -> None:
        now, clock_s = dt.datetime.now(dt.UTC), time.monotonic()
        for each in ended:
            try:
                self._judge(each, now, clock_s)
            # One delivery must not take the others with it.
            except Exception:
                logger.exception("The try of %s broke down.", each.held.id)
                self.broke_down(each.held)

    def _judge(self, ended: Ended, now: dt.datetime, clock_s: float) -> None:
        held, outcome, prepared = ended
        endpoint = prepared.endpoint if prepared else None
        is_repeated = _is_repeated(held, outcome)
        verdict = judge(
            outcome,
            held.attempt_count + 1 - held.lost_count,
            endpoint.policy if endpoint else _NO_POLICY,
            now=now,
            random=random.random,
            stuck_for_s=now.timestamp() - made_at_s(held.id) if is_repeated else 0.0,
        )
        if verdict.disable_webhook:
            # What has not begun waits until it is on again.
            self._hold.refuse(*self._hold.lanes.take(held.webhook_id))
        self._tell(verdict.state)
        self._log.tell(held, endpoint, verdict, outcome.timings.total_ms, now=clock_s)
        # Last, so that what breaks down before it is noted once.
        self._recorder.note(
            Tried(
                held=held,
                method=prepared.request.method if prepared else "",
                url=prepared.request.url if prepared else "",
                headers=prepared.masked_headers if prepared else {},
                body=prepared.request.body if prepared else b"",
                started_at=prepared.started_at if prepared else now,
                outcome=outcome,
                verdict=verdict,
                is_repeated=is_repeated,
            )
        )


def _is_repeated(held: Claimed, outcome: Outcome) -> bool:
    """Tell whether nothing was sent, on our side and as the last time.

    A proxy that is away for a night would otherwise fill the disk with what all that waits tells
    of it every few seconds, each with its body.
    """
    is_ours = outcome.error_kind is ErrorKind.LOCAL and not outcome.sends
    return is_ours and held.last_error == outcome.error_message[:MAX_ERROR_CHARS]
