"""Campaigns, treatments, numbers, and attaching webhooks."""

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import Account
from apps.campaigns.models import Attachment, TrackingNumber, TreatmentOption
from apps.common.access import Role
from tests.builders import attach
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    LocationFactory,
    TreatmentFactory,
    TreatmentOptionFactory,
    WebhookFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def inlines(**rows: list[dict[str, object]]) -> dict[str, Any]:
    """Return the fields of the page's inline forms, by prefix."""
    form: dict[str, Any] = {}
    for prefix in ("options", "tracking_numbers", "attachments"):
        made = rows.get(prefix, [])
        form |= {f"{prefix}-TOTAL_FORMS": str(len(made)), f"{prefix}-INITIAL_FORMS": "0"}
        for index, row in enumerate(made):
            form |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return form


class TestCampaigns:
    add = "admin:campaigns_campaign_add"

    def form(self, account: Account, **changes: object) -> dict[str, Any]:
        location = LocationFactory(account=account)
        return {
            "name": "Spring",
            "location": str(location.pk),
            "kind": "offline",
            "tags": '{"Region": "south"}',
            "is_active": "on",
            **inlines(),
            **changes,
        }

    def test_is_made_with_numbers_and_webhooks(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account, location=None)
        form = self.form(account)
        form |= inlines(
            attachments=[{"webhook": str(webhook.pk), "timing": "begin", "is_active": "on"}]
        )
        page = log_in(account=account, role=Role.MEMBER).post(reverse(self.add), form)
        assert page.status_code == 302
        attachment = Attachment.objects.get()
        assert (attachment.webhook, attachment.timing) == (webhook, "begin")
        assert attachment.account == account

    def test_the_same_webhook_twice_is_explained(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account, location=None)
        row = {"webhook": str(webhook.pk), "timing": "end", "is_active": "on"}
        form = self.form(account) | inlines(attachments=[row, row])
        page = log_in(account=account).post(reverse(self.add), form)
        assert "attached here already" in str(page.context["errors"])
        assert not Attachment.objects.exists()

    @pytest.mark.parametrize(
        "tags",
        [
            *("[1]", "{broken", "3", '{"a": {"b": 1}}', '{"a": null}'),
            *('{"": ""}', '{"": "b"}', '{"a": ""}'),
            *('{"a": "\\u0000"}', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}'),
            *('{"a": ' + "9" * 5000 + "}", '{"a":' * 3000 + "1" + "}" * 3000),
        ],
    )
    def test_bad_tags_are_explained(self, log_in: LogIn, account: Account, tags: str) -> None:
        page = log_in(account=account).post(reverse(self.add), self.form(account, tags=tags))
        assert "tags" in page.context["adminform"].form.errors

    def test_a_webhook_of_another_location_is_refused(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(account=account)
        form = self.form(account)
        form |= inlines(
            attachments=[{"webhook": str(webhook.pk), "timing": "end", "is_active": "on"}]
        )
        page = log_in(account=account).post(reverse(self.add), form)
        assert "belongs to the location" in str(page.context["errors"])


class TestTreatments:
    def test_is_made_with_its_options(self, log_in: LogIn, account: Account) -> None:
        location = LocationFactory(account=account)
        options = [{"key": "1", "label": "Sales"}, {"key": "2", "label": "Service"}]
        form = {"name": "Menu", "location": str(location.pk), **inlines(options=options)}
        log_in(account=account).post(reverse("admin:campaigns_treatment_add"), form)
        assert [str(option) for option in TreatmentOption.objects.all()] == [
            "1 = Sales",
            "2 = Service",
        ]

    def test_a_key_twice_is_explained(self, log_in: LogIn, account: Account) -> None:
        location = LocationFactory(account=account)
        options = [{"key": "1", "label": "Sales"}, {"key": "1", "label": "Service"}]
        form = {"name": "Menu", "location": str(location.pk), **inlines(options=options)}
        page = log_in(account=account).post(reverse("admin:campaigns_treatment_add"), form)
        assert page.status_code == 200
        assert not TreatmentOption.objects.exists()


class TestNumbers:
    add = "admin:campaigns_trackingnumber_add"

    @pytest.mark.parametrize("number", ["5551234567", "+1 555 1234567", "+0123456789", "call me"])
    def test_a_bad_number_is_explained(self, log_in: LogIn, account: Account, number: str) -> None:
        form = {"number": number, "location": str(LocationFactory(account=account).pk)}
        page = log_in(account=account).post(reverse(self.add), form)
        assert "E.164" in str(page.context["adminform"].form.errors)

    def test_a_number_twice_is_explained(self, log_in: LogIn, account: Account) -> None:
        form = {"number": "+15551234567", "location": str(LocationFactory(account=account).pk)}
        browser = log_in(account=account)
        assert browser.post(reverse(self.add), form).status_code == 302
        assert browser.post(reverse(self.add), form).status_code == 200
        assert TrackingNumber.objects.count() == 1

    def test_a_campaign_of_another_location_is_refused(
        self, log_in: LogIn, account: Account
    ) -> None:
        form = {
            "number": "+15551234567",
            "location": str(LocationFactory(account=account).pk),
            "campaign": str(CampaignFactory(account=account).pk),
        }
        page = log_in(account=account).post(reverse(self.add), form)
        assert "belongs to another location" in str(page.context["adminform"].form.errors)


class TestAttaching:
    add = "admin:campaigns_attachment_add"

    def test_offers_the_places_of_the_webhooks_location(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(account=account)
        here = TreatmentFactory(account=account, location=webhook.location, name="Main menu")
        TreatmentOptionFactory(treatment=here, key="1", label="Sales")
        TreatmentOptionFactory(treatment__account=account, label="Elsewhere")
        page = log_in(account=account).get(f"{reverse(self.add)}?webhook={webhook.pk}")
        text = page.content.decode()
        assert f"{webhook.location}, Main menu: 1 = Sales" in text
        assert "Elsewhere" not in text

    def test_two_places_are_explained(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        form = {
            "webhook": str(webhook.pk),
            "timing": "end",
            "location": str(webhook.location_id),
            "campaign": str(CampaignFactory(account=account, location=webhook.location).pk),
        }
        page = log_in(account=account).post(reverse(self.add), form)
        assert "Choose one place only" in str(page.context["adminform"].form.errors)

    def test_tells_places_of_one_name_apart(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account, location=None)
        for name in ("Downtown", "Westside"):
            location = LocationFactory(account=account, name=name)
            menu = TreatmentFactory(account=account, location=location)
            option = TreatmentOptionFactory(account=account, treatment=menu, key=1, label="Sales")
            attach(webhook, option=option)
            attach(webhook, treatment=menu)
            attach(webhook, campaign=CampaignFactory(account=account, location=location))
        page = log_in(account).get(reverse("admin:campaigns_attachment_changelist"))
        text = page.content.decode()
        assert text.count("1 = Sales, Downtown") == text.count("1 = Sales, Westside") == 1
        assert text.count(", Downtown</td>") == text.count(", Westside</td>") == 3

    def test_viewers_attach_nothing(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.VIEWER)
        assert browser.post(reverse(self.add), {}).status_code == 403
