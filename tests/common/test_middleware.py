"""What requests pass on their way to a view."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client

from apps.common.middleware import ShortWayMiddleware
from tests.api_client import Api, good, problem
from tests.builders import World, bearer, event
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db


class TestTheShortWay:
    def test_is_taken_with_a_key(self, world: World) -> None:
        answer = Api(world.token).get("/templates", **{"X-Request-Id": "mine-and-sane"})
        good(answer)
        assert answer["X-Request-Id"] == "mine-and-sane"
        assert answer["Content-Length"] == str(len(answer.content))
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "Content-Security-Policy" not in answer
        assert "X-Frame-Options" not in answer

    def test_is_not_taken_by_browsers(self, world: World, log_in: LogIn) -> None:
        browser = log_in(account=world.account)
        answers = [browser.get("/api/v1/templates"), browser.get("/", headers=bearer(world.token))]
        for answer in answers:
            assert answer.status_code == 200
            assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
            assert answer["X-Frame-Options"] == "DENY"

    def test_knows_no_session(self, world: World, log_in: LogIn) -> None:
        browser = log_in(account=world.account)
        refused = browser.get("/api/v1/templates", headers=bearer("hk_wrong"))
        problem(refused, 401, "invalid_key")

    def test_answers_only_to_our_names(self, world: World) -> None:
        answer = Client().post(
            "/api/v1/events",
            event(world),
            content_type="application/json",
            headers=bearer(world.token),
            HTTP_HOST="evil.example.com",
        )
        problem(answer, 400, "bad_request")

    @pytest.mark.parametrize("path", ["/nothing", "/events/", "/../", "/callbacks/src_1/key"])
    def test_ends_in_a_problem_where_nothing_is(self, world: World, path: str) -> None:
        problem(Api(world.token).post(path, {}), 404, "not_found")

    def test_leads_to_the_pages_of_the_api(self, world: World) -> None:
        assert Api(world.token).get("/docs").status_code == 200

    def test_wants_others_behind_it(self) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            return HttpResponse()

        with pytest.raises(ImproperlyConfigured):
            ShortWayMiddleware(view)


class TestProblems:
    def test_tell_what_a_page_has_told_in_headers(self, world: World) -> None:
        refused = Api(world.token).post("/docs", {})
        problem(refused, 405, "method_not_allowed")
        assert refused["Allow"] == "GET, HEAD"
