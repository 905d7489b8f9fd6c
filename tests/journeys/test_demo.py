"""The whole product at work, with the worker killed and Redis wiped in the middle.

The demo runs as a person runs it, on services of its own; what the receiver got is compared with
what the calls must cause. `tests/console/test_demo_balance.py` shows that the comparison can fail.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.common.processes import BASE_DIR, processes_of, python, read_until, wait_until

CALLS = 60
# A killed worker's deliveries come back when their lease ends, and test machines are busy: that a
# demo takes no more than a minute is shown by `make demo`.
PATIENT_S = 150
RESUME_S = 30


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the demo makes its temporary folders; in the environment of all that it starts.

    The account of PostgreSQL reaches it, unlike `tmp_path`. Afterwards nothing may be left.
    """
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    path = Path(tempfile.mkdtemp(prefix="hookline-demo-"))
    path.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    yield path
    wait_until(lambda: not processes_of(path))
    path.rmdir()


def play(*options: str) -> dict[str, Any]:
    """Run a demo and return its report."""
    finished = subprocess.run(
        [
            *(sys.executable, BASE_DIR / "manage.py", "demo", "--json", "--quiet"),
            *("--calls", str(CALLS), "--seconds", str(PATIENT_S), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENT_S + 60,
        cwd="/",
    )
    assert finished.stdout, finished.stderr
    report: dict[str, Any] = json.loads(finished.stdout)
    assert report["faults"] == [], finished.stderr
    assert finished.returncode == 0
    return report


def assert_nothing_is_lost(report: dict[str, Any]) -> None:
    assert report["planned"] > CALLS
    assert report["planned"] == report["received"] == report["succeeded"]
    assert (report["failed"], report["lost"], report["unexpected"]) == (0, 0, 0)
    assert report["bad_signatures"] == 0
    # The receiver refuses some at first, so a run in which nothing is retried is no proof.
    assert report["retried"] > 0


@pytest.mark.usefixtures("folder")
class TestDemo:
    def test_loses_nothing(self) -> None:
        report = play()
        assert_nothing_is_lost(report)
        assert report["duplicates"] == 0

    def test_loses_nothing_when_the_worker_is_killed(self) -> None:
        report = play("--kill-worker")
        assert_nothing_is_lost(report)
        assert report["claimed_at_kill"] > 0

    def test_loses_nothing_when_redis_forgets_everything(self) -> None:
        report = play("--flush-redis")
        assert_nothing_is_lost(report)
        assert 0 < report["resumed_after_s"] < RESUME_S

    def test_ends_at_its_limit_and_says_what_is_missing(self) -> None:
        finished = subprocess.run(
            [
                *(sys.executable, BASE_DIR / "manage.py", "demo", "--quiet"),
                *("--calls", str(CALLS), "--seconds", "0.1"),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert finished.returncode == 1
        assert "does not balance" in finished.stderr
        assert "Missing: /" in finished.stderr

    def test_stops_when_told_to(self) -> None:
        with python(BASE_DIR / "manage.py", "demo", "--calls", str(CALLS)) as process:
            read_until(process, "receiver | 200")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 1
