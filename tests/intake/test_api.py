"""The event API over HTTP: every answer it gives, and that no body makes it fail."""

import datetime as dt
import json
from typing import Any
from unittest.mock import ANY

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts import authentication
from apps.accounts.access import access_of_key
from apps.accounts.models import Scope
from apps.accounts.services import issue_key
from apps.calls.events import CallStatus, EventType, Timing
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Delivery
from apps.intake.services import accept_events
from tests.builders import World, attach, bearer, event, make_webhook, make_world

pytestmark = pytest.mark.django_db

URL = "/api/v1/events"


def post(
    world: World | str | None, body: Any, *, content_type: str = "application/json", **headers: str
) -> Any:
    """Post a body, as JSON unless it is bytes already; 500 is an answer too."""
    token = world.token if isinstance(world, World) else world
    return Client(raise_request_exception=False).post(
        URL,
        body if isinstance(body, bytes) else orjson.dumps(body),
        content_type=content_type,
        headers={**(bearer(token) if token else {}), **headers},
    )


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is this problem, and return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == response.headers["X-Request-Id"]
    return told


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
        response = getattr(Client(), method)(URL, headers=world.headers)

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

        response = client.post(URL, event(world), content_type="application/json")

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


NASTY: list[bytes] = [
    *(b"null", b"true", b"7", b'"text"', b"1.5", b"{}", b"[]", b"[[]]", b"[null]", b"[{}]"),
    b"{" + b'"a":{' * 1000 + b"}" * 1001,
    b'{"id": 123456789012345678901234567890}',
    b'{"\\u0000": "\\u0000"}',
    b'{"id":"e","id":"f"}',
    b"\x00",
    b"\x1f\x8b\x08\x00",
    b"<?xml version='1.0'?><a/>",
    b"[" + b"{}," * 499 + b"{}]",
    b"'" * 1000,
]


class TestNoBody:
    @pytest.mark.parametrize("body", NASTY)
    def test_makes_the_api_fail(self, world: World, body: bytes) -> None:
        assert post(world, body).status_code in {400, 413, 422}

    @pytest.mark.parametrize(
        "fields",
        [
            {"id": "\U0001f98a\u202e\u0000"[:2], "call_id": "'; DROP TABLE calls_call; --"},
            {"id": 18446744073709551615, "call_id": -1},
            {"caller": {"full_name": {"a": ["x" * 5000]}, "first_name": 7, "last_name": [1]}},
            {"caller": {"": "", "__proto__": {}, "$ne": 1}},
            {"custom": {"n": 18446744073709551615, "f": 1e308, "tiny": 5e-324}},
            {"started_at": "1970-01-01T00:00:00Z", "ended_at": "2199-12-31T23:59:59Z"},
            {"type": "call.ended", "started_at": "1970-01-01T00:00:00Z"},
            {"sequence": 9_223_372_036_854_775_807, "duration_s": 2_147_483_647},
            {"transcript": "\U0001f98a" * 60_000},
            {"option": "%", "treatment": None, "campaign": ""},
            {"location": "loc_" + "z" * 26},
            {"location": "loc_" + "7" * 26},
            {"tags": {"%ani%": "%tags.%ani%%"}},
        ],
    )
    def test_of_strange_values_makes_it_fail(self, world: World, fields: dict[str, Any]) -> None:
        for name in ("", "xml"):
            attach(make_webhook(world, "http://127.0.0.1/" + name, template=world.json))
        body = {**event(world), **fields}

        assert post(world, body).status_code in {202, 422}
        assert post(world, [body, event(world)]).status_code == 202

    @given(data=st.data())
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_of_any_values_makes_it_fail(self, world: World, data: st.DataObject) -> None:
        values = st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**64 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
            max_leaves=6,
        )
        moments = st.datetimes(
            dt.datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
            dt.datetime(2199, 12, 30),  # noqa: DTZ001
            timezones=st.just(dt.UTC),
        ).map(dt.datetime.isoformat)
        sane = {
            "type": st.sampled_from(EventType.values),
            "call_id": st.sampled_from(["c1", "c2"]),
            "occurred_at": moments,
        }
        told = {
            **dict.fromkeys(("started_at", "answered_at", "ended_at"), moments),
            **{name: st.dictionaries(NAMES, values) for name in ("caller", "tags", "custom")},
            **{name: st.integers(0, 2**31 - 1) for name in ("duration_s", "talk_s")},
            "status": st.sampled_from(CallStatus.values),
            "sequence": st.integers(0, 2**63 - 1),
            "option": st.text(),
            "transcript": st.text(),
            "recording": st.dictionaries(NAMES, values),
            "responses": st.lists(st.dictionaries(NAMES, values), max_size=3),
            "surprise": values,
        }
        bodies = data.draw(st.lists(st.fixed_dictionaries(sane, optional=told), max_size=4))
        named = [{**event(world), **body} for body in orjson.loads(orjson.dumps(bodies))]

        receipt = accept_events(access=access_of_key(world.key), bodies=named)

        assert len(receipt.accepted) + len(receipt.rejected) == len(named)
        json.dumps([call.snapshot for call in Call.objects.all()], allow_nan=False)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


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
