"""Webhooks that get Call.Complete."""

import pytest
from django.test import Client
from pytest_django import Settings

from apps.faces.models import CallComplete
from apps.webhooks.services import save_template
from tests.faces.admin.screens import URL, address, errors

pytestmark = pytest.mark.django_db


class TestCallComplete:
    def test_keeps_a_template_that_was_adapted(self, browser: Client) -> None:
        answers = {"name": "Old", "url": f"{URL}/a", "is_active": "on", "submit_type": "POST"}
        assert browser.post(address("add", screen="callcomplete"), answers).status_code == 302
        webhook: CallComplete = CallComplete.objects.get()
        save_template(template=webhook.template, sample="Action=Webhook", by=None)
        change = address("change", webhook.pk, screen="callcomplete")
        browser.post(change, {**answers, "url": f"{URL}/b"})
        webhook.refresh_from_db()
        version = webhook.template.current_version
        assert version is not None
        assert (webhook.url, version.sample) == (f"{URL}/b", "Action=Webhook")

        browser.post(change, {**answers, "submit_type": "GET"})
        webhook.refresh_from_db()
        assert (webhook.method, webhook.template.format) == ("GET", "query")

    def test_refuses_an_address_that_may_not_be_reached(
        self, browser: Client, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        answers = {"name": "Old", "url": "http://127.0.0.1/", "submit_type": "POST"}
        assert "url" in errors(browser.post(address("add", screen="callcomplete"), answers))
