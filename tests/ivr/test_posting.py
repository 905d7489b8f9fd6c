"""Who may post the results of an IVR, and how wrong ones are refused."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Scope
from apps.ivr.models import IvrExchange
from tests.builders import World, bearer, make_world
from tests.delivery.receiver import Receiver
from tests.factories import ApiKeyFactory
from tests.ivr.conftest import make_hook, post, results

pytestmark = pytest.mark.django_db(transaction=True)


class TestWhoMayPost:
    def test_needs_a_key_with_the_scope(self, world: World) -> None:
        make_hook(world, "https://93.184.216.34/")
        reader = ApiKeyFactory(account=world.account, scopes=[Scope.READ, Scope.WRITE])
        link = reverse("ivr_results", args=["75"])
        for headers, status in (({}, 401), (bearer("hk_no"), 401), (bearer(reader.token), 403)):
            response = Client().post(
                link, results(), content_type="application/json", headers=headers
            )
            assert response.status_code == status
        assert not IvrExchange.objects.exists()

    def test_finds_no_ivr_of_another_account(self, world: World, receiver: Receiver) -> None:
        theirs = make_hook(make_world("Other"), receiver.url("/ok"))
        for name in ("75", theirs.ivr.public_id, "76", "nonsense", "9" * 40, "²"):
            response = post(world, ivr=name)
            assert (response.status_code, response.json()["code"]) == (404, "unknown_ivr"), name
        assert receiver.connections == 0
        assert not IvrExchange.objects.exists()

    def test_an_agency_names_it_by_id_where_a_number_is_ambiguous(self, receiver: Receiver) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        first, second = (make_world(name, parent=agency.account) for name in ("One", "Two"))
        wanted = make_hook(first, receiver.url("/ok"))
        make_hook(second, receiver.url("/error"))
        assert post(agency).json()["code"] == "ambiguous_ivr"
        reply = post(agency, ivr=wanted.ivr.public_id).json()
        assert reply["message"] == "ok"


class TestWrongBodies:
    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"response_id": None}, "/response_id"),
            ({"response_id": ""}, "/response_id"),
            ({"response_id": "x" * 129}, "/response_id"),
            ({"response_id": "a\0b"}, "/response_id"),
            ({"call_id": None}, "/call_id"),
            ({"call_id": {"a": 1}}, "/call_id"),
            ({"started_at": None}, "/started_at"),
            ({"started_at": "yesterday"}, "/started_at"),
            ({"started_at": 7}, "/started_at"),
            ({"started_at": "2026-03-28T00:05:02"}, "/started_at"),
            ({"started_at": "0001-01-01T00:00:00Z"}, "/started_at"),
            ({"started_at": "9999-12-31T23:59:59-14:00"}, "/started_at"),
            ({"from": "5551234"}, "/from"),
            ({"to": "anonymous"}, "/to"),
            ({"completed": "perhaps"}, "/completed"),
            ({"monitored_s": -1}, "/monitored_s"),
            ({"monitored_s": 2**40}, "/monitored_s"),
            ({"answers": ["1"]}, "/answers"),
            ({"answers": {"one": "1"}}, "/answers/one"),
            ({"answers": {"1": ["a"]}}, "/answers/1"),
            ({"answers": {str(n): "a" for n in range(201)}}, "/answers"),
            ({"pass_through": "x" * 2_001}, "/pass_through"),
        ],
    )
    def test_are_told_by_pointer(self, fields: dict[str, Any], pointer: str, world: World) -> None:
        make_hook(world, "https://93.184.216.34/")
        response = post(world, **fields)
        assert (response.status_code, response.json()["code"]) == (422, "invalid")
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
        assert not IvrExchange.objects.exists()

    @pytest.mark.parametrize("body", ["[]", "7", '"text"', "null"])
    def test_are_no_objects(self, body: str, world: World) -> None:
        assert post(world, body).status_code in (400, 422)

    def test_are_no_json(self, world: World) -> None:
        assert post(world, "{").json()["code"] == "invalid_json"
