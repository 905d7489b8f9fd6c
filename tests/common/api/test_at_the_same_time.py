"""Requests of the API that change the same at the same moment."""

from typing import Any

import pytest
from django.db.models import QuerySet

from apps.accounts.models import Membership
from apps.calls.models import CallEvent
from apps.campaigns.models import Attachment
from apps.common.access import Role
from apps.delivery.models import Delivery
from apps.ivr.models import Ivr, IvrHook
from apps.webhooks.models import Template, Webhook
from apps.webhooks.services import save_template
from tests.api_client import Api, api_for, good, problem
from tests.builders import World, attach, event, make_webhook
from tests.common.beside import attach_and_hold, beside
from tests.conftest import LogIn
from tests.factories import (
    CampaignFactory,
    IvrHookFactory,
    LocationFactory,
    MembershipFactory,
    TemplateFactory,
)

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


class TestADeletion:
    def test_is_told_to_whoever_refers_to_what_it_deletes(self, world: World) -> None:
        api, webhook = api_for(world.account), make_webhook(world, "https://93.184.216.34/")
        body = {"webhook": webhook.public_id, "timing": "end"}

        attached = beside(webhook.delete, lambda: api.post("/attachments", body))

        problem(attached, 409, "conflict")
        problem(api.post("/attachments", body), 404, "not_found")
        assert not Attachment.objects.exists()

    def test_is_told_to_whoever_has_just_written_what_refers_to_it(self, world: World) -> None:
        api, webhook = api_for(world.account), make_webhook(world, "https://93.184.216.34/")
        body = {"webhook": webhook.public_id, "timing": "begin"}

        def make_the_same_and_delete_it() -> None:
            attach(webhook)
            webhook.delete()

        attached = beside(make_the_same_and_delete_it, lambda: api.post("/attachments", body))

        problem(attached, 409, "conflict")
        assert not Attachment.objects.exists()

    def test_is_refused_where_somebody_refers_to_it_meanwhile(self, world: World) -> None:
        api, webhook = api_for(world.account), make_webhook(world, "https://93.184.216.34/")

        deleted = beside(
            lambda: attach_and_hold(webhook),
            lambda: api.delete(f"/webhooks/{webhook.public_id}"),
        )

        problem(deleted, 409, "conflict")
        assert Attachment.objects.get().webhook == webhook
        good(api.delete(f"/webhooks/{webhook.public_id}"), 204)

    def test_is_told_of_its_location_where_a_template_is_applied_to_many(
        self, world: World
    ) -> None:
        api, template = api_for(world.account), TemplateFactory(account=world.account)
        places = [world.location, LocationFactory(account=world.account)]
        there = [make_webhook(world, "https://93.184.216.34/", location=each) for each in places]
        body = {"locations": [each.public_id for each in places]}

        applied = beside(
            there[0].delete,
            lambda: api.post(f"/templates/{template.public_id}/apply", body),
        )

        outcomes = [each["outcome"] for each in good(applied)["data"]]
        assert outcomes == ["refused", "changed"]

    @pytest.mark.parametrize(
        ("total", "headers"), [(1, {}), (1, {"Idempotency-Key": "e"}), (2, {})]
    )
    def test_of_a_webhook_leaves_events_that_it_would_have_told(
        self, world: World, total: int, headers: dict[str, str]
    ) -> None:
        webhook = make_webhook(world, "https://93.184.216.34/")
        attach(webhook)
        body = [event(world, call_id=f"c{number}") for number in range(total)]

        taken = beside(webhook.delete, lambda: Api(world.token).post("/events", body, **headers))

        assert len(good(taken, 202)["accepted"]) == total
        assert CallEvent.objects.count() == total
        assert not Delivery.objects.exists()


def hold(rows: QuerySet[Any]) -> None:
    """Hold rows that nobody else holds."""
    list(rows.select_for_update(nowait=True))


class TestATemplateForManyLocations:
    def test_takes_them_in_one_order_whichever_they_are_named_in(self, world: World) -> None:
        api, template = api_for(world.account), TemplateFactory(account=world.account)
        places = [world.location, LocationFactory(account=world.account)]
        webhooks = [make_webhook(world, "https://93.184.216.34/", location=at) for at in places]
        body = {"locations": [each.public_id for each in reversed(places)]}

        applied = beside(
            lambda: hold(Webhook.objects.filter(pk=webhooks[0].pk)),
            lambda: api.post(f"/templates/{template.public_id}/apply", body),
            meanwhile=lambda: hold(Webhook.objects.filter(pk=webhooks[1].pk)),
        )

        told = good(applied)["data"]
        assert [each["location"] for each in told] == body["locations"]
        assert {each["outcome"] for each in told} == {"changed"}


class TestAChangeOfAWebHook:
    def test_holds_nothing_that_the_deletion_of_its_ivr_needs(self, world: World) -> None:
        ivr = IvrHookFactory(ivr__account=world.account).ivr
        api, body = api_for(world.account), {"transcription_url": "https://93.184.216.34/"}

        changed = beside(
            lambda: hold(Ivr.objects.filter(pk=ivr.pk)),
            lambda: api.patch(f"/ivrs/{ivr.public_id}/hook", body),
            meanwhile=lambda: hold(IvrHook.objects.filter(ivr=ivr)),
        )

        assert good(changed)["transcription_url"] == body["transcription_url"]


class TestAChangeOfAnOwner:
    def test_holds_nothing_that_the_change_of_another_one_needs(
        self, world: World, log_in: LogIn
    ) -> None:
        owner = MembershipFactory(account=world.account, role=Role.OWNER)
        others = Membership.objects.filter(role=Role.OWNER).exclude(pk=owner.pk).order_by("pk")
        members = Membership.objects.select_for_update(no_key=True)
        browser = log_in(user=world.owner)

        changed = beside(
            lambda: members.get(pk=others[0].pk),
            lambda: Api(browser=browser).patch(f"/members/{owner.public_id}", {"role": "admin"}),
            meanwhile=lambda: Membership.objects.select_for_update(nowait=True).get(pk=owner.pk),
        )

        assert good(changed)["role"] == "admin"
