"""Applying a webhook or template to many locations."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.models import Account, Location
from apps.calls.events import Timing
from apps.campaigns import applying
from apps.campaigns.applying import Applied, Outcome, apply_template, apply_webhook
from apps.campaigns.models import Attachment
from apps.common.access import Access, ReachableAccount, Role
from apps.common.models import AuditAction, AuditEntry
from apps.common.tenancy import tenant_scope
from apps.webhooks.models import Webhook
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    AttachmentFactory,
    GroupFactory,
    LocationFactory,
    TemplateFactory,
    WebhookFactory,
    WebhookHeaderFactory,
)

pytestmark = pytest.mark.django_db


def reaching(*accounts: Account, role: Role = Role.ADMIN) -> Access:
    return Access(
        accounts={
            one.pk: ReachableAccount(one.pk, one.name, one.is_agency, role, one.parent_id)
            for one in accounts
        }
    )


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def webhook(account: Account) -> Webhook:
    """One of a location, sent there at the begin of calls for ten minutes, with a header."""
    webhook = WebhookFactory(account=account, timeout_s=33, success_codes=[200, 299])
    WebhookHeaderFactory(webhook=webhook, name="X-Api-Key", value="abc")
    AttachmentFactory(webhook=webhook, timing=Timing.BEGIN, not_later_than_min=10)
    return Webhook.objects.get(pk=webhook.pk)


@pytest.fixture
def places(account: Account) -> list[Location]:
    return list(LocationFactory.create_batch(3, account=account))


def outcomes(results: list[Applied]) -> list[str]:
    return [one.outcome for one in results]


class TestAWebhook:
    def test_is_copied_with_all_it_takes_to_call_it(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        with tenant_scope(reaching(account)):
            results = apply_webhook(webhook=webhook, locations=places, by=reaching(account))
        assert outcomes(results) == [Outcome.CREATED] * 3
        for place in places:
            made = place.webhooks.get()
            assert made.pk != webhook.pk
            assert (made.name, made.url, made.template) == (
                webhook.name,
                webhook.url,
                webhook.template,
            )
            assert (made.timeout_s, made.success_codes) == (33, [200, 299])
            assert made.secret == webhook.secret
            assert [(one.name, one.value) for one in made.headers.all()] == [("X-Api-Key", "abc")]
            attachment = made.attachments.get()
            assert (attachment.timing, attachment.location) == (Timing.BEGIN, place)
            assert attachment.not_later_than_min == 10

    def test_applied_again_changes_nothing(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        own = [*places, webhook.location]
        for expected in ([Outcome.CREATED] * 3, [Outcome.UNCHANGED] * 3):
            results = apply_webhook(webhook=webhook, locations=own, by=reaching(account))
            assert outcomes(results) == [*expected, Outcome.UNCHANGED]
        assert Webhook.objects.count() == 4
        assert Attachment.objects.count() == 4

    def test_that_lost_its_attachment_is_attached_again(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        apply_webhook(webhook=webhook, locations=places[:1], by=reaching(account))
        places[0].attachments.all().delete()
        results = apply_webhook(webhook=webhook, locations=places[:1], by=reaching(account))
        assert outcomes(results) == [Outcome.ATTACHED]

    def test_of_the_whole_account_is_attached(
        self, account: Account, places: list[Location]
    ) -> None:
        webhook = WebhookFactory(account=account, location=None)
        results = apply_webhook(
            webhook=webhook,
            locations=places,
            by=reaching(account),
            timings=[Timing.BEGIN, Timing.END],
        )
        assert outcomes(results) == [Outcome.ATTACHED] * 3
        assert webhook.attachments.count() == 6
        assert Webhook.objects.count() == 1

    def test_that_does_not_fit_somewhere_is_refused_there_only(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        group = GroupFactory(account=account)
        Location.objects.filter(pk__in=[webhook.location_id, places[0].pk]).update(group=group)
        template = webhook.template
        template.group = group
        template.save()
        webhook = Webhook.objects.get(pk=webhook.pk)
        results = apply_webhook(
            webhook=webhook,
            locations=Location.objects.filter(pk__in=[one.pk for one in places]).order_by("pk"),
            by=reaching(account),
        )
        assert outcomes(results) == [Outcome.CREATED, Outcome.REFUSED, Outcome.REFUSED]
        assert str(group) in results[1].message
        assert not places[1].webhooks.exists()

    def test_is_written_in_the_log(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        apply_webhook(webhook=webhook, locations=places, by=reaching(account))
        entry = AuditEntry.objects.get(action=AuditAction.APPLIED)
        assert (entry.object_id, entry.note) == (webhook.pk, "3 created")

    def test_asks_for_no_more_than_a_page_of_locations(
        self, account: Account, webhook: Webhook, places: list[Location], monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(applying, "MOST_LOCATIONS", 2)
        with pytest.raises(ValidationError, match="2 locations at most"):
            apply_webhook(webhook=webhook, locations=places, by=reaching(account))


class TestClientsOfAnAgency:
    @pytest.fixture
    def agency(self) -> Account:
        return AgencyFactory()

    @pytest.fixture
    def pattern(self, agency: Account) -> Webhook:
        template = TemplateFactory(account=agency, is_shared_with_clients=True)
        webhook = WebhookFactory(account=agency, template=template, location=None)
        WebhookHeaderFactory(webhook=webhook)
        return Webhook.objects.get(pk=webhook.pk)

    @pytest.fixture
    def theirs(self, agency: Account) -> Location:
        return LocationFactory(account=AccountFactory(parent=agency))

    def test_get_copies_with_secrets_of_their_own(
        self, agency: Account, pattern: Webhook, theirs: Location
    ) -> None:
        access = reaching(agency, theirs.account)
        with tenant_scope(access):
            results = apply_webhook(webhook=pattern, locations=[theirs], by=access)
        assert outcomes(results) == [Outcome.CREATED]
        made = theirs.webhooks.get()
        assert (made.account, made.template) == (theirs.account, pattern.template)
        assert made.secret != pattern.secret
        assert made.attachments.get().timing == Timing.END

    def test_need_a_shared_template(
        self, agency: Account, pattern: Webhook, theirs: Location
    ) -> None:
        pattern.template.is_shared_with_clients = False
        pattern.template.save()
        results = apply_webhook(
            webhook=Webhook.objects.get(pk=pattern.pk),
            locations=[theirs],
            by=reaching(agency, theirs.account),
        )
        assert outcomes(results) == [Outcome.REFUSED]
        assert "is not shared" in results[0].message

    def test_get_credentials_by_admins_only(
        self, agency: Account, pattern: Webhook, theirs: Location
    ) -> None:
        access = reaching(agency, theirs.account, role=Role.MEMBER)
        results = apply_webhook(webhook=pattern, locations=[theirs], by=access)
        assert outcomes(results) == [Outcome.REFUSED]
        assert not theirs.webhooks.exists()


class TestRoles:
    def test_who_only_looks_applies_nothing(
        self, account: Account, webhook: Webhook, places: list[Location]
    ) -> None:
        with pytest.raises(PermissionDenied):
            apply_webhook(webhook=webhook, locations=places, by=reaching(account, role=Role.VIEWER))

    def test_a_location_out_of_reach_is_refused(self, account: Account, webhook: Webhook) -> None:
        stranger = LocationFactory()
        results = apply_webhook(webhook=webhook, locations=[stranger], by=reaching(account))
        assert outcomes(results) == [Outcome.REFUSED]
        assert not stranger.webhooks.exists()


class TestATemplate:
    def test_is_sent_by_the_webhooks_of_each_location(
        self, account: Account, places: list[Location]
    ) -> None:
        old, new = TemplateFactory.create_batch(2, account=account)
        other = TemplateFactory(account=account)
        for place in places[:2]:
            WebhookFactory(account=account, location=place, template=old)
        kept = WebhookFactory(account=account, location=places[1], template=other)
        for first in (Outcome.CHANGED, Outcome.UNCHANGED):
            results = apply_template(
                template=new, replaces=old, locations=places, by=reaching(account)
            )
            assert outcomes(results) == [first, first, Outcome.REFUSED]
        assert {one.webhooks.first().template for one in places[:1]} == {new}
        kept.refresh_from_db()
        assert kept.template == other

    def test_of_another_type_is_refused(self, account: Account, webhook: Webhook) -> None:
        xml = TemplateFactory(account=account, format="xml")
        results = apply_template(template=xml, locations=[webhook.location], by=reaching(account))
        assert outcomes(results) == [Outcome.REFUSED]
        webhook.refresh_from_db()
        assert webhook.template != xml
