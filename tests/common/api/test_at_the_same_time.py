"""Requests of the API that change the same at the same moment."""

import pytest

from apps.campaigns.models import Attachment
from apps.webhooks.models import Template
from apps.webhooks.services import save_template
from tests.api_client import api_for, good
from tests.builders import World, attach, make_webhook
from tests.common.beside import beside
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db(transaction=True)


class TestAChange:
    def test_keeps_the_version_that_another_one_saves_meanwhile(self, world: World) -> None:
        api = api_for(world.account)
        template, sample = world.json, '{"phone": "%ani%"}'

        renamed = beside(
            lambda: save_template(template=template, sample=sample, by=None),
            lambda: api.patch(f"/templates/{template.public_id}", {"name": "Renamed"}),
        )

        shown = good(renamed)
        assert (shown["name"], shown["version"], shown["sample"]) == ("Renamed", 2, sample)
        assert Template.objects.get(pk=template.pk).versions.count() == 2

    def test_keeps_the_place_to_which_another_one_moves_meanwhile(self, world: World) -> None:
        api = api_for(world.account)
        webhook = make_webhook(world, "https://93.184.216.34/", location=world.location)
        attachment = attach(webhook, campaign=world.campaign)
        moved_to = CampaignFactory(account=world.account, location=world.location)

        switched = beside(
            lambda: Attachment.objects.filter(pk=attachment.pk).update(campaign=moved_to),
            lambda: api.patch(f"/attachments/{attachment.public_id}", {"is_active": False}),
        )

        shown = good(switched)
        assert (shown["campaign"], shown["is_active"]) == (moved_to.public_id, False)

    def test_leaves_the_name_alone_that_another_one_gives_meanwhile(self, world: World) -> None:
        api, template = api_for(world.account), world.json
        save_template(template=template, sample='{"phone": "%ani%"}', by=None)

        restored = beside(
            lambda: Template.objects.filter(pk=template.pk).update(name="Renamed"),
            lambda: api.post(f"/templates/{template.public_id}/versions/1/restore"),
        )

        assert good(restored, 201)["number"] == 3
        assert Template.objects.get(pk=template.pk).name == "Renamed"
