"""The RQ worker of the delivery queue."""

from types import FrameType

import redis
from rq.worker import SimpleWorker

from apps.delivery.jobs import stop_running_drain


class DeliveryWorker(SimpleWorker):
    """Runs drains in its own process, and ends them cleanly when asked to stop.

    A drain lives for minutes, so forking one for each job would buy nothing. The worker itself
    runs under a supervisor: it leaves when Redis does not answer, and is started again.
    """

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after what is under way, as on SIGTERM; also while Redis is away."""
        stop_running_drain()
        try:
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]
        except redis.RedisError:
            self._stop_requested = True
