"""What is needed stays, and what would stop sending in silence is refused."""

from typing import Any

import pytest
from django.db.models import ProtectedError
from django.urls import reverse

from apps.accounts.models import Group, Location
from apps.calls.events import Timing
from apps.common.access import Role
from apps.webhooks.models import Template, TemplateVersion, Webhook
from apps.webhooks.services import delete_template
from apps.webhooks.versions import use_of
from tests.builders import World, attach, make_webhook
from tests.conftest import LogIn
from tests.factories import (
    GroupFactory,
    LocationFactory,
    MembershipFactory,
    TemplateFactory,
    WebhookFactory,
)
from tests.webhooks.test_admin import webhook_form

pytestmark = pytest.mark.django_db


def text_of(page: Any) -> str:
    return str(page.content.decode())


class TestAGroup:
    def test_stays_while_templates_are_for_it_alone(self, log_in: LogIn) -> None:
        group = GroupFactory()
        template = TemplateFactory(account=group.account, group=group, name="For the group")
        with pytest.raises(ProtectedError):
            group.delete()
        link = reverse("admin:accounts_group_delete", args=[group.pk])
        page = log_in(account=group.account).post(link, {"post": "yes"})
        assert "For the group" in text_of(page)
        assert Group.objects.get(templates=template) == group

    def test_goes_without_them(self, log_in: LogIn) -> None:
        group = GroupFactory()
        location = LocationFactory(account=group.account, group=group)
        link = reverse("admin:accounts_group_delete", args=[group.pk])
        log_in(account=group.account).post(link, {"post": "yes"})
        assert not Group.objects.exists()
        location.refresh_from_db()
        assert location.group is None


class TestATemplate:
    def test_goes_with_all_its_versions(self) -> None:
        delete_template(template=TemplateFactory())
        assert not Template.objects.exists()
        assert not TemplateVersion.objects.exists()

    def test_keeps_its_current_version(self) -> None:
        version = TemplateFactory().current_version
        with pytest.raises(Exception, match="restricted"):
            version.delete()

    def test_is_used_by_whatever_sends_it(self, world: World) -> None:
        webhook = make_webhook(world, "https://93.184.216.34/")
        for timing in (Timing.BEGIN, Timing.END):
            attachment = attach(webhook, timing)
            attachment.own_template = world.xml
            attachment.save()
        assert use_of(world.xml).webhooks == [webhook]
        assert use_of(world.json).webhook_total == 1


class TestAWebhookThatIsMoved:
    @pytest.fixture
    def webhook(self, world: World) -> Webhook:
        return make_webhook(world, "https://93.184.216.34/", location=world.location)

    def moved(self, log_in: LogIn, webhook: Webhook, to: Location | None) -> Any:
        form = webhook_form(
            webhook.template, location=str(to.pk) if to else "", url=webhook.url, name="Moved"
        )
        browser = log_in(account=webhook.account)
        return browser.post(reverse("admin:webhooks_webhook_change", args=[webhook.pk]), form)

    @pytest.mark.parametrize(
        ("target", "label"),
        [
            ("campaign", "campaign Spring"),
            ("option", "treatment option 1 = Sales"),
            ("treatment", "call treatment Menu"),
            ("location", "location Acme"),
        ],
    )
    def test_is_detached_first(
        self, world: World, webhook: Webhook, log_in: LogIn, target: str, label: str
    ) -> None:
        names = {"option": "sales", "treatment": "menu"}
        attach(webhook, **{target: getattr(world, names.get(target, target))})
        elsewhere = LocationFactory(account=world.account)
        page = self.moved(log_in, webhook, elsewhere)
        assert f"It is attached to the {label}, where it would send nothing" in text_of(page)
        webhook.refresh_from_db()
        assert webhook.location == world.location

    def test_may_become_the_whole_accounts(
        self, world: World, webhook: Webhook, log_in: LogIn
    ) -> None:
        attach(webhook, campaign=world.campaign)
        assert self.moved(log_in, webhook, None).status_code == 302

    def test_goes_anywhere_while_it_is_attached_nowhere(
        self, world: World, webhook: Webhook, log_in: LogIn
    ) -> None:
        elsewhere = LocationFactory(account=world.account)
        assert self.moved(log_in, webhook, elsewhere).status_code == 302


class TestLinksWhenSeveralAccountsAreActive:
    def test_lead_only_where_the_role_there_allows(self, log_in: LogIn) -> None:
        member = MembershipFactory(role=Role.ADMIN)
        own = WebhookFactory(account=member.account)
        other = WebhookFactory()
        MembershipFactory(account=other.account, user=member.user, role=Role.VIEWER)
        browser = log_in(user=member.user)
        for webhook, is_offered in ((own, True), (other, False)):
            page = browser.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
            secret = reverse("admin:webhooks_webhook_secret", args=[webhook.pk])
            assert (secret in text_of(page)) is is_offered
            assert (browser.get(secret).status_code == 200) is is_offered
