"""A template that an agency shares, once a client's webhook sends it."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.delivery.models import Delivery
from apps.webhooks.models import Template
from tests.builders import (
    JSON_SAMPLE,
    World,
    attach,
    event,
    make_template,
    make_webhook,
    make_world,
)
from tests.conftest import LogIn
from tests.factories import AgencyFactory

pytestmark = pytest.mark.django_db

UNSHARED = {
    "name": "Lead",
    "sample": JSON_SAMPLE,
    "versions-TOTAL_FORMS": 0,
    "versions-INITIAL_FORMS": 0,
}


@pytest.fixture
def agency() -> Account:
    return AgencyFactory()


@pytest.fixture
def shared(agency: Account) -> Template:
    template = make_template(agency, "Lead", JSON_SAMPLE)
    template.is_shared_with_clients = True
    template.save()
    return template


@pytest.fixture
def client_world(agency: Account, shared: Template) -> World:
    world = make_world("Client", parent=agency)
    attach(make_webhook(world, "https://93.184.216.34/lead", template=shared))
    return world


def post_event(client: Client, world: World) -> int:
    return client.post(
        "/api/v1/events", event(world), content_type="application/json", headers=world.headers
    ).status_code


class TestASharedTemplateInUse:
    @pytest.mark.usefixtures("client_world")
    def test_stays_shared(self, log_in: LogIn, agency: Account, shared: Template) -> None:
        page = log_in(account=agency, role=Role.OWNER).post(
            reverse("admin:webhooks_template_change", args=[shared.pk]),
            UNSHARED,
        )
        assert "It is sent by Client:" in page.content.decode()
        shared.refresh_from_db()
        assert shared.is_shared_with_clients

    def test_goes_on_being_sent_when_it_is_taken_back_all_the_same(
        self, client: Client, client_world: World, shared: Template
    ) -> None:
        Template.objects.filter(pk=shared.pk).update(is_shared_with_clients=False)
        assert post_event(client, client_world) == 202
        assert Delivery.objects.get().template_version_id == shared.current_version_id

    def test_goes_on_being_sent_by_a_client_that_leaves_the_agency(
        self, client: Client, client_world: World, shared: Template
    ) -> None:
        Account.objects.filter(pk=client_world.account.pk).update(parent=None)
        assert post_event(client, client_world) == 202
        assert Delivery.objects.get().template_version_id == shared.current_version_id

    def test_is_taken_back_once_nobody_uses_it(
        self, log_in: LogIn, agency: Account, shared: Template
    ) -> None:
        log_in(account=agency, role=Role.OWNER).post(
            reverse("admin:webhooks_template_change", args=[shared.pk]),
            UNSHARED,
        )
        shared.refresh_from_db()
        assert not shared.is_shared_with_clients
