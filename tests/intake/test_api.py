"""The event API over HTTP: every answer it gives."""

from unittest.mock import ANY

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import authentication
from apps.accounts.models import Scope
from apps.accounts.services import issue_key
from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Delivery
from tests.api_client import problem
from tests.builders import World, attach, event, make_webhook, make_world
from tests.intake.calling import EVENTS_URL
from tests.intake.calling import post_events as post

pytestmark = pytest.mark.django_db


class TestAnAcceptedEvent:
    def test_is_acknowledged_with_its_ids(self, world: World) -> None:
        response = post(world, event(world, id="e1", call_id="c1"))

        stored = CallEvent.objects.get()
        assert response.status_code == 202
        assert response.json() == {
            "accepted": [
                {
                    "index": 0,
                    "id": "e1",
                    "call_id": "c1",
                    "event": stored.public_id,
                    "call": stored.call.public_id,
                    "duplicate": False,
                }
            ],
            "rejected": [],
        }

    def test_is_acknowledged_again_and_does_nothing(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        body = event(world)
        first = post(world, body).json()["accepted"][0]
        again = post(world, {**body, "type": "call.ended"}).json()["accepted"][0]

        assert again == {**first, "duplicate": True}
        assert CallEvent.objects.count() == Delivery.objects.count() == 1

    def test_has_its_deliveries_planned(self, world: World) -> None:
        webhook = make_webhook(world, "http://127.0.0.1/")
        attach(webhook)

        post(world, event(world))

        delivery = Delivery.objects.get()
        assert (delivery.webhook, delivery.state) == (webhook, "pending")
        assert delivery.template_version == world.json.current_version

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "bogus", "*/*"])
    def test_is_acknowledged_in_json_whatever_is_asked_for(self, world: World, accept: str) -> None:
        response = post(world, event(world), accept=accept)

        assert response.status_code == 202
        assert response.headers["Content-Type"] == "application/json"

    def test_is_taken_beside_others_that_are_not(self, world: World) -> None:
        stranger = make_world("Stranger")
        response = post(
            world,
            [
                event(world, id="good"),
                event(world, type="call.exploded"),
                event(world, tracking_number="+15550009999"),
                7,
                event(world, location=stranger.location.public_id, tracking_number=None),
                event(world, caller={"name": {"first": "a\0"}}),
                event(world, call_id="unheard", tracking_number=None),
            ],
        )

        assert response.status_code == 202
        assert [each["id"] for each in response.json()["accepted"]] == ["good"]
        rejected = response.json()["rejected"]
        assert [(each["index"], each["pointer"], each["code"]) for each in rejected] == [
            (1, "/type", "unknown_type"),
            (2, "/tracking_number", "unknown_tracking_number"),
            (3, "", "not_an_object"),
            (4, "/location", "unknown_location"),
            (5, "/caller/name/first", "nul_character"),
            (6, "/tracking_number", "unknown_tracking_number"),
        ]
        assert CallEvent.objects.count() == 1

    def test_need_not_name_the_place_that_its_call_is_known_at(self, world: World) -> None:
        post(world, event(world, call_id="c1"))

        late = event(None, call_id="c1", type="call.ended")
        assert post(world, late).status_code == 202
        assert Call.objects.get().is_ended

    def test_need_not_come_after_the_one_that_names_the_place(self, world: World) -> None:
        nameless = event(None, call_id="c1", type="call.ended")

        assert len(post(world, [nameless, event(world, call_id="c1")]).json()["accepted"]) == 2


class TestWhatIsNotAccepted:
    def test_is_told_with_pointers_into_the_list(self, world: World) -> None:
        told = problem(
            post(world, [event(world, type="x"), event(world, status="happy")]),
            422,
            "no_event_accepted",
        )

        assert [each["pointer"] for each in told["errors"]] == ["/0/type", "/1/status"]
        assert told["accepted"] == []
        assert [each["index"] for each in told["rejected"]] == [0, 1]

    def test_is_told_with_pointers_into_the_one_event(self, world: World) -> None:
        told = problem(post(world, event(world, type="x")), 422, "no_event_accepted")

        assert told["errors"] == [{"pointer": "/type", "code": "unknown_type", "message": ANY}]

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            (b'{"id": 1,\n  "type": }', "line 2, column 11"),
            (b'{"id": "\xff"}', "line 1"),
            (b'{"id": "\\ud800"}', "line 1"),
            (b'{"id": 1e999}', "line 1"),
            (b'{"id": NaN}', "line 1"),
            (b"[" * 2000, "line 1"),
            (b"\xef\xbb\xbf{}", "line 1"),
        ],
    )
    def test_is_no_json(self, world: World, body: bytes, place: str) -> None:
        assert place in problem(post(world, body), 400, "invalid_json")["detail"]

    def test_is_nothing(self, world: World) -> None:
        problem(post(world, b""), 400, "empty_body")

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
    )
    def test_is_of_another_type(self, world: World, content_type: str) -> None:
        problem(post(world, event(world), content_type=content_type), 415, "unsupported_media_type")

    def test_is_an_empty_list(self, world: World) -> None:
        problem(post(world, []), 422, "empty")

    def test_is_a_batch_of_too_many(self, world: World) -> None:
        bodies = [event(world) for _ in range(501)]

        problem(post(world, bodies), 413, "too_many_events")
        assert not Call.objects.exists()
        assert post(world, bodies[:500]).status_code == 202

    def test_is_too_large(self, world: World) -> None:
        padding = " " * (5_000_001 - len(orjson.dumps(event(world, id="x"))))
        body = orjson.dumps(event(world, id="x")) + padding.encode()

        problem(post(world, body), 413, "too_large")
        assert post(world, body[:-1]).status_code == 202

    def test_is_sent_to_an_address_that_is_not_there(self, world: World) -> None:
        client = Client(enforce_csrf_checks=True)

        problem(client.post("/api/v1/events/", headers=world.headers), 404, "not_found")

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_is_asked_by_another_method(self, world: World, method: str) -> None:
        response = getattr(Client(), method)(EVENTS_URL, headers=world.headers)

        problem(response, 405, "method_not_allowed")


class TestWhoMayPost:
    def test_is_nobody_without_a_key(self, world: World) -> None:
        response = post(None, event(world))

        problem(response, 401, "not_authenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_is_nobody_with_a_wrong_key(self, world: World) -> None:
        response = post("hk_wrong", event(world))

        problem(response, 401, "invalid_key")
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]

    def test_is_nobody_who_only_has_a_session(self, world: World) -> None:
        client = Client()
        client.force_login(world.owner)

        response = client.post(EVENTS_URL, event(world), content_type="application/json")

        problem(response, 401, "not_authenticated")

    @pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.WRITE], [Scope.READ, Scope.WRITE]])
    def test_is_no_key_without_the_scope(self, world: World, scopes: list[Scope]) -> None:
        _, token = issue_key(account=world.account, name="Other", scopes=scopes, by=None)

        problem(post(token, event(world)), 403, "permission_denied")
        assert not Call.objects.exists()

    def test_is_a_key_that_can_do_nothing_else(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        _, token = issue_key(account=world.account, name="In", scopes=[Scope.INGEST], by=None)

        assert post(token, event(world)).status_code == 202
        assert Delivery.objects.count() == 1

    def test_is_no_key_that_was_revoked(self, world: World) -> None:
        world.key.revoke(timezone.now())
        problem(post(world, event(world)), 401, "invalid_key")

    def test_is_an_agency_for_its_clients(self, db: None) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        client = make_world("Client", parent=agency.account)
        attach(make_webhook(client, "http://127.0.0.1/", template=agency.json))
        agency.json.is_shared_with_clients = True
        agency.json.save()

        assert post(agency, event(client, call_id="c1")).status_code == 202
        # The client's own key reads the shared template too.
        assert post(client, event(client, call_id="c2")).status_code == 202
        assert post(client, event(agency)).status_code == 422

        assert {call.account for call in Call.objects.all()} == {client.account}
        assert Delivery.objects.filter(account=client.account).count() == 2


class TestAFailure:
    def test_leaves_nothing_half_stored(self, world: World) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE delivery_delivery ADD CONSTRAINT refuse CHECK (timing <> 'begin')"
            )

        response = post(world, [event(world), event(world, call_id="c2")])

        problem(response, 500, "internal_server_error")
        assert not CallEvent.objects.exists()
        assert not Call.objects.exists()


class TestTheQueries:
    def test_are_as_many_for_a_hundred_events_as_for_two(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # No key is looked up anew in the middle.
        monkeypatch.setattr(authentication, "monotonic", lambda: 0.0)
        for timing in Timing:
            attach(make_webhook(world, "http://127.0.0.1/"), timing)
        post(world, event(world, call_id="warm"))
        counts = []
        for number in (2, 100):
            kinds = ("call.started", "call.option_reached", "call.ended")
            for moment, kind in enumerate(kinds):
                bodies = [
                    event(
                        world,
                        type=kind,
                        call_id=f"{number}-{each}",
                        occurred_at=f"2026-03-28T00:05:0{moment}Z",
                        treatment="Menu",
                        option="Sales" if kind == "call.option_reached" else None,
                    )
                    for each in range(number)
                ]
                with CaptureQueriesContext(connection) as captured:
                    assert len(post(world, bodies).json()["accepted"]) == number
                counts.append(len(captured))

        assert counts[:3] == counts[3:]
        assert max(counts) <= 30

    def test_are_that_for_the_key_alone_for_what_is_no_event(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(authentication, "monotonic", lambda: 0.0)
        post(world, event(world))
        with CaptureQueriesContext(connection) as captured:
            assert post(world, {"nonsense": 1}).status_code == 422
        assert ["accounts_apikey" in each["sql"] for each in captured] == [True]

    def test_look_for_no_events_where_no_place_is_known(self, world: World) -> None:
        lost = event(world, tracking_number="+15005550000")
        with CaptureQueriesContext(connection) as captured:
            assert post(world, lost).status_code == 422
        assert not [each["sql"] for each in captured if "calls_callevent" in each["sql"]]
