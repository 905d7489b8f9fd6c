"""Templates over the API: the same as in the wizard and the admin."""

from typing import Any

import pytest

from apps.accounts.models import AccountKind
from apps.webhooks.models import Template
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World, make_template, make_webhook, make_world
from tests.factories import CallFactory, GroupFactory

pytestmark = pytest.mark.django_db

SAMPLE = '{"phone": "%ani%", "lead": {"name": "Jane", "source": "web"}}'


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account)


def made(api: Api, **fields: Any) -> dict[str, Any]:
    body = {"name": "Lead", "format": "json", "sample": SAMPLE, **fields}
    created: dict[str, Any] = good(api.post("/templates", body), 201)
    return created


class TestCreating:
    def test_stores_what_is_shown_again(self, api: Api, world: World) -> None:
        created = made(api)
        assert created["account"] == world.account.public_id
        assert created["version"] == 1
        assert created["mapping"] == [{"path": "$.phone", "kind": "token", "token": "ani"}]
        assert good(api.get(f"/templates/{created['id']}")) == created

    def test_says_where_it_is(self, api: Api) -> None:
        response = api.post("/templates", {"name": "Lead", "format": "json", "sample": SAMPLE})
        assert good(api.get(response["Location"].removeprefix("/api/v1"))) == response.json()

    def test_takes_a_mapping(self, api: Api) -> None:
        mapping = [{"path": "$.lead.name", "kind": "text", "text": "%ani_first_name% on the phone"}]
        assert made(api, mapping=mapping)["mapping"] == mapping

    def test_takes_a_new_sample_for_one_that_only_its_mapping_explains(self, api: Api) -> None:
        sample, mapping = '{"a": "100 %off%", "b": ""}', {"path": "$.b", "kind": "token"}
        created = made(api, sample=sample, mapping=[{**mapping, "token": "ani"}])
        changed = good(api.patch(f"/templates/{created['id']}", {"sample": '{"b": ""}'}))
        assert changed["mapping"] == [{**mapping, "token": "ani"}]

    def test_for_a_client_account_by_its_agency(self, api: Api) -> None:
        agency = make_world("Agency", kind=AccountKind.AGENCY)
        client = make_world("Client", parent=agency.account)
        created = made(api_for(agency.account), account=client.account.public_id)
        assert Template.objects.get(pk=Template.key_of(created["id"])).account == client.account

    @pytest.mark.parametrize(
        ("fields", "pointer", "code"),
        [
            ({"name": None}, "/name", "null"),
            ({"sample": "{"}, "/sample", "invalid_sample"),
            ({"sample": '{"a": "%nonsense%"}'}, "/sample", "unknown_token"),
            ({"format": "yaml"}, "/format", "invalid_choice"),
            ({"mapping": [{"path": "$.gone", "kind": "omit"}]}, "/mapping/0", "invalid"),
            ({"mapping": [{"path": "$.phone"}, 7]}, "/mapping/1", "invalid"),
            ({"mapping": {"a": 1}}, "/mapping", "invalid"),
            ({"mapping": [0] * 10_001}, "/mapping", "invalid"),
            ({"nmae": "Lead"}, "/nmae", "unknown_field"),
            ({"name": "a\u0000b"}, "/name", "nul_character"),
            ({"group": 7}, "/group", "invalid_id"),
            ({"is_shared_with_clients": True}, "/is_shared_with_clients", "invalid"),
        ],
    )
    def test_points_at_what_is_wrong(
        self, api: Api, fields: dict[str, Any], pointer: str, code: str
    ) -> None:
        body = {"name": "Lead", "format": "json", "sample": SAMPLE, **fields}
        told = problem(api.post("/templates", body), 422, "invalid")
        assert faults(told) == [(pointer, code)]

    def test_refuses_a_name_that_is_taken(self, api: Api) -> None:
        made(api)
        body = {"name": "Lead", "format": "json", "sample": SAMPLE}
        told = problem(api.post("/templates", body), 422, "invalid")
        assert faults(told) == [("/name", "not_unique")]

    def test_knows_no_group_of_others(self, api: Api) -> None:
        body = {"name": "Lead", "format": "json", "sample": SAMPLE}
        told = problem(
            api.post("/templates", {**body, "group": GroupFactory().public_id}), 404, "not_found"
        )
        assert faults(told) == [("/group", "not_found")]


class TestChanging:
    def test_makes_a_version_of_another_sample(self, api: Api) -> None:
        created = made(api)
        changed = good(api.patch(f"/templates/{created['id']}", {"sample": '{"a": "%ani%"}'}))
        assert (changed["version"], changed["sample"]) == (2, '{"a": "%ani%"}')

    def test_keeps_the_version_of_another_name(self, api: Api) -> None:
        created = made(api)
        changed = good(api.patch(f"/templates/{created['id']}", {"name": "New"}))
        assert (changed["version"], changed["name"]) == (1, "New")

    def test_takes_a_mapping_alone(self, api: Api) -> None:
        created = made(api)
        mapping = [{"path": "$.lead.name", "kind": "token", "token": "ani_full_name"}]
        changed = good(api.patch(f"/templates/{created['id']}", {"mapping": mapping}))
        assert (changed["version"], changed["mapping"]) == (2, mapping)

    def test_leaves_the_format(self, api: Api) -> None:
        created = made(api)
        told = problem(api.patch(f"/templates/{created['id']}", {"format": "xml"}), 422, "invalid")
        assert faults(told) == [("/format", "fixed")]


class TestDeleting:
    def test_takes_the_versions_along(self, api: Api) -> None:
        created = made(api)
        assert api.delete(f"/templates/{created['id']}").status_code == 204
        problem(api.get(f"/templates/{created['id']}"), 404, "not_found")

    def test_is_refused_while_a_webhook_sends_it(self, api: Api, world: World) -> None:
        make_webhook(world, "http://127.0.0.1/")
        problem(api.delete(f"/templates/{world.json.public_id}"), 409, "in_use")
        assert good(api.get(f"/templates/{world.json.public_id}"))["version"] == 1


class TestAsking:
    def test_finds_the_fields_of_a_sample(self, api: Api) -> None:
        found = good(api.post("/templates/extract", {"format": "json", "sample": SAMPLE}))
        assert [field["path"] for field in found["fields"]] == [
            "$.phone",
            "$.lead.name",
            "$.lead.source",
        ]
        assert found["mapping"] == [{"path": "$.phone", "kind": "token", "token": "ani"}]

    def test_suggests_tokens(self, api: Api) -> None:
        body = {"format": "json", "sample": '{"first_name": "Jane"}'}
        (found,) = good(api.post("/templates/suggest", body))["data"]
        assert found["path"] == "$.first_name"
        assert found["suggestions"][0]["token"] == "ani_first_name"
        assert found["suggestions"][0]["is_sure"]

    def test_judges_by_the_rules_of_a_system(self, api: Api) -> None:
        body = {"format": "xml", "sample": "<adf><prospect/></adf>", "rules": "adf"}
        told = good(api.post("/templates/validate", body))
        assert not told["is_usable"]
        assert told["faults"]

    def test_previews_what_is_not_saved(self, api: Api) -> None:
        body = {"format": "json", "sample": '{"phone": "%ani%"}', "call": "worst"}
        shown = good(api.post("/templates/preview", body))
        assert shown["payload"] == '{"phone":"anonymous"}'
        assert (shown["content_type"], shown["tokens"]) == ("application/json", ["ani"])

    def test_renders_a_call(self, api: Api, world: World) -> None:
        call = CallFactory(account=world.account, snapshot={"from": "+15550001111"})
        created = made(api, sample='{"phone": "%ani%"}')
        body = {"call": call.public_id}
        shown = good(api.post(f"/templates/{created['id']}/render", body))
        assert "5550001111" in shown["payload"]

    def test_renders_no_call_of_others(self, api: Api) -> None:
        created = made(api)
        body = {"call": CallFactory().public_id}
        problem(api.post(f"/templates/{created['id']}/render", body), 404, "not_found")

    def test_needs_no_more_than_to_read(self, world: World) -> None:
        reader = api_for(world.account, "read")
        good(reader.post("/templates/extract", {"format": "json", "sample": SAMPLE}))
        problem(reader.post("/templates", {}), 403, "permission_denied")

    def test_copies_into_an_account(self, api: Api, world: World) -> None:
        copy = good(api.post(f"/templates/{world.json.public_id}/duplicate", {}), 201)
        assert copy["name"] == "JSON lead (copy)"

    def test_counts_who_sends_it(self, api: Api, world: World) -> None:
        make_webhook(world, "http://127.0.0.1/")
        used = good(api.get(f"/templates/{world.json.public_id}/usage"))
        assert used == {"webhooks": 1, "accounts": 1}


class TestVersions:
    def test_are_listed_shown_and_compared(self, api: Api) -> None:
        at = f"/templates/{made(api)['id']}"
        good(api.patch(at, {"sample": '{"phone": "%ani%"}'}))
        listed = good(api.get(f"{at}/versions"))["data"]
        assert [version["number"] for version in listed] == [2, 1]
        assert "sample" not in listed[0]
        assert good(api.get(f"{at}/versions/1"))["sample"] == SAMPLE
        compared = good(api.get(f"{at}/diff?old=1"))
        assert (compared["old"], compared["new"]) == (1, 2)
        assert {"sign": "-", "text": SAMPLE} in compared["lines"]
        problem(api.get(f"{at}/diff?old=9"), 400, "invalid_parameter")
        problem(api.get(f"{at}/versions/9"), 404, "not_found")

    def test_are_restored_as_new_ones(self, api: Api) -> None:
        at = f"/templates/{made(api)['id']}"
        good(api.patch(at, {"sample": '{"phone": "%ani%"}'}))
        made_again = good(api.post(f"{at}/versions/1/restore"), 201)
        assert (made_again["number"], made_again["sample"]) == (3, SAMPLE)
        assert good(api.get(at))["version"] == 3


class TestWhatAnAgencyShares:
    def test_is_read_by_its_clients_and_not_changed(self) -> None:
        agency = make_world("Agency", kind=AccountKind.AGENCY)
        client = make_world("Client", parent=agency.account)
        shared = make_template(agency.account, "Shared", '{"a": "%ani%"}')
        Template.objects.filter(pk=shared.pk).update(is_shared_with_clients=True)
        api = api_for(client.account)
        names = [each["name"] for each in good(api.get("/templates?order=name"))["data"]]
        assert names == ["JSON lead", "Shared", "XML lead"]
        assert good(api.get(f"/templates/{shared.public_id}"))["name"] == "Shared"
        assert good(api.get(f"/templates/{shared.public_id}/versions"))["data"]
        problem(
            api.patch(f"/templates/{shared.public_id}", {"name": "Mine"}), 403, "permission_denied"
        )
        problem(api.delete(f"/templates/{shared.public_id}"), 403, "permission_denied")
        problem(api.get(f"/templates/{agency.json.public_id}"), 404, "not_found")
