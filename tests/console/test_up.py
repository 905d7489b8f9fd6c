"""`manage.py up` as a person meets it: started, looked at, stopped, started twice, killed."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import redis
import requests
from django.core.management import CommandError, call_command

from apps.console import processes
from apps.delivery.engine.senders import STOP_GRACE_S
from apps.delivery.signing import sign
from apps.webhooks.secrets import parse_secret
from tests.common.folders import copied, reachable_folder
from tests.common.processes import BASE_DIR, processes_of, python, read_until, wait_until

MANAGE = BASE_DIR / "manage.py"
RUNS_AT = "Hookline runs at "
REPLACE = """
import datetime
from apps.console.demo import world
from apps.webhooks.models import Webhook
from apps.webhooks.services import rotate_secret
webhook = Webhook.objects.get(url__endswith=world.CALL_LOG_PATH)
rotate_secret(webhook=webhook, keep=datetime.timedelta())
webhook.refresh_from_db()
print(webhook.url, webhook.secret)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the services of the test run put into the environment."""
    for name in (
        *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "PUBLIC_URL"),
        *("EGRESS_ALLOW", "DATA_DIR", "ALLOWED_HOSTS", "DEBUG", "EMAIL_URL"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEB_CONCURRENCY", "1")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bare_environment(monkeypatch)


@contextmanager
def up(data_dir: Path, *options: str, cwd: Path = BASE_DIR) -> Iterator[subprocess.Popen[str]]:
    with python(MANAGE, "up", "--data-dir", data_dir, *options, cwd=cwd) as process:
        yield process


def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, MANAGE, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        check=False,
        env={**os.environ, **env},
    )


def shared_by(data_dir: Path) -> dict[str, str]:
    lines = (data_dir / "run.env").read_text().splitlines()
    return dict(line.rstrip("'").split("='", 1) for line in lines)


class Running(NamedTuple):
    """An `up` that several tests look at."""

    data_dir: Path
    port: int
    process: subprocess.Popen[str]
    output: str


@pytest.fixture(scope="module")
def first() -> Iterator[Running]:
    """An `up` of a folder that had nothing in it, with the demo, until `left_behind` ends it."""
    with pytest.MonkeyPatch.context() as monkeypatch, reachable_folder() as data_dir:
        bare_environment(monkeypatch)
        with up(data_dir) as process:
            output = read_until(process, "Ctrl-C stops it")
            running = Running(data_dir, port_in(output), process, output)
            yield running
            ended(running)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, left_behind: Path) -> Iterator[Running]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as monkeypatch, reachable_folder() as data_dir:
        bare_environment(monkeypatch)
        copied(left_behind, data_dir)
        with up(data_dir, "--no-demo", cwd=elsewhere) as process:
            output = read_until(process, RUNS_AT)
            yield Running(data_dir, port_in(output), process, output)


@pytest.fixture(scope="module")
def left_behind(first: Running) -> Path:
    """The data of the first `up`, which has ended: to make it anew is most of a start."""
    return ended(first)


def ended(running: Running) -> Path:
    """Tell it to stop; it ends well and leaves no process, and the data that is returned."""
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 0
    assert processes_of(running.data_dir) == {}
    return running.data_dir


@pytest.fixture
def used_dir(left_behind: Path, data_dir: Path) -> Path:
    """A folder that `up` has used before."""
    return copied(left_behind, data_dir)


@contextmanager
def proxy() -> Iterator[str]:
    """What stands at PUBLIC_URL, and must never be spoken to; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def port_in(output: str) -> int:
    found = re.search(RUNS_AT + r"http://127\.0\.0\.1:(\d+)", output)
    assert found, output
    return int(found[1])


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def state_of(port: int) -> dict[str, str]:
    """What `/readyz` says of the two services."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as probe:
        probe.request("GET", "/readyz")
        state = json.load(probe.getresponse())
    return {name: state[name] for name in ("database", "redis")}


def main_process(service: str, data_dir: Path) -> int:
    if service == "PostgreSQL":
        return int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0])
    (pid,) = [pid for pid, name in processes_of(data_dir).items() if "redis-server" in name]
    return pid


class TestAFirstStart:
    def test_serves_the_demo_and_prints_who_can_log_in(self, first: Running) -> None:
        data_dir, port, _, output = first
        assert status_of(port, "/login/") == 200
        assert re.search(r"E-mail +Password +Role +Account", output)
        assert (login := re.search(r"\S+@\S+ +(\S+) +owner +\S+", output))
        assert str(data_dir / "demo.json") in output
        assert login[1] in (data_dir / "demo.json").read_text()
        assert login[1] in run("seed_demo", DATA_DIR=str(data_dir)).stdout
        commands = " ".join(processes_of(data_dir).values())
        assert (
            receiver := re.search(r"The local receiver is at http://127\.0\.0\.1:(\d+)", output)
        )
        assert f"demo.receiver --port {receiver[1]}" in commands
        for part in ("config.web", "manage.py worker", "manage.py sweep", "demo.receiver"):
            assert part in commands

    def test_verifies_what_is_signed_with_a_secret_that_was_replaced(self, first: Running) -> None:
        told = run("shell", "--command", REPLACE, DATA_DIR=str(first.data_dir)).stdout
        url, secret = told.split()[-2:]
        signed = sign(
            [parse_secret(secret)], message_id="msg_1", timestamp=int(time.time()), body=b"{}"
        )
        headers = {"Content-Type": "application/json", **signed}
        assert requests.post(url, data=b"{}", headers=headers, timeout=40).status_code == 200

    def test_goes_on_when_somebody_kills_its_services(self, first: Running) -> None:
        read_until(first.process, "switch   |")
        for name in ("PostgreSQL", "Redis"):
            os.kill(main_process(name, first.data_dir), signal.SIGKILL)
            read_until(first.process, f"up       | {name} was ended by SIGKILL; again in 0.5 s")
            # The switch tells of a call when it was taken in, the receiver when it arrived.
            read_until(first.process, "switch   |")
            read_until(first.process, "receiver |")
            assert status_of(first.port, "/login/") == 200
            wait_until(lambda: state_of(first.port) == {"database": "ok", "redis": "ok"})


class TestUp:
    def test_lets_its_switch_call_this_machine_whatever_its_public_url(
        self, used_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with proxy() as public_url:
            monkeypatch.setenv("PUBLIC_URL", public_url)
            with up(used_dir) as process:
                assert f"{RUNS_AT}{public_url}" in read_until(process, "Ctrl-C stops it")
                posted = read_until(process, "switch   |").splitlines()[-1]
                assert re.search(r"→ \d+ webhook", posted), posted

    def test_serves_ipv6(self, used_dir: Path) -> None:
        with up(used_dir, "--no-demo", "--host", "::1") as process:
            assert re.search(RUNS_AT + r"http://\[::1\]:\d+\n", read_until(process, RUNS_AT))

    def test_keeps_its_keys_and_data_even_when_killed(self, used_dir: Path) -> None:
        with up(used_dir, "--no-demo") as process:
            port = port_in(read_until(process, RUNS_AT))
            made = run(
                *("create_account", "--name", "Kept", "--email", "kept@example.com"),
                *("--password", "a-long-password-of-kept", "--json"),
                DATA_DIR=str(used_dir),
            )
            assert made.returncode == 0, made.stderr
            secrets = (used_dir / "secrets.env").read_text()
            process.kill()
            process.wait()
        with up(used_dir, "--no-demo", "--port", str(port)) as process:
            assert port_in(read_until(process, RUNS_AT)) == port
            assert (used_dir / "secrets.env").read_text() == secrets
            with psycopg.connect(shared_by(used_dir)["DATABASE_URL"]) as connection:
                names = connection.execute("SELECT name FROM accounts_account").fetchall()
            assert ("Kept",) in names
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        wait_until(lambda: not processes_of(used_dir))
        assert not (used_dir / "run.env").exists()
        assert stat.S_IMODE((used_dir / "secrets.env").stat().st_mode) == 0o600
        assert run("check", DATA_DIR=str(used_dir)).returncode == 0

    def test_says_that_a_port_is_taken(self, data_dir: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused = run("up", "--data-dir", data_dir, "--port", str(port))
        assert refused.returncode == 1
        assert f"Port {port} of 127.0.0.1 is taken by another program" in refused.stderr
        assert processes_of(data_dir) == {}

    def test_says_that_a_host_is_elsewhere(self, used_dir: Path) -> None:
        refused = run("up", "--data-dir", used_dir, "--host", "192.0.2.1")
        assert refused.returncode == 1
        assert "CommandError: 192.0.2.1 is no address of this machine." in refused.stderr
        assert processes_of(used_dir) == {}

    def test_says_which_ports_there_are(self, data_dir: Path) -> None:
        refused = run("up", "--data-dir", data_dir, "--port", "70000")
        assert refused.returncode == 2
        assert "argument --port: 70000 is no port: choose one from 1 to 65535" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert list(data_dir.iterdir()) == []

    @pytest.mark.parametrize("port", ["0", "-1", "65536", "eighty"])
    def test_takes_no_port_that_there_is_not(self, data_dir: Path, port: str) -> None:
        with pytest.raises(CommandError, match=f"{port} is no port: choose one from 1 to 65535"):
            call_command("up", "--data-dir", str(data_dir), "--port", port)
        assert list(data_dir.iterdir()) == []

    def test_starts_beside_another_that_starts_at_the_same_time(
        self, left_behind: Path, data_dir: Path
    ) -> None:
        a, b = (copied(left_behind, data_dir / name) for name in "ab")
        with up(a, "--no-demo") as one, up(b, "--no-demo") as two:
            ports = {port_in(read_until(process, RUNS_AT)) for process in (one, two)}
        assert len(ports) == 2

    def test_says_why_a_service_does_not_start(self, data_dir: Path) -> None:
        (data_dir / "redis").write_text("in the way")
        failed = run("up", "--data-dir", data_dir)
        assert failed.returncode == 1
        assert "CommandError: Redis did not start" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert processes_of(data_dir) == {}


class TestServicesThatDie:
    """Somebody, or the kernel when memory is short, kills what `up` started."""

    def test_hold_up_no_stop(self, used_dir: Path) -> None:
        with up(used_dir, "--no-demo") as process:
            read_until(process, RUNS_AT)
            for name in ("PostgreSQL", "Redis"):
                os.kill(main_process(name, used_dir), signal.SIGKILL)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        assert processes_of(used_dir) == {}

    def test_end_it_with_a_reason_when_they_do_not_come_back(self, used_dir: Path) -> None:
        with up(used_dir, "--no-demo") as process:
            read_until(process, RUNS_AT)
            (used_dir / "postgres" / "data" / "global" / "pg_control").unlink()
            os.kill(main_process("PostgreSQL", used_dir), signal.SIGKILL)
            output = read_until(process, "CommandError: PostgreSQL did not start: it ended with")
            output += read_until(process, "pg_control")
            assert process.wait(30) == 1
        assert output.count("up       | PostgreSQL did not start: it ended with code") == 3
        assert processes_of(used_dir) == {}


class TestRunningUp:
    """One that runs, and what others make of it."""

    def test_is_found_by_commands_from_anywhere(self, running: Running) -> None:
        assert stat.S_IMODE((running.data_dir / "run.env").stat().st_mode) == 0o600
        found = run("migrate", "--check", DATA_DIR=str(running.data_dir))
        assert found.returncode == 0, found.stderr

    def test_is_named_to_a_second_one(self, running: Running) -> None:
        second = run("up", "--data-dir", running.data_dir)
        assert second.returncode == 1
        assert f"{running.data_dir} is in use by another running instance" in second.stderr
        assert f"(process {running.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        assert (running.data_dir / "run.env").exists()

    def test_lends_its_services_to_one_that_names_them(
        self,
        running: Running,
        data_dir: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        named = shared_by(running.data_dir)
        monkeypatch.setenv("DATABASE_URL", named["DATABASE_URL"])
        monkeypatch.setenv("REDIS_URL", named["REDIS_URL"])
        with up(data_dir, "--no-demo") as process:
            other = port_in(read_until(process, RUNS_AT))
            assert other != running.port
            assert status_of(running.port, "/login/") == status_of(other, "/login/") == 200
            assert not (data_dir / "postgres").exists()
            assert not (data_dir / "redis").exists()
        assert redis.from_url(named["REDIS_URL"]).ping()

    def test_restarts_a_worker_that_dies(self, running: Running) -> None:
        workers = [
            pid
            for pid, command in processes_of(running.data_dir).items()
            if command.rstrip().endswith("manage.py worker")
        ]
        os.kill(min(workers), signal.SIGKILL)
        assert "again in 0.5 s" in read_until(running.process, "worker was ended by SIGKILL")

    def test_gives_workers_the_time_to_record(self, tmp_path: Path) -> None:
        worker = processes.watched(processes.manage("worker", "worker"), tmp_path)
        assert worker.stop_grace_s > STOP_GRACE_S
