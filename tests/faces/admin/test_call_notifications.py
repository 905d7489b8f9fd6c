"""Call notifications."""

from typing import Any, ClassVar

import pytest
from django.test import Client

from apps.common.access import Role
from apps.faces.models import CallNotification
from apps.webhooks.models import Template
from tests.builders import World, lose_key
from tests.conftest import LogIn
from tests.faces.admin.screens import URL, address, errors

pytestmark = pytest.mark.django_db


class TestCallNotifications:
    ANSWERS: ClassVar[dict[str, Any]] = {
        "name": "Edge",
        "url": f"{URL}/callback",
        "is_active": "on",
        "events": ["begin", "updated"],
        "source_system": "Hookline",
    }

    def saved(self, browser: Client, **answers: Any) -> CallNotification:
        where = address("add", screen="callnotification")
        assert browser.post(where, {**self.ANSWERS, **answers}).status_code == 302
        webhook: CallNotification = CallNotification.objects.get()
        return webhook

    def test_are_one_webhook_with_three_templates(self, browser: Client) -> None:
        webhook = self.saved(browser)
        attachments = {each.timing: each for each in webhook.attachments.all()}
        assert {timing: each.is_active for timing, each in attachments.items()} == {
            "begin": True,
            "end": False,
            "updated": True,
        }
        assert attachments["end"].own_template is None
        assert webhook.template.name == "Call notification: preprocessed (Edge)"
        assert Template.objects.filter(name__endswith="(Edge)").count() == 3
        assert len(webhook.key_id) == 32
        assert webhook.secret.startswith("whsec_")

    def test_keep_their_key_until_another_is_typed(self, browser: Client) -> None:
        webhook = self.saved(browser, signing_key="the key of 2011")
        change = address("change", webhook.pk, screen="callnotification")
        page = browser.get(change).content.decode()
        assert "the key of 2011" not in page
        browser.post(change, {**self.ANSWERS, "events": ["end"], "source_system": "Other"})
        webhook.refresh_from_db()
        assert webhook.secret == "the key of 2011"
        assert [each.timing for each in webhook.attachments.filter(is_active=True)] == ["end"]
        sources = [each.value for each in webhook.headers.filter(name="x-Source-system")]
        assert sources == ["Other"]
        browser.post(change, {**self.ANSWERS, "signing_key": "the next one"})
        webhook.refresh_from_db()
        assert webhook.secret == "the next one"
        assert Template.objects.filter(name__endswith="(Edge)").count() == 3

    def test_get_another_key_where_that_of_the_first_is_gone(self, browser: Client) -> None:
        webhook = self.saved(browser)
        lose_key(webhook)
        change = address("change", webhook.pk, screen="callnotification")
        assert browser.post(change, {**self.ANSWERS, "name": "Renamed"}).status_code == 302
        assert CallNotification.objects.get().name == "Renamed"
        browser.post(change, {**self.ANSWERS, "signing_key": "the next one"})
        assert CallNotification.objects.get().secret == "the next one"

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({"events": []}, "events"),
            ({"events": ["never"]}, "events"),
            ({"signing_key": "short"}, "signing_key"),
            ({"signing_key": "a key with\u200b what nobody sees"}, "signing_key"),
            ({"signing_key": "two\nlines of a key"}, "signing_key"),
            ({"source_system": "%nonsense%"}, "source_system"),
            ({"key_id": "%nonsense%"}, "key_id"),
            ({"url": "ftp://example.com"}, "url"),
        ],
    )
    def test_refuse_what_can_not_be(
        self, browser: Client, answers: dict[str, Any], field: str
    ) -> None:
        where = address("add", screen="callnotification")
        assert field in errors(browser.post(where, {**self.ANSWERS, **answers}))

    def test_are_set_up_by_admins(self, world: World, log_in: LogIn) -> None:
        member = log_in(account=world.account, role=Role.MEMBER)
        assert member.get(address("add", screen="callnotification")).status_code == 403
        assert member.get(address("changelist", screen="callnotification")).status_code == 200
