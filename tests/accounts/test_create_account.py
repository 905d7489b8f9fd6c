"""Opening an account from a script."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from apps.accounts.models import Account, ApiKey, Location, Membership, User
from apps.common.access import Role
from tests.builders import bearer

pytestmark = pytest.mark.django_db

GIVEN = {"name": "Acme", "email": "Ada@Example.com", "password": "correct-horse-battery"}


def create(**changes: Any) -> dict[str, str]:
    out = io.StringIO()
    call_command("create_account", json=True, stdout=out, **{**GIVEN, **changes})
    printed: dict[str, str] = json.loads(out.getvalue())
    return printed


class TestCreateAccount:
    def test_prints_the_ids_of_what_it_made(self) -> None:
        printed = create()

        assert printed["account_id"] == Account.objects.get().public_id
        assert printed["location_id"] == Location.objects.get().public_id
        assert printed["user_id"] == User.objects.get().public_id
        assert printed["api_key_id"] == ApiKey.objects.get().public_id
        assert printed["email"] == "ada@example.com"

    def test_makes_an_owner_who_can_log_in(self) -> None:
        create()

        user = authenticate(username="ADA@example.com", password=GIVEN["password"])
        assert user is not None
        assert Membership.objects.get().role == Role.OWNER

    def test_makes_a_key_that_works_at_once(self, client: Any) -> None:
        printed = create()
        response = client.post(
            "/api/v1/events",
            {
                "id": "e1",
                "type": "call.started",
                "call_id": "c1",
                "occurred_at": "2026-03-28T00:05:00Z",
                "location": printed["location_id"],
            },
            content_type="application/json",
            headers=bearer(printed["api_key"]),
        )

        assert response.status_code == 202

    def test_can_put_a_client_under_an_agency(self) -> None:
        agency = create(name="Agency", kind="agency")
        create(agency=agency["account_id"])

        assert Account.objects.get(name="Acme").parent == Account.objects.get(name="Agency")

    def test_gives_somebody_known_a_second_account_and_leaves_their_password(self) -> None:
        create()
        create(name="Second", email="ADA@example.com ", password="another-long-password")

        assert User.objects.count() == 1
        assert Membership.objects.count() == 2
        assert User.objects.get().check_password(GIVEN["password"])

    def test_reads_well_without_json(self) -> None:
        out = io.StringIO()
        call_command("create_account", stdout=out, **GIVEN)

        assert "api_key      hk_" in out.getvalue()
        assert "shown only this once" in out.getvalue()

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"name": " "}, "name: This field cannot be blank."),
            ({"name": "x" * 121}, "name: "),
            ({"email": "nobody"}, "email: Enter a valid email address."),
            ({"password": "short"}, "password: This password is too short"),
            ({"password": "password1234"}, "password: This password is too common"),
            ({"time_zone": "Mars/Base"}, "time_zone: Mars/Base is not a time zone"),
            ({"agency": "acc_00000000000000000000000000"}, "There is no account acc_0"),
            ({"agency": "nonsense"}, "There is no account nonsense."),
        ],
    )
    def test_names_what_is_wrong_and_makes_nothing(
        self, changes: dict[str, str], fault: str
    ) -> None:
        with pytest.raises(CommandError, match=fault.replace(".", r"\.")):
            create(**changes)

        for model in (Account, User, Location, ApiKey, Membership):
            assert not model._base_manager.exists()

    def test_refuses_an_agency_that_is_a_client(self) -> None:
        client = create()

        with pytest.raises(CommandError, match="Only an agency can manage"):
            create(name="Other", agency=client["account_id"])

    def test_refuses_an_agency_under_an_agency(self) -> None:
        agency = create(name="Agency", kind="agency")

        with pytest.raises(CommandError, match="not managed by another agency"):
            create(kind="agency", agency=agency["account_id"])
