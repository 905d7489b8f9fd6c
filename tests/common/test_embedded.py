"""PostgreSQL and Redis from wheels: real servers, stopped, killed and started again."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest
import redis

from apps.common.embedded import (
    DataDirectoryTakenError,
    EmbeddedServiceError,
    EmbeddedServices,
    Keeper,
    PostgresServer,
    RedisServer,
    ServiceFailedError,
)
from apps.common.embedded.environment import keep_secrets, shared_environment
from tests.common.folders import copied, reachable_folder
from tests.common.processes import (
    BASE_DIR,
    janitors_of,
    processes_of,
    python,
    read_until,
    wait_until,
)

HOLD = """
import sys, time
from pathlib import Path
from apps.common.embedded import EmbeddedServices
with EmbeddedServices(Path(sys.argv[1]), durable=False) as services:
    print("ready", services.database_url, services.redis_url)
    time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


@pytest.fixture(scope="module")
def left_behind() -> Iterator[Path]:
    """The data of services that have stopped: to make a PostgreSQL is most of its first start."""
    with reachable_folder() as path:
        with services_in(path):
            pass
        yield path


@pytest.fixture
def used(left_behind: Path, folder: Path) -> Path:
    """A folder in which services have run before."""
    return copied(left_behind, folder)


def services_in(folder: Path) -> EmbeddedServices:
    return EmbeddedServices(folder, durable=False)


def ask(url: str, query: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


class TestEmbeddedServices:
    def test_answer_at_their_urls(self, folder: Path) -> None:
        with services_in(folder) as services:
            assert ask(services.database_url, "SELECT current_database()") == "hookline"
            assert redis.from_url(services.redis_url).ping()
            settings = environ.Env.db_url_config(services.database_url)
        assert settings["NAME"] == "hookline"
        assert settings["OPTIONS"]["host"].startswith("/")

    def test_keep_data_and_urls_between_runs(self, folder: Path) -> None:
        with services_in(folder) as services:
            url = services.database_url
            with psycopg.connect(url) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with services_in(folder) as services:
            assert services.database_url == url
            assert ask(url, "SELECT number FROM kept") == 7

    def test_leave_no_process_and_no_socket(self, used: Path) -> None:
        with services_in(used):
            running = " ".join(processes_of(used).values())
            assert "postgres" in running
            assert "redis-server" in running
        assert processes_of(used) == {}
        assert not list(used.rglob("*.sock"))

    def test_open_no_port(self, used: Path) -> None:
        with services_in(used) as services:
            assert services.postgres is not None
            assert ask(services.database_url, "SHOW listen_addresses") == ""
            client = redis.from_url(services.redis_url)
            assert client.config_get("port") == {"port": "0"}

    def test_refuse_strangers_of_this_machine(self, used: Path) -> None:
        with services_in(used) as services:
            without_password = re.sub(":[^/@]*@", "@", services.database_url)
            with pytest.raises(psycopg.OperationalError, match="no password supplied"):
                ask(without_password)
            socket_file = Path(
                redis.from_url(services.redis_url).connection_pool.connection_kwargs["path"]
            )
            assert socket_file.stat().st_mode & 0o077 == 0
            assert (used / "postgres" / "password").stat().st_mode & 0o077 == 0

    def test_say_who_uses_the_data_directory(self, used: Path) -> None:
        with services_in(used), pytest.raises(DataDirectoryTakenError) as caught:
            services_in(used).start()
        assert f"{used} is in use by another running instance" in str(caught.value)
        assert f"(process {os.getpid()})" in str(caught.value)
        with services_in(used):
            pass

    def test_can_be_left_out(self, folder: Path) -> None:
        with EmbeddedServices(folder, postgres=False, redis=False) as services:
            assert processes_of(folder) == {}
            with pytest.raises(EmbeddedServiceError, match="left out"):
                _ = services.database_url

    def test_end_when_their_owner_is_killed(self, used: Path) -> None:
        with python("-c", HOLD, used) as owner:
            read_until(owner, "ready")
            owner.kill()
            owner.wait()
            wait_until(lambda: not processes_of(used))

    def test_recover_from_a_run_of_which_only_orphans_are_left(self, used: Path) -> None:
        with python("-c", HOLD, used) as owner:
            read_until(owner, "ready")
            (janitor,) = janitors_of(owner.pid)
            os.kill(janitor, signal.SIGKILL)
            owner.kill()
            owner.wait()
        orphans = processes_of(used)
        assert orphans
        with services_in(used) as services:
            assert ask(services.database_url) == 1
            assert redis.from_url(services.redis_url).ping()
            assert not orphans.keys() & processes_of(used).keys()
        assert processes_of(used) == {}

    def test_work_under_a_folder_too_long_for_a_socket(self, folder: Path) -> None:
        deep = folder / ("long" * 15) / ("deep" * 15)
        with services_in(deep) as services:
            assert ask(services.database_url) == 1
            assert redis.from_url(services.redis_url).ping()
            sockets = (deep / "postgres" / "run").resolve()
            assert sockets.is_dir()
        assert not sockets.exists()
        with services_in(deep) as services:
            assert ask(services.database_url) == 1

    def test_work_in_a_folder_that_nobody_else_may_enter(self, folder: Path) -> None:
        private = folder / "private"
        private.mkdir(mode=0o700)
        data_dir = private / "var"
        try:
            for _ in range(2):
                with services_in(data_dir) as services:
                    assert ask(services.database_url) == 1
        finally:
            shutil.rmtree((data_dir / "postgres").resolve())
        assert private.stat().st_mode & 0o777 == 0o700

    def test_work_for_an_ordinary_user(self, folder: Path) -> None:
        """As root, become `nobody`, but able to read a checkout and a Python that only root can."""
        os.chown(folder, 65534, 65534) if os.geteuid() == 0 else None
        prefix = ()
        if os.geteuid() == 0:
            may_read = "-all,+dac_read_search"
            prefix = (
                *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                *(f"--inh-caps={may_read}", f"--ambient-caps={may_read}"),
            )
        with python("-c", HOLD, folder / "var", prefix=prefix) as owner:
            urls = read_until(owner, "ready").split()[-2:]
            assert ask(urls[0]) == 1
            assert redis.from_url(urls[1]).ping()
            owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(folder / "var")}
        assert 0 not in owners
        wait_until(lambda: not processes_of(folder))


class TestPostgresServer:
    @pytest.fixture
    def server(self, used: Path) -> Iterator[PostgresServer]:
        server = PostgresServer(used / "postgres", durable=False)
        server.start()
        yield server
        server.stop()

    def test_owner_is_no_superuser(self, server: PostgresServer) -> None:
        query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert ask(server.url(), query) is False

    def test_takes_200_connections(self, server: PostgresServer) -> None:
        assert ask(server.url(), "SHOW max_connections") == "200"

    def test_recovers_from_a_crash(self, server: PostgresServer) -> None:
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        idle = psycopg.connect(server.url())
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
        server.start()
        assert ask(server.url(), "SELECT number FROM kept") == 7

    def test_restarts_at_the_same_address(self, server: PostgresServer) -> None:
        url, pid = server.url(), server.pid
        server.restart()
        assert server.pid != pid
        assert ask(url) == 1

    def test_starts_though_its_stale_pid_is_in_use_again(self, server: PostgresServer) -> None:
        server.kill()
        stale = server.home / "data" / "postmaster.pid"
        other = subprocess.Popen(["sleep", "60"], user=stale.stat().st_uid)  # noqa: S607
        try:
            stale.write_text("\n".join([str(other.pid), *stale.read_text().splitlines()[1:]]))
            server.start()
            assert ask(server.url()) == 1
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()

    def test_says_why_it_does_not_start(self, server: PostgresServer) -> None:
        server.stop()
        (server.home / "data" / "global" / "pg_control").unlink()
        with pytest.raises(
            ServiceFailedError, match=r"(?s)PostgreSQL did not start.*pg_control"
        ) as caught:
            server.start()
        assert str(server.log) in str(caught.value)
        assert server.pid is None

    def test_says_that_its_data_is_of_another_version(self, server: PostgresServer) -> None:
        server.stop()
        (server.home / "data" / "PG_VERSION").write_text("16\n")
        with pytest.raises(ServiceFailedError, match="holds data of version 16, and this is 18"):
            server.start()

    def test_is_durable_unless_told_otherwise(self, folder: Path) -> None:
        server = PostgresServer(folder / "durable")
        server.start()
        try:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert ask(server.url(), f"SHOW {setting}") == "on"
        finally:
            server.stop()

    def test_keeps_the_names_of_callers_out_of_its_log(self, server: PostgresServer) -> None:
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE callers AS SELECT 'Mary' AS name")
            connection.execute("CREATE UNIQUE INDEX ON callers (name)")
        with pytest.raises(psycopg.errors.UniqueViolation, match="Mary"):
            ask(server.url(), "INSERT INTO callers VALUES ('Mary') RETURNING 1")
        assert "callers" in server.log.read_text()
        assert "Mary" not in server.log.read_text()


class TestRedisServer:
    @pytest.fixture
    def server(self, folder: Path) -> Iterator[RedisServer]:
        server = RedisServer(folder / "redis")
        server.start()
        yield server
        server.stop()

    def test_forgets_everything_at_its_end(self, server: RedisServer) -> None:
        redis.from_url(server.url()).set("key", "value")
        server.restart()
        assert redis.from_url(server.url()).get("key") is None

    def test_starts_again_at_once_after_a_crash(self, server: RedisServer) -> None:
        def crash_and_start() -> float:
            server.kill()
            started_at_s = time.monotonic()
            server.start()
            assert redis.from_url(server.url()).ping()
            return time.monotonic() - started_at_s

        # Not each time: the machine may be busy.
        assert min(crash_and_start() for _ in range(3)) < 2

    def test_has_a_database_for_each_test_worker(self, server: RedisServer) -> None:
        redis.from_url(server.url(63)).set("key", "value")
        assert redis.from_url(server.url(0)).get("key") is None

    def test_says_why_it_does_not_start(self, folder: Path) -> None:
        server = RedisServer(folder / "redis")
        (folder / "redis").mkdir()
        (folder / "redis" / "run").mkdir()
        (folder / "redis" / "run" / "redis.sock").mkdir()
        with pytest.raises(ServiceFailedError, match="Redis did not start"):
            server.start()


class TestKeeper:
    """By the example of Redis, in a folder where the socket gets a short name by chance."""

    @pytest.fixture
    def server(self, folder: Path) -> Iterator[RedisServer]:
        server = RedisServer(folder / ("long" * 30))
        server.start()
        yield server
        server.stop()

    def test_starts_again_at_the_same_address(self, server: RedisServer) -> None:
        said: list[str] = []
        keeper = Keeper(server, said.append, lambda: False)
        keeper.look()
        assert said == []
        url, pid = server.url(), server.pid
        assert pid
        (server.home / "server.log.1").mkdir()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: keeper.look() or len(said) == 2)
        assert said[0] == "Redis was ended by SIGKILL; again in 0.5 s"
        assert re.fullmatch("Redis did not start: .* Is a directory: .*; again in 1 s", said[1])
        (server.home / "server.log.1").rmdir()
        wait_until(lambda: keeper.look() or server.pid)
        assert redis.from_url(url).ping()

    def test_gives_up_after_five_failures_in_a_row(self, server: RedisServer) -> None:
        said: list[str] = []
        keeper = Keeper(server, said.append, lambda: False)

        def look_and_kill() -> None:
            keeper.look()
            if pid := server.pid:
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(ServiceFailedError, match="it was ended by SIGKILL after each start"):
            wait_until(look_and_kill)
        assert [line.rpartition(" again in ")[2] for line in said] == [
            *("0.5 s", "1 s", "2 s", "4 s"),
        ]

    def test_waits_for_no_start_once_everything_stops(self, server: RedisServer) -> None:
        keeper = Keeper(server, lambda line: None, lambda: True)
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        wait_until(server.how_it_ended)
        keeper.look()
        time.sleep(0.6)
        keeper.look()
        assert server.pid is None


class TestEnvironmentFiles:
    def test_secrets_are_made_once_and_private(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.env"
        keep_secrets(path)
        first = path.read_text()
        keep_secrets(path)
        assert path.read_text() == first
        assert path.stat().st_mode & 0o777 == 0o600

    def test_shared_environment_is_private_and_goes_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "run.env"
        monkeypatch.setenv("DATABASE_URL", "postgresql://a:b#c@/d?host=%2Ftmp")
        with shared_environment(path):
            assert path.stat().st_mode & 0o777 == 0o600
            monkeypatch.delenv("DATABASE_URL")
            environ.Env.read_env(path)
            assert os.environ["DATABASE_URL"] == "postgresql://a:b#c@/d?host=%2Ftmp"
        assert not path.exists()


def test_tests_do_not_see_a_running_installation() -> None:
    assert BASE_DIR not in Path(os.environ["DATA_DIR"]).parents
