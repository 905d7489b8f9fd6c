"""What is answered while PostgreSQL or Redis is away, and what is a fault of ours all the same."""

import logging

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from apps.calls.models import CallEvent
from apps.common import outages
from tests.api_client import Api, good, problem
from tests.builders import World, event
from tests.conftest import LogIn
from tests.factories import OperatorFactory
from tests.transactions import database_away

pytestmark = pytest.mark.django_db(transaction=True)


def break_down(request: HttpRequest, how: str) -> HttpResponse:
    with connection.cursor() as cursor:
        match how:
            case "killed":
                cursor.execute("RESET ROLE")
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            case "dropped":
                connection.connection.pgconn.finish()
                cursor.execute("SELECT 1")
            case "late":
                cursor.execute("SET LOCAL statement_timeout = 1")
                cursor.execute("SELECT pg_sleep(60)")
            case "read only":
                cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute("DELETE FROM calls_call")
            case "full":
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$")
            case "wrong":
                cursor.execute("SELECT nothing")
    return HttpResponse()


urlpatterns = [path("api/break/<str:how>", break_down), path("", include("config.urls"))]


def said(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the settings let through of a request's fate."""
    names = ("django.request", outages.logger.name)
    return [record for record in caplog.records if record.name in names]


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_said_at_s", {})


class TestWhilePostgresqlIsAway:
    @pytest.mark.parametrize(
        ("method", "address"),
        [
            ("POST", "/events"),
            ("GET", "/deliveries"),
            ("POST", "/callbacks/src_01m7ww1k4peg9a26eq0xre52w7/key"),
            ("POST", "/ivr/5551234567/results"),
        ],
    )
    def test_the_api_asks_to_come_again(self, method: str, address: str) -> None:
        with database_away():
            answer = Api("hk_any").request(method, address, {})

        told = problem(answer, 503, "unavailable")
        assert answer["Retry-After"] == "5"
        assert "nonexistent" not in str(told)

    def test_so_does_every_page(self, log_in: LogIn, world: World) -> None:
        logged_in = log_in(account=world.account)
        logged_in.raise_request_exception = False

        for address in ("/", "/webhooks/webhook/", "/login/"):
            with database_away():
                answer = logged_in.get(address)
            assert (answer.status_code, answer["Retry-After"]) == (503, "5")
            assert "Hookline can not be used at the moment" in answer.text
            assert "hookline/theme.css" in answer.text
            assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]

    def test_it_is_said_once_in_a_line(self, caplog: pytest.LogCaptureFixture) -> None:
        with database_away():
            for _ in range(3):
                problem(Api("hk_any").post("/events", {}), 503, "unavailable")

        (line,) = said(caplog)
        assert (line.levelno, line.exc_info) == (logging.WARNING, None)
        assert line.getMessage().startswith("PostgreSQL can not be reached")

    def test_nothing_is_half_done(self, world: World) -> None:
        api = Api(world.token)
        with database_away():
            problem(api.post("/events", event(world)), 503, "unavailable")
        assert CallEvent.objects.count() == 0

        good(api.post("/events", event(world)), 202)
        assert CallEvent.objects.count() == 1


@pytest.mark.urls(__name__)
class TestAConnectionThatIsLostMeanwhile:
    @pytest.mark.parametrize("how", ["killed", "dropped"])
    def test_is_an_outage(self, browser: Client, how: str) -> None:
        problem(browser.get(f"/api/break/{how}"), 503, "unavailable")
        problem(browser.get("/api/nothing"), 404, "not_found")


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("how", ["read only", "full"])
class TestWhilePostgresqlTakesNoWrites:
    def test_the_api_asks_to_come_again(
        self, browser: Client, how: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            answer = browser.get(f"/api/break/{how}")

        problem(answer, 503, "unavailable")
        assert answer["Retry-After"] == "5"
        (line,) = said(caplog)
        assert (line.levelno, line.exc_info) == (logging.WARNING, None)
        assert line.getMessage().startswith("PostgreSQL takes no writes")

    def test_its_connection_is_not_kept(self, browser: Client, how: str) -> None:
        browser.get(f"/api/break/{how}")

        connection.close_if_unusable_or_obsolete()

        assert connection.connection is None


@pytest.mark.urls(__name__)
class TestAStatementThatFails:
    @pytest.mark.parametrize("how", ["late", "wrong"])
    def test_is_a_fault_of_ours(
        self, browser: Client, how: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        problem(browser.get(f"/api/break/{how}"), 500, "internal_server_error")

        assert said(caplog)[0].exc_info is not None


class TestWhileRedisIsAway:
    def test_the_pages_of_its_queues_say_so(
        self, settings: Settings, browser: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.force_login(OperatorFactory())
        settings.RQ_QUEUES = {"delivery": {"URL": "redis://127.0.0.1:1/0"}}

        answer = browser.get("/operators/queues/queues/0/")

        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "Hookline can not be used at the moment" in answer.text
        (line,) = said(caplog)
        assert line.getMessage().startswith("Redis can not be reached")


class TestAWarning:
    def test_is_given_once_for_each_thing_that_does_not_work(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for what in ("no bell", "no count", "no bell"):
            outages.warn(what, RuntimeError("gone\nand more"))

        assert [line.getMessage() for line in said(caplog)] == ["no bell: gone", "no count: gone"]
