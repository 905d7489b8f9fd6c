"""“Send test” sends what the engine would, says that it is a test, and leaves no trace."""

import datetime as dt
import json
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings

from apps.common.access import Role
from apps.delivery.models import Attempt, Delivery
from apps.delivery.outcome import ErrorKind
from apps.delivery.signing import verify
from apps.delivery.testing import TestRun as Run
from apps.delivery.testing import send_test
from apps.webhooks.formats import Format
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import compile_template
from apps.webhooks.secrets import parse_secret
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from tests.builders import World, make_webhook
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.webhooks.wizard.walking import advanced, at_summary

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)
TEMPLATE = compile_template(format=Format.JSON, sample='{"phone": "%ani%"}')


def sent(webhook: Webhook, **changes: Any) -> Run:
    given: dict[str, Any] = {"headers": [], "template": TEMPLATE, "snapshot": EXAMPLE_SNAPSHOT}
    return send_test(**{"webhook": webhook, "now": NOW, **given, **changes})


class TestSendTest:
    def test_sends_what_the_engine_would(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"))
        run = sent(webhook, headers=[("X-Key", "secret of %ani%")])
        (received,) = receiver.requests
        assert json.loads(received.body) == {"phone": "7776734736"}
        headers = {name.lower(): value for name, value in received.headers.items()}
        assert headers["webhook-test"] == "true"
        assert headers["x-key"] == "secret of 7776734736"
        secrets = [parse_secret(webhook.secret)]
        verify(secrets, headers=headers, body=received.body, now=NOW.timestamp())
        assert run.is_success
        assert run.masked_headers["X-Key"] == "••••••••"
        assert not Delivery.objects.exists()
        assert not Attempt.objects.exists()

    def test_signs_as_the_webhook_says(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(
            world, receiver.url("/ok/t"), signature="hex", signature_header="X-Hub-Signature-256"
        )
        sent(webhook)
        (received,) = receiver.requests
        assert received.headers["X-Hub-Signature-256"].startswith("sha256=")
        assert "webhook-signature" not in received.headers

    def test_puts_a_query_behind_the_url(self, world: World, receiver: Receiver) -> None:
        query = compile_template(format=Format.QUERY, sample="tel=%25&who=%ani_full_name%")
        webhook = make_webhook(world, receiver.url("/ok/t?a=1"), method="GET")
        sent(webhook, template=query)
        (received,) = receiver.requests
        assert received.line.startswith("GET /ok/t?a=1&tel=%25&who=Freddy")
        assert received.body == b""

    def test_judges_by_the_webhooks_own_codes(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"), success_codes=[202])
        assert not sent(webhook).is_success

    def test_goes_through_the_guard(self, world: World, settings: Settings) -> None:
        settings.EGRESS_ALLOW = []
        run = sent(make_webhook(world, "http://127.0.0.1:9/x"))
        assert run.verdict.error_kind is ErrorKind.BLOCKED


class TestTheButton:
    def test_shows_request_answer_and_verdict(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        draft = at_summary(browser, url=receiver.url("/ok/t"))
        advanced(browser, draft, **{"header-name": "X-Key", "header-value": "top-secret"})
        link = reverse("wizard_test", args=[draft.pk])
        for headers in ({}, {"HX-Request": "true"}):
            page = browser.post(link, {"call": "worst"}, headers=headers).content.decode()
            assert "Works" in page
            assert "webhook-test" in page
            assert "&lt;Sons&gt;" in page
            assert "top-secret" not in page
            assert ("<html" in page) is not headers
        assert [one.headers["X-Key"] for one in receiver.requests] == ["top-secret"] * 2
        assert not Delivery.objects.exists()
        assert browser.get(link).status_code == 405
