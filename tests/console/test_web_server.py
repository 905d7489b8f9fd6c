"""The web server's processes: killed, stuck, and left behind."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.common.heartbeat import Pulse, start_beating
from config import web
from tests.common.processes import wait_until
from tests.web_server import WebServer, web_server


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def test_one_that_is_killed_is_replaced(server: WebServer) -> None:
    (killed,) = server.workers()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.workers() - {killed} and server.is_up(), timeout_s=60)
    server.process.terminate()
    told = server.process.communicate(timeout=60)[0]
    assert "Unexpected exit from web process 1" in told


def test_none_outlives_the_one_that_started_it(server: WebServer) -> None:
    server.process.kill()
    wait_until(lambda: not server.workers(), timeout_s=60)


def test_one_that_is_stuck_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    stuck = context.Process(target=time.sleep, args=(300,))
    alive = context.Process(target=_live, args=(tmp_path,))
    pulses: dict[int, Pulse] = {}
    for process in (stuck, alive):
        process.start()
    beating = Pulse(tmp_path / str(alive.pid))
    try:
        web.look(pulses, tmp_path)
        assert stuck.is_alive()
        wait_until(beating)
        # It may have been before the look.
        wait_until(beating)
        web.look(pulses, tmp_path)
        stuck.join(20)
        assert stuck.exitcode == -signal.SIGKILL
        assert alive.is_alive()
    finally:
        for process in (stuck, alive):
            process.kill()
            process.join()


def _live(beats: Path) -> None:
    start_beating(path=beats / str(os.getpid()))
    time.sleep(300)
