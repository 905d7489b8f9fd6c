"""A whole demo: services, processes, calls, faults on demand, and the balance at the end."""

import contextlib
import datetime as dt
import queue
import secrets
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import redis
import requests

from apps.common.embedded import EmbeddedServices
from apps.common.ids import encode_public_id
from apps.common.supervisor import Child, Supervisor
from apps.console import processes
from apps.console.demo.balance import Balance, Stored, strike
from apps.console.demo.calls import LONGEST_CALL, Call, simulate
from apps.console.demo.expected import Expected
from apps.console.demo.keepsakes import FILE_NAME, Keepsakes
from apps.console.demo.switch import Switch, SwitchRefused

_HOST = "127.0.0.1"
# Just above what the engine asks for: the time-out of the demo's webhooks and its margin.
_LEASE_S = 12
_REFUSE_EVERY = 25
_SLOW_EVERY = 4
_SLOW_S = 0.3
_START_S = 30.0
_PUBLIC_PREFIX = "msg"
_STATES = """
SELECT id, state, attempt_count, extract(epoch FROM created_at)::float FROM delivery_delivery
"""
_PROGRESS = """
SELECT count(*) FILTER (WHERE state NOT IN ('succeeded', 'failed')),
  count(*) FILTER (WHERE claim IS NOT NULL)
FROM delivery_delivery
"""


class DemoFailed(Exception):
    """The demo could not be run to its end; the message says what happened."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: so many calls, at most so many seconds, with which faults in the middle."""

    calls: int = 200
    seconds: float = 60.0
    seed: int = 1
    kill_worker: bool = False
    flush_redis: bool = False
    is_quiet: bool = False


@dataclass(slots=True)
class Report:
    """What came out. Moments of faults are told by their effect, in seconds.

    `claimed_at_kill` counts deliveries that the killed worker was busy with, `resumed_after_s` is
    the time from the flush to the first delivery planned after it that arrived.
    """

    balance: Balance
    seconds: float = 0.0
    calls: int = 0
    claimed_at_kill: int | None = None
    resumed_after_s: float | None = None

    def as_plain(self) -> dict[str, Any]:
        """Return the report as plain values."""
        names = ("planned", "received", "succeeded", "retried", "failed", "lost")
        more = ("unexpected", "duplicates", "bad_signatures", "faults")
        return {
            "calls": self.calls,
            **{name: getattr(self.balance, name) for name in (*names, *more)},
            "is_even": self.balance.is_even,
            "seconds": round(self.seconds, 1),
            "claimed_at_kill": self.claimed_at_kill,
            "resumed_after_s": self.resumed_after_s,
        }


class Demo:
    """One run, on services that are up, with children of a supervisor."""

    def __init__(self, plan: Plan, services: EmbeddedServices, supervisor: Supervisor) -> None:
        self._plan = plan
        self._services = services
        self._supervisor = supervisor
        self._began = time.monotonic()
        self._web_port, self._receiver_port = _free_port(), _free_port()
        self._environment = self._make_environment()
        self._database = psycopg.connect(services.database_url, autocommit=True)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._claimed_at_kill: int | None = None
        self._flushed_at: float | None = None

    def run(self) -> Report:
        """Run it all; raises DemoFailed."""
        with self._database:
            self._start()
            expected = self._make_calls()
            self._work_until(lambda: self._unfinished() == 0, self._left_s())
            return self._report(expected)

    # Starting

    def _start(self) -> None:
        self._supervisor.say("preparing the database")
        self._must_end_well(self._manage("migrate", "migrate", "--no-input", "--verbosity=0"))
        quiet = ["--quiet"] if self._plan.is_quiet else []
        self._supervisor.start(
            processes.receiver(
                self._receiver_port,
                *("--keep", str(100 * self._plan.calls + 1000)),
                *("--refuse-every", str(_REFUSE_EVERY)),
                *("--slow-every", str(_SLOW_EVERY), "--slow-s", str(_SLOW_S)),
                *quiet,
                env=self._environment,
            )
        )
        self._supervisor.start(processes.web(_HOST, self._web_port, env=self._environment))
        with open(self._services.data_dir / "seed.log", "wb") as output:
            self._must_end_well(self._manage("seed", "seed_demo", "--no-history", output_to=output))
        self._supervisor.start(self._manage("worker", "worker"))
        self._supervisor.start(self._manage("sweep", "sweep"))
        self._must_answer("web server", self._web_port, "/readyz")
        self._must_answer("receiver", self._receiver_port, "/ledger")

    def _make_environment(self) -> dict[str, str]:
        return {
            "DATA_DIR": str(self._services.data_dir),
            "DATABASE_URL": self._services.database_url,
            "REDIS_URL": self._services.redis_url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CREDENTIAL_KEYS": b64encode(secrets.token_bytes(32), b"-_").decode(),
            "DEBUG": "0",
            "ALLOWED_HOSTS": _HOST,
            "PUBLIC_URL": f"http://{_HOST}:{self._web_port}",
            "EGRESS_ALLOW": f"{_HOST}/32",
            "DEMO_RECEIVER_URL": f"http://{_HOST}:{self._receiver_port}",
            "DELIVERY_LEASE_S": str(_LEASE_S),
            "LOG_LEVEL": "WARNING",
        }

    def _manage(self, name: str, *arguments: str, **how: Any) -> Child:
        return processes.manage(name, *arguments, env=self._environment, **how)

    def _must_end_well(self, child: Child) -> None:
        code = self._supervisor.run_once(child)
        if code is None:
            raise DemoFailed("Stopped.")
        if code:
            raise DemoFailed(f"{child.name} failed with code {code}, see above.")

    def _must_answer(self, name: str, port: int, path: str) -> None:
        if not self._work_until(lambda: processes.answers(_HOST, port, path), _START_S):
            raise DemoFailed(f"The {name} gave no answer in {_START_S:.0f} s, see above.")

    # Calls

    def _make_calls(self) -> list[Expected]:
        """Let the switch post all calls, with faults in the middle; return what must follow."""
        begin = dt.datetime.now(dt.UTC) - LONGEST_CALL - dt.timedelta(seconds=self._plan.calls)
        calls = simulate(count=self._plan.calls, seed=self._plan.seed, begin=begin)
        switch = Switch(
            url=self._environment["PUBLIC_URL"],
            keys=Keepsakes.read(self._services.data_dir / FILE_NAME).keys,
            said=self._lines.put,
        )
        self._supervisor.say(f"{len(calls)} calls come in")
        posting = _Posting(switch, calls)
        posting.start()
        try:
            self._work_until(lambda: self._look(posting), self._left_s())
        finally:
            switch.stop()
            posting.join()
            self._show_lines()
        return posting.result()

    def _look(self, posting: "_Posting") -> bool:
        self._show_lines()
        if posting.switch.posted >= len(posting.calls) // 2:
            self._break_something()
        return not posting.is_alive() and not self._has_faults_to_come()

    def _has_faults_to_come(self) -> bool:
        return self._plan.kill_worker and self._claimed_at_kill is None and self._unfinished() > 0

    def _break_something(self) -> None:
        if self._plan.flush_redis and self._flushed_at is None:
            with contextlib.closing(redis.Redis.from_url(self._services.redis_url)) as connection:
                connection.flushall()
            self._flushed_at = time.time()
            self._supervisor.say("FLUSHALL: Redis has forgotten everything")
        if self._plan.kill_worker and self._claimed_at_kill is None:
            claimed = self._progress()[1]
            if claimed:
                self._supervisor.kill("worker")
                self._claimed_at_kill = claimed
                self._supervisor.say(f"SIGKILL to the worker, busy with {claimed}")

    def _show_lines(self) -> None:
        with contextlib.suppress(queue.Empty):
            while line := self._lines.get_nowait():
                if not self._plan.is_quiet:
                    self._supervisor.say(line, "switch")

    # Waiting and reporting

    def _work_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Let everything work until the condition holds; False when it did not in time."""
        is_met = self._supervisor.wait_for(condition, limit_s)
        if self._supervisor.is_stopping:
            raise DemoFailed("Stopped.")
        return is_met

    def _left_s(self) -> float:
        return max(0.0, self._plan.seconds - (time.monotonic() - self._began))

    def _progress(self) -> tuple[int, int]:
        row = self._database.execute(_PROGRESS).fetchone()
        return row if row else (0, 0)

    def _unfinished(self) -> int:
        return self._progress()[0]

    def _report(self, expected: list[Expected]) -> Report:
        ledger = requests.get(
            f"http://{_HOST}:{self._receiver_port}/ledger/entries", timeout=10
        ).json()
        stored: list[Stored] = []
        planned_at: dict[str, float] = {}
        for key, state, tries, moment in self._database.execute(_STATES).fetchall():
            stored.append(Stored(encode_public_id(_PUBLIC_PREFIX, key), state, tries))
            planned_at[stored[-1].id] = moment
        balance = strike(expected=expected, stored=stored, ledger=ledger)
        report = Report(balance, calls=self._plan.calls, claimed_at_kill=self._claimed_at_kill)
        if self._plan.kill_worker and self._claimed_at_kill is None:
            balance.faults.append("The worker was never busy when it was to be killed.")
        if self._flushed_at is not None:
            report.resumed_after_s = _seconds_to_resume(self._flushed_at, planned_at, ledger)
        if self._plan.flush_redis and report.resumed_after_s is None:
            balance.faults.append("Nothing was planned after the flush, or it did not arrive.")
        report.seconds = time.monotonic() - self._began
        return report


class _Posting(threading.Thread):
    """The switch at work."""

    def __init__(self, switch: Switch, calls: list[Call]) -> None:
        super().__init__(name="switch", daemon=True)
        self.switch = switch
        self.calls = calls
        self._expected: list[Expected] = []
        self._refused: SwitchRefused | None = None

    def run(self) -> None:
        """Post."""
        try:
            self._expected = self.switch.run(self.calls)
        except SwitchRefused as refused:
            self._refused = refused

    def result(self) -> list[Expected]:
        """Return what must follow; raises DemoFailed."""
        if self._refused:
            raise DemoFailed(str(self._refused))
        return self._expected


def _seconds_to_resume(
    flushed_at: float, planned_at: Mapping[str, float], ledger: Mapping[str, Any]
) -> float | None:
    """Return when the first delivery that was planned after the flush arrived; None for never."""
    arrivals = [
        entry["accepted_at"] - flushed_at
        for entry in ledger["entries"]
        if entry["accepted"] and planned_at.get(entry["id"], 0.0) > flushed_at
    ]
    return round(min(arrivals), 2) if arrivals else None


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
