"""A webhook whose secret or header can not be read: it is named, mended, and let be otherwise."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.common import outages
from apps.common.fields import Ciphertext, UnreadableSecret
from apps.common.models import AuditEntry
from apps.webhooks.models import RetiredSecret, Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret
from tests.api_client import api_for, good, problem
from tests.builders import lose_key
from tests.conftest import LogIn
from tests.factories import RetiredSecretFactory, WebhookFactory, WebhookHeaderFactory
from tests.webhooks.admin_forms import errors_of, header_forms, webhook_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook() -> Webhook:
    """A webhook with a header; the keys of both are gone."""
    header: WebhookHeader = WebhookHeaderFactory(name="X-Api-Key", value="of old")
    lose_key(header.webhook)
    lose_key(header, "value")
    return Webhook.objects.get()


@pytest.fixture
def browser(webhook: Webhook, log_in: LogIn) -> Client:
    return log_in(account=webhook.account)


def page(name: str, webhook: Webhook) -> str:
    return reverse(f"admin:webhooks_webhook_{name}", args=[webhook.pk])


def stored(row: Any, column: str) -> str:
    """Return what the database has in a column."""
    ciphertext = type(row).objects.filter(pk=row.pk).values_list(column, flat=True).get()
    assert isinstance(ciphertext, Ciphertext)
    return ciphertext.text


class TestASecret:
    def test_is_read_when_it_is_asked_for(self, webhook: Webhook) -> None:
        with pytest.raises(UnreadableSecret, match=f"webhooks.Webhook {webhook.pk}"):
            str(webhook.secret)

    def test_stays_as_it_is_stored_where_it_is_set_to_what_it_is(self) -> None:
        webhook = WebhookFactory()
        webhook = Webhook.objects.get(pk=webhook.pk)
        before = stored(webhook, "secret")
        webhook.secret = str(webhook.secret)
        webhook.save()
        Webhook.objects.defer("secret").get(pk=webhook.pk).save()
        webhook.refresh_from_db()
        webhook.save()
        assert stored(webhook, "secret") == before

    def test_is_encrypted_where_it_is_another_one(self) -> None:
        webhook, secret = WebhookFactory(), new_signing_secret()
        webhook.secret = secret
        webhook.save_changed()
        assert secret not in stored(webhook, "secret")
        assert Webhook.objects.get().secret == secret


class TestOnItsPage:
    def test_the_rest_is_saved(self, webhook: Webhook, browser: Client) -> None:
        assert browser.get(page("change", webhook)).status_code == 200
        form = webhook_form(webhook.template, name="Renamed", signature="standard")
        browser.post(page("change", webhook), form | header_forms(webhook, "X-Api-Key", ""))

        assert Webhook.objects.get().name == "Renamed"
        assert stored(webhook, "secret") == stored(webhook.headers.get(), "value") == "garbage"

    def test_a_header_is_typed_again(self, webhook: Webhook, browser: Client) -> None:
        form = webhook_form(webhook.template)
        renamed = browser.post(page("change", webhook), form | header_forms(webhook, "X-Other", ""))
        assert "Type the value again" in errors_of(renamed)

        browser.post(page("change", webhook), form | header_forms(webhook, "X-Api-Key", "new"))
        assert webhook.headers.get().value == "new"

    def test_the_secret_is_replaced_and_does_not_sign_along(
        self, webhook: Webhook, browser: Client
    ) -> None:
        good_one = RetiredSecretFactory(webhook=webhook)
        lose_key(RetiredSecretFactory(webhook=webhook))
        shown = browser.get(page("secret", webhook))
        assert "can not be read any more" in shown.content.decode()

        browser.post(page("rotate", webhook), {"keep": "24"})

        assert Webhook.objects.get().secret.startswith("whsec_")
        assert list(RetiredSecret.objects.all()) == [good_one]


class TestAClient:
    def test_changes_the_rest(self, webhook: Webhook) -> None:
        api = api_for(webhook.account)
        assert good(api.patch(f"/webhooks/{webhook.public_id}", {"name": "N"}))["name"] == "N"
        assert stored(webhook, "secret") == "garbage"

    def test_gives_a_header_again(self, webhook: Webhook) -> None:
        api, link = api_for(webhook.account), f"/webhooks/{webhook.public_id}"
        told = problem(api.patch(link, {"headers": [{"name": "X-Api-Key"}]}), 422, "invalid")
        assert told["errors"][0]["pointer"] == "/headers/0/value"

        good(api.patch(link, {"headers": [{"name": "X-Api-Key", "value": "new"}]}))
        assert webhook.headers.get().value == "new"

    def test_is_told_why_nothing_can_be_sent(
        self,
        webhook: Webhook,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(outages, "_said_at_s", {})
        answer = api_for(webhook.account).post(f"/webhooks/{webhook.public_id}/test", {})
        told = problem(answer, 503, "unavailable")
        assert "A credential can not be read" in told["detail"]
        assert "CREDENTIAL_KEYS lacks the key" in caplog.text


def test_a_page_that_needs_the_secret_says_why(webhook: Webhook, browser: Client) -> None:
    answer = browser.post(reverse("webhook_test", args=[webhook.pk]))
    assert answer.status_code == 503
    assert "not in CREDENTIAL_KEYS" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="tested").exists()
