"""One webhook or template for many locations, with a result for each."""

import pytest

from apps.webhooks.models import Webhook
from tests.api_client import api_for, faults, good, problem
from tests.builders import World, make_template, make_webhook
from tests.factories import GroupFactory, LocationFactory

pytestmark = pytest.mark.django_db


def test_a_webhook_is_applied_to_each_location_of_a_group(world: World) -> None:
    api = api_for(world.account)
    group = GroupFactory(account=world.account)
    places = LocationFactory.create_batch(3, account=world.account, group=group)
    webhook = make_webhook(world, "https://93.184.216.34/", location=world.location)
    body = {"filter": {"group": group.public_id}, "timings": ["begin"]}
    results = good(api.post(f"/webhooks/{webhook.public_id}/apply", body))["data"]
    assert [each["location"] for each in results] == [place.public_id for place in places]
    assert {each["outcome"] for each in results} == {"created"}
    assert Webhook.objects.filter(location__in=places).count() == 3
    again = good(api.post(f"/webhooks/{webhook.public_id}/apply", body))["data"]
    assert {each["outcome"] for each in again} == {"unchanged"}


def test_a_template_is_applied_where_it_fits_and_why_not_elsewhere(world: World) -> None:
    api = api_for(world.account)
    make_webhook(world, "https://93.184.216.34/", location=world.location)
    other = LocationFactory(account=world.account)
    template = make_template(world.account, "New", '{"a": "%ani%"}')
    body = {"locations": [world.location.public_id, other.public_id]}
    results = good(api.post(f"/templates/{template.public_id}/apply", body))["data"]
    assert [each["outcome"] for each in results] == ["changed", "refused"]
    assert results[1]["message"] == "No webhook of this location could send it."


def test_lists_of_ids_know_nothing_of_others(world: World) -> None:
    api = api_for(world.account)
    webhook = make_webhook(world, "https://93.184.216.34/")
    at = f"/webhooks/{webhook.public_id}/apply"
    body = {"locations": [world.location.public_id, LocationFactory().public_id, "x"]}
    assert faults(problem(api.post(at, body), 404, "not_found")) == [
        ("/locations/2", "invalid_id"),
        ("/locations/1", "not_found"),
    ]
    for body in ({}, {"locations": [], "filter": {}}, {"locations": 7}, {"filter": {"x": 1}}):
        problem(api.post(at, body), 422, "invalid")
