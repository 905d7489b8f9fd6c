"""POSTs that are sent again under the same `Idempotency-Key`."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.urls import include, path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Scope
from apps.calls.models import CallEvent
from apps.common.api import idempotency
from apps.common.api.idempotency import HELD_FOR, Submission, purge_stored_answers
from apps.common.api.views import ApiView
from apps.common.models import StoredAnswer
from apps.common.problems import Problem
from apps.common.tenancy import opens_scopes
from apps.webhooks.models import Template
from tests.api_client import Api, api_for, good, problem
from tests.builders import World, event, make_world
from tests.conftest import LogIn
from tests.factories import StoredAnswerFactory

BODY = {"name": "Lead", "format": "json", "sample": '{"a": "%ani%"}'}


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account)


class Done(ApiView):
    scope = Scope.WRITE

    def post(self, request: Request) -> Response:
        return Response(status=204)


class Waits(ApiView):
    """Does `meanwhile`, in no transaction."""

    scope = Scope.WRITE
    meanwhile: Callable[[], object] = dict
    status = 200

    def post(self, request: Request) -> Response:
        type(self).meanwhile()
        return Response({"done": self.status < 300}, status=self.status)


urlpatterns = [
    path("api/v1/done", Done.as_view()),
    path("api/v1/waits", opens_scopes(Waits.as_view())),
    path("", include("config.urls")),
]


def post(api: Api, key: str, **fields: str) -> Any:
    return api.post("/templates", {**BODY, **fields}, **{"Idempotency-Key": key})


@pytest.mark.django_db
class TestAKey:
    def test_makes_one_row_of_two_requests(self, api: Api) -> None:
        first, again = post(api, "k1"), post(api, "k1")
        assert good(again, 201) == good(first, 201)
        assert again["Location"] == first["Location"]
        assert again["ETag"] == first["ETag"]
        assert again["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert Template.objects.filter(name="Lead").count() == 1

    def test_is_refused_for_another_request(self, api: Api) -> None:
        good(post(api, "k1"), 201)
        problem(post(api, "k1", name="Other"), 409, "idempotency_key_reused")
        body = {"format": "json", "sample": "{}"}
        problem(
            api.post("/templates/extract", body, **{"Idempotency-Key": "k1"}),
            409,
            "idempotency_key_reused",
        )

    def test_may_be_used_again_after_a_failure(self, api: Api) -> None:
        problem(post(api, "k1", sample="{"), 422, "invalid")
        good(post(api, "k1"), 201)

    def test_is_each_sender_s_own(self, api: Api, world: World) -> None:
        good(post(api, "k1"), 201)
        good(post(api_for(world.account), "k1", name="Second"), 201)
        good(post(api_for(make_world("Other").account), "k1"), 201)

    def test_works_for_people_too(self, world: World, log_in: LogIn) -> None:
        api = Api(browser=log_in(account=world.account))
        assert good(post(api, "k1"), 201) == good(post(api, "k1"), 201)

    def test_works_for_events(self, world: World) -> None:
        api, body = Api(world.token), event(world)
        first = good(api.post("/events", body, **{"Idempotency-Key": "e"}), 202)
        again = good(api.post("/events", body, **{"Idempotency-Key": "e"}), 202)
        assert again == first
        assert not again["accepted"][0]["duplicate"]

    def test_is_forgotten_after_a_day(self, api: Api) -> None:
        good(post(api, "k1"), 201)
        StoredAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=24))
        good(post(api, "k1", name="Another"), 201)
        assert StoredAnswer.objects.count() == 1

    @pytest.mark.parametrize(("bound", "most"), [("MOST_BYTES", 100), ("MOST_LARGE", 0)])
    def test_does_nothing_twice_where_the_answer_was_too_large_to_keep(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
    ) -> None:
        monkeypatch.setattr(idempotency, "SMALL_BYTES", 50)
        monkeypatch.setattr(idempotency, bound, most)
        first, again = post(api, "k1"), post(api, "k1")
        good(first, 201)

        told = problem(again, 409, "answer_not_kept")
        assert "201" in told["detail"]
        assert again["Location"] == first["Location"]
        assert StoredAnswer.objects.get().body is None
        assert Template.objects.filter(name="Lead").count() == 1

    def test_keeps_small_answers_however_many(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(idempotency, "MOST_LARGE", 0)
        first, again = post(api, "k1"), post(api, "k1")
        assert good(again, 201) == good(first, 201)

    @pytest.mark.urls(__name__)
    def test_repeats_an_answer_without_a_body(self, api: Api) -> None:
        first, again = (api.post("/done", {}, **{"Idempotency-Key": "k1"}) for _ in range(2))
        assert (first.status_code, again.status_code) == (204, 204)
        assert again.content == b""
        assert again["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
    def test_that_is_none_is_refused(self, api: Api, key: str) -> None:
        problem(post(api, key), 400, "invalid_idempotency_key")

    def test_leaves_nothing_readable_in_the_database(self, api: Api) -> None:
        good(post(api, "k1"), 201)
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM common_storedanswer")
            assert "Lead" not in cursor.fetchone()[0]


@pytest.mark.django_db
def test_old_answers_are_purged() -> None:
    StoredAnswerFactory(created_at=timezone.now() - dt.timedelta(hours=25))
    kept = StoredAnswerFactory()
    assert purge_stored_answers() == 1
    assert StoredAnswer.objects.get() == kept


@pytest.mark.django_db(transaction=True)
def test_one_that_is_being_worked_on_is_not_begun_again(world: World) -> None:
    api = Api(world.token)
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(post(api, "k1"))
        finally:
            connections.close_all()

    with transaction.atomic():
        assert Submission(world.key.pk, world.account.pk, "k1", "").take()
        sender = threading.Thread(target=send)
        sender.start()
        sender.join(30)
    problem(answers[0], 409, "request_in_progress")
    assert answers[0]["Retry-After"] == "1"
    good(post(api, "k1"), 201)


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
class TestAKeyThatNoTransactionHolds:
    def wait(self, api: Api, key: str = "k1") -> Any:
        return api.post("/waits", {}, **{"Idempotency-Key": key})

    def test_is_held_for_one_request_and_repeats_its_answer(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meanwhile: list[Any] = []
        monkeypatch.setattr(Waits, "meanwhile", lambda: meanwhile.append(self.wait(api)))
        first, again = self.wait(api), self.wait(api)
        problem(meanwhile[0], 409, "request_in_progress")
        assert meanwhile[0]["Retry-After"] == "1"
        assert good(first) == good(again) == {"done": True}
        assert again["Idempotent-Replayed"] == "true"
        assert len(meanwhile) == 1

    @pytest.mark.parametrize("error", [Problem(429, "too_many", "Later."), ZeroDivisionError])
    def test_is_let_go_by_a_failure(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, error: Any
    ) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setattr(Waits, "meanwhile", fail)
        assert self.wait(api).status_code in (429, 500)
        monkeypatch.setattr(Waits, "meanwhile", dict)
        again = self.wait(api)
        good(again)
        assert "Idempotent-Replayed" not in again

    @pytest.mark.parametrize("status", [302, 409, 502])
    def test_is_let_go_by_an_answer_that_is_no_success(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        monkeypatch.setattr(Waits, "status", status)
        assert self.wait(api).status_code == status
        monkeypatch.setattr(Waits, "status", 200)
        again = self.wait(api)
        assert good(again) == {"done": True}
        assert "Idempotent-Replayed" not in again

    def test_is_let_go_once_whoever_held_it_must_have_died(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def be_followed() -> None:
            monkeypatch.setattr(Waits, "meanwhile", dict)
            StoredAnswer.objects.update(created_at=timezone.now() - HELD_FOR)
            followers.append(self.wait(api))

        followers: list[Any] = []
        monkeypatch.setattr(Waits, "meanwhile", be_followed)
        good(self.wait(api))
        good(followers[0])
        assert StoredAnswer.objects.get().status == 200
        assert self.wait(api)["Idempotent-Replayed"] == "true"

    def test_is_held_against_other_requests(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meanwhile: list[Any] = []
        monkeypatch.setattr(Waits, "meanwhile", lambda: meanwhile.append(post(api, "k1")))
        good(self.wait(api))
        problem(meanwhile[0], 409, "idempotency_key_reused")
        assert not Template.objects.filter(name="Lead").exists()

    def test_lets_one_of_many_through_that_come_at_once(self, world: World) -> None:
        body = event(world)
        start = threading.Barrier(6)

        def send(_: int) -> Any:
            try:
                start.wait(30)
                return Api(world.token).post("/events", body, **{"Idempotency-Key": "e"})
            finally:
                connections.close_all()

        with ThreadPoolExecutor(6) as senders:
            answers = list(senders.map(send, range(6)))
        done = [answer for answer in answers if answer.status_code == 202]
        assert len([answer for answer in done if "Idempotent-Replayed" not in answer]) == 1
        for answer in done:
            assert not answer.json()["accepted"][0]["duplicate"]
        for answer in answers:
            if answer not in done:
                problem(answer, 409, "request_in_progress")
        assert CallEvent.objects.count() == 1
