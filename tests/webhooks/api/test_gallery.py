"""The built-in templates over the API: read, and copied into an account."""

import pytest

from apps.webhooks.gallery import GALLERY
from apps.webhooks.models import Template
from tests.api_client import api_for, faults, good, problem
from tests.builders import World

pytestmark = pytest.mark.django_db


def test_all_are_listed_and_shown_with_what_their_webhook_needs(world: World) -> None:
    api = api_for(world.account)
    listed = good(api.get("/gallery"))["data"]
    assert [each["key"] for each in listed] == list(GALLERY)
    for each in listed:
        shown = good(api.get(f"/gallery/{each['key']}"))
        assert shown["sample"] == GALLERY[each["key"]].sample
        assert shown["mapping"]
    assert good(api.get("/gallery/salesforce_web_to_lead"))["blanks"]
    problem(api.get("/gallery/nothing"), 404, "not_found")


@pytest.mark.parametrize("key", GALLERY)
def test_each_becomes_a_template_of_the_account(world: World, key: str) -> None:
    api = api_for(world.account)
    response = api.post("/templates/from-gallery", {"key": key, "name": "Ours"})
    copy = good(response, 201)
    assert response["Location"] == f"/api/v1/templates/{copy['id']}"
    assert (copy["account"], copy["version"]) == (world.account.public_id, 1)
    assert Template.objects.get(name="Ours").account == world.account
    rendered = good(api.post(f"/templates/{copy['id']}/render"))
    assert rendered["payload"]


def test_a_name_is_taken_once(world: World) -> None:
    api = api_for(world.account)
    assert good(api.post("/templates/from-gallery", {"key": "adf"}), 201)["name"]
    told = problem(api.post("/templates/from-gallery", {"key": "adf"}), 422, "invalid")
    assert faults(told)[0][0] == "/name"
    told = problem(api.post("/templates/from-gallery", {"key": "x"}), 422, "invalid")
    assert faults(told) == [("/key", "invalid_choice")]
