"""The naive way: one RQ job a delivery, with `requests`, by the workers that RQ comes with.

It is spared most of the work: the payload is ready and signed, and nothing is recorded.
"""

import time
import uuid
from pathlib import Path

import redis
import requests
import rq
from rq import Queue

from bench.ceiling import BODY
from bench.processes import BenchmarkFailed, python, running, wait_until
from bench.receiver import Receiver

# The usual worker, which forks for each job, and the one that does not.
WORKERS = {"naive": "Worker", "naive_simple": "SimpleWorker"}
_QUEUE = "naive"
# More jobs a second than any of them gets done.
_PLENTY = 600
_START_S = 30.0
_HEADERS = {
    "Content-Type": "application/json",
    "X-Api-Key": "key-of-1",
    "webhook-timestamp": "1764547200",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}


def deliver(url: str, key: str) -> None:
    """The job."""
    headers = {**_HEADERS, "webhook-id": f"msg_{key}"}
    requests.post(url, data=BODY, headers=headers, timeout=15).raise_for_status()


def work(redis_url: str, worker_class: str) -> None:
    """The worker's process; what the job imports is imported before it forks."""
    connection = redis.Redis.from_url(redis_url)
    worker = getattr(rq, worker_class)([_QUEUE], connection=connection)
    worker.work(logging_level="WARNING")


def measure_naive(
    receiver: Receiver,
    worker_class: str,
    *,
    redis_url: str,
    paths: list[str],
    seconds: float,
    folder: Path,
) -> float:
    """Return how many such jobs a second one worker gets done, between first and last arrival.

    Raises BenchmarkFailed unless what left the queue arrived, each once.
    """
    receiver.forget()
    queue = Queue(_QUEUE, connection=redis.Redis.from_url(redis_url))
    jobs = int(seconds * _PLENTY)
    for number in range(jobs):
        url = receiver.url(paths[number % len(paths)])
        queue.enqueue(deliver, url, uuid.uuid4().hex[:26], result_ttl=0)
    call = f"from bench.naive import work; work({redis_url!r}, {worker_class!r})"
    with running(python("-c", call), log=folder / "naive.log"):
        wait_until(receiver.ledger, "Starting the naive worker", _START_S)
        time.sleep(seconds)
    arrivals = receiver.ledger().values()
    gone = jobs - queue.count
    queue.empty()  # type: ignore[no-untyped-call]
    # It may be stopped between taking a job and doing it.
    if not 1 < gone - 1 <= len(arrivals) <= gone or any(each.requests > 1 for each in arrivals):
        raise BenchmarkFailed(f"Of {gone} naive jobs, {len(arrivals)} arrived.")
    moments = [each.first_at for each in arrivals]
    return (len(moments) - 1) / (max(moments) - min(moments))
