"""The RQ worker of the delivery queue."""

from types import FrameType

import redis
from rq import Queue
from rq.exceptions import InvalidJobOperation
from rq.job import Job
from rq.worker import SimpleWorker

from apps.delivery.jobs import stop_running_drain


class DeliveryWorker(SimpleWorker):
    """Runs drains in its own process, and ends them cleanly when asked to stop.

    A drain lives for minutes, so forking one for each job would buy nothing. The worker itself
    runs under a supervisor: it leaves when Redis does not answer, and is started again.
    """

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Run a drain; that Redis was wiped meanwhile, and the job with it, is no failure."""
        try:
            return bool(super().perform_job(job, queue))
        except InvalidJobOperation:
            return True

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after what is under way, as on SIGTERM; also while Redis is away."""
        stop_running_drain()
        try:
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]
        except redis.RedisError:
            self._stop_requested = True
