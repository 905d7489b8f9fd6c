"""Signs of life, and what they tell of a process that is stopped."""

import os
import signal
from pathlib import Path

import pytest

from apps.common.heartbeat import Pulse
from config import healthcheck
from tests.common.processes import python, stop, wait_until

BEAT = """
import time
from apps.common.heartbeat import start_beating
start_beating({})
time.sleep(60)
"""


class TestAHeartbeat:
    def test_goes_on_until_the_process_is_stopped(self, tmp_path: Path) -> None:
        path = tmp_path / "heartbeat"
        pulse = Pulse(path)
        with python("-c", BEAT.format(""), env={"HEARTBEAT_FILE": str(path)}) as process:
            for _ in range(2):
                wait_until(pulse)
            stop(process)
            pulse()
            assert not pulse()
            os.kill(process.pid, signal.SIGCONT)
            wait_until(pulse)

    def test_is_not_given_by_a_process_that_is_stuck(self, tmp_path: Path) -> None:
        path = tmp_path / "heartbeat"
        said = "lambda: print('asked', flush=True)"
        with python("-c", BEAT.format(said), env={"HEARTBEAT_FILE": str(path)}) as process:
            assert process.stdout is not None
            for _ in range(2):
                assert process.stdout.readline() == "asked\n"
        assert not path.exists()


class TestTheHealthCheck:
    def test_looks_at_the_age_of_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "heartbeat"
        monkeypatch.setenv("HEARTBEAT_FILE", str(path))
        assert healthcheck.main() == 1

        path.touch()
        assert healthcheck.main() == 0

        os.utime(path, (1, 1))
        assert healthcheck.main() == 1
