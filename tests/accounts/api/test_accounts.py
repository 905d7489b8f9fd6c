"""Accounts, members and keys over the API."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import Account, AccountKind, ApiKey, Membership, Scope
from apps.common.access import Role
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World, make_world
from tests.conftest import LogIn
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> World:
    return make_world("Agency", kind=AccountKind.AGENCY)


class TestRetention:
    def test_is_read_and_changed(self, world: World) -> None:
        api, at = api_for(world.account), f"/accounts/{world.account.public_id}"
        assert good(api.get(at))["keep_audit_days"] == 365
        days = {"keep_bodies_days": 7, "keep_records_days": 60, "keep_audit_days": 400}
        assert days.items() <= good(api.patch(at, days)).items()

    @pytest.mark.parametrize("days", [29, 3651, None, "long"])
    def test_of_the_audit_log_has_bounds(self, world: World, days: object) -> None:
        at = f"/accounts/{world.account.public_id}"
        told = problem(api_for(world.account).patch(at, {"keep_audit_days": days}), 422, "invalid")
        assert [place for place, _ in faults(told)] == ["/keep_audit_days"]


class TestAnAgency:
    def test_adds_a_client_and_works_in_it(self, agency: World) -> None:
        api = api_for(agency.account)
        made = good(api.post("/accounts", {"name": "New client"}), 201)
        assert (made["kind"], made["agency"]) == ("client", agency.account.public_id)
        place = {"name": "Shop", "account": made["id"]}
        assert good(api.post("/locations", place), 201)["account"] == made["id"]

    def test_switches_a_client_off_and_on_again(self, agency: World) -> None:
        client = make_world("Client", parent=agency.account).account
        api, at = api_for(agency.account), f"/accounts/{client.public_id}"
        assert not good(api.patch(at, {"is_active": False}))["is_active"]
        assert client.public_id not in [each["id"] for each in good(api.get("/accounts"))["data"]]
        assert good(api.patch(at, {"is_active": True}))["is_active"]

    def test_is_no_client(self, world: World) -> None:
        told = problem(api_for(world.account).post("/accounts", {"name": "N"}), 422, "invalid")
        assert faults(told) == [("/agency", "invalid")]

    def test_alone_switches_its_clients(self, agency: World) -> None:
        client = make_world("Client", parent=agency.account).account
        at = f"/accounts/{client.public_id}"
        problem(api_for(client).patch(at, {"is_active": False}), 403, "permission_denied")
        assert Account.objects.get(pk=client.pk).is_active


class TestMembers:
    def test_are_invited(
        self, world: World, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        body = {"email": "New@Example.com", "role": "member"}
        with django_capture_on_commit_callbacks(execute=True):
            made = good(api_for(world.account).post("/members", body), 201)
        assert (made["email"], made["role"]) == ("new@example.com", "member")
        assert mail.outbox[0].to == ["new@example.com"]

    def test_get_no_role_above_that_of_who_gives_it(self, world: World) -> None:
        api = api_for(world.account)
        body = {"email": "new@example.com", "role": "owner"}
        assert faults(problem(api.post("/members", body), 422, "invalid"))[0][0] == "/role"
        person = UserFactory(full_name="first last")
        member = MembershipFactory(account=world.account, user=person, role=Role.MEMBER)
        at = f"/members/{member.public_id}"
        assert good(api.patch(at, {"role": "viewer"}))["role"] == "viewer"
        problem(api.patch(at, {"role": "admin"}), 422, "invalid")
        assert "first" not in good(api.get(at))["name"], "nobody knows them before they come"
        problem(api.patch(at, {"email": "other@example.com"}), 422, "invalid")

    def test_keep_an_owner(self, world: World) -> None:
        owner = Membership.objects.get(account=world.account, role=Role.OWNER)
        problem(
            api_for(world.account).delete(f"/members/{owner.public_id}"), 403, "permission_denied"
        )


class TestKeys:
    def test_are_shown_once_and_stop_at_once(self, world: World) -> None:
        api = api_for(world.account)
        body = {"name": "Import", "scopes": ["read"]}
        made = good(api.post("/api-keys", body), 201)
        new = Api(made.pop("token"))
        assert good(api.get(f"/api-keys/{made['id']}")) == made
        good(new.get("/locations"))
        good(api.post(f"/api-keys/{made['id']}/revoke"))
        problem(new.get("/locations"), 401, "invalid_key")

    def test_give_no_scope_that_they_lack(self, world: World) -> None:
        api = api_for(world.account, Scope.WRITE)
        body = {"name": "More", "scopes": ["write", "ingest"]}
        assert faults(problem(api.post("/api-keys", body), 422, "invalid")) == [
            ("/scopes", "not_held")
        ]

    def test_end_no_later_than_the_key_that_makes_them(self, world: World) -> None:
        api = api_for(world.account)
        ends_at = timezone.now() + dt.timedelta(days=1)
        ApiKey.objects.update(expires_at=ends_at)
        made = good(api.post("/api-keys", {"name": "Short", "scopes": ["read"]}), 201)
        assert dt.datetime.fromisoformat(made["expires_at"]) == ends_at
        for moment in (None, "2099-01-01T00:00:00Z"):
            body = {"name": "Long", "scopes": ["read"], "expires_at": moment}
            told = problem(api.post("/api-keys", body), 422, "invalid")
            assert faults(told) == [("/expires_at", "not_held")]

    @pytest.mark.parametrize(
        ("moment", "code"),
        [("2020-01-01T00:00:00Z", "past"), ("9999-12-31T23:59:59Z", "out_of_range")],
    )
    def test_end_in_the_future(self, world: World, moment: str, code: str) -> None:
        body = {"name": "Old", "scopes": ["read"], "expires_at": moment}
        told = problem(api_for(world.account).post("/api-keys", body), 422, "invalid")
        assert faults(told) == [("/expires_at", code)]

    def test_of_the_scope_ingest_post_events_and_nothing_else(self, world: World) -> None:
        api = api_for(world.account, Scope.INGEST)
        for path in ("/accounts", "/locations", "/calls", "/deliveries", "/tokens", "/usage"):
            problem(api.get(path), 403, "permission_denied")


def test_the_log_says_which_key_did_it(world: World, log_in: LogIn) -> None:
    api = api_for(world.account)
    made = api.post("/groups", {"name": "North"}, **{"X-Request-Id": "made-by-test-1"})
    good(made, 201)
    (entry,) = good(api.get("/audit?request_id=made-by-test-1"))["data"]
    assert (entry["action"], entry["via"], entry["actor"]["kind"]) == ("created", "api", "key")
    assert entry["object"] == {"type": "group", "id": made.json()["id"], "name": "North"}
