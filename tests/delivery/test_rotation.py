"""Signatures as receivers see them: each scheme, and before, during and after a rotation."""

import datetime as dt
import hmac
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from apps.delivery.sweep import Sweep
from apps.webhooks.models import RetiredSecret, Webhook
from apps.webhooks.services import MOST_RETIRED, rotate_secret
from tests.builders import World, attach, event, lose_key, make_webhook
from tests.delivery.receiver import Received, Receiver
from tests.delivery.sending import drain, running_drain, take, wait_until_sent
from tests.factories import RetiredSecretFactory

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = dt.timedelta(hours=24)


def attached(world: World, receiver: Receiver, **fields: Any) -> Webhook:
    webhook = make_webhook(world, receiver.url(), **fields)
    attach(webhook)
    return webhook


def verifies(request: Received, secret: str) -> bool:
    try:
        Verifier(secret).verify(request.body.decode(), request.headers)
    except WebhookVerificationError:
        return False
    return True


class TestARotation:
    @pytest.fixture
    def webhook(self, world: World, receiver: Receiver) -> Webhook:
        return attached(world, receiver)

    def sent(self, world: World, receiver: Receiver) -> Received:
        take(world, event(world, call_id=f"c{len(receiver.requests)}"))
        drain()
        return receiver.requests[-1]

    def test_is_verified_before_during_and_after(
        self, world: World, receiver: Receiver, webhook: Webhook
    ) -> None:
        old = webhook.secret
        assert verifies(self.sent(world, receiver), old)

        rotate_secret(webhook=webhook, keep=KEPT)
        webhook.refresh_from_db()
        new = webhook.secret
        during = self.sent(world, receiver)
        assert verifies(during, old)
        assert verifies(during, new)

        RetiredSecret.objects.update(signs_until=timezone.now())
        after = self.sent(world, receiver)
        assert verifies(after, new)
        assert not verifies(after, old)

    def test_from_a_secret_of_another_scheme_leaves_that_out(
        self, world: World, receiver: Receiver, webhook: Webhook
    ) -> None:
        Webhook.objects.update(signature="hex", signature_header="X-Sig")
        webhook.refresh_from_db()
        rotate_secret(webhook=webhook, secret="any text will do")
        webhook.refresh_from_db()
        rotate_secret(webhook=webhook)
        Webhook.objects.update(signature="standard")
        webhook.refresh_from_db()

        assert verifies(self.sent(world, receiver), webhook.secret)

    def test_from_a_secret_whose_key_is_gone_leaves_that_out(
        self, world: World, receiver: Receiver, webhook: Webhook
    ) -> None:
        rotate_secret(webhook=webhook, keep=KEPT)
        webhook.refresh_from_db()
        lose_key(RetiredSecret.objects.get())

        assert verifies(self.sent(world, receiver), webhook.secret)

    def test_reaches_a_drain_that_runs(
        self, world: World, receiver: Receiver, webhook: Webhook
    ) -> None:
        with running_drain():
            take(world, event(world, call_id="before"))
            wait_until_sent()
            rotate_secret(webhook=webhook, keep=KEPT)
            take(world, event(world, call_id="after"))
            wait_until_sent()

        webhook.refresh_from_db()
        assert verifies(receiver.requests[-1], webhook.secret)

    def test_at_once_ends_every_earlier_secret(
        self, world: World, receiver: Receiver, webhook: Webhook
    ) -> None:
        old = webhook.secret
        rotate_secret(webhook=webhook, keep=KEPT)
        rotate_secret(webhook=webhook, keep=dt.timedelta())

        assert not verifies(self.sent(world, receiver), old)
        assert not RetiredSecret.objects.exists()

    def test_keeps_few_old_secrets_and_encrypts_them(self, webhook: Webhook) -> None:
        old = webhook.secret
        for _ in range(MOST_RETIRED + 2):
            rotate_secret(webhook=webhook, keep=KEPT)
        assert RetiredSecret.objects.count() == MOST_RETIRED
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(t::text, ' ') FROM webhooks_retiredsecret t")
            assert "whsec_" not in cursor.fetchone()[0]
        assert old.startswith("whsec_")

    @pytest.mark.parametrize("days", [-1, 8])
    def test_refuses_other_times(self, webhook: Webhook, days: int) -> None:
        with pytest.raises(ValidationError):
            rotate_secret(webhook=webhook, keep=dt.timedelta(days=days))

    def test_is_forgotten_by_the_sweep(self, webhook: Webhook) -> None:
        rotate_secret(webhook=webhook, keep=KEPT)
        Sweep().run_once()
        assert RetiredSecret.objects.count() == 1
        RetiredSecret.objects.update(signs_until=timezone.now())

        Sweep().run_once()

        assert not RetiredSecret.objects.exists()


class TestOtherSchemes:
    def test_sign_in_hex_in_a_header_of_ones_choice(self, world: World, receiver: Receiver) -> None:
        webhook = attached(
            world,
            receiver,
            signature="hex",
            signature_header="X-Hub-Signature-256",
            key_id_header="X-Key-Id",
            key_id="k1",
            headers={"x-hub-signature-256": "forged"},
        )
        take(world, event(world))

        drain()

        (request,) = receiver.requests
        digest = hmac.new(webhook.secret.encode(), request.body, "sha256").hexdigest()
        assert request.headers["X-Hub-Signature-256"] == f"sha256={digest}"
        assert request.headers["X-Key-Id"] == "k1"
        assert request.headers["webhook-id"]
        assert "webhook-signature" not in request.headers

    def test_sign_in_capitals_with_any_key(self, world: World, receiver: Receiver) -> None:
        webhook = attached(
            world,
            receiver,
            signature="hexupper",
            signature_header="ms-signature",
            secret="the key of 2011",
        )
        RetiredSecretFactory(
            webhook=webhook, secret="older", signs_until=timezone.now() + dt.timedelta(days=1)
        )
        take(world, event(world))

        drain()

        (request,) = receiver.requests
        digest = hmac.new(b"the key of 2011", request.body, "sha256").hexdigest()
        assert request.headers["ms-signature"] == f"sha256={digest.upper()}"

    def test_may_be_none(self, world: World, receiver: Receiver) -> None:
        attached(world, receiver, signature="none")
        take(world, event(world))

        drain()

        (request,) = receiver.requests
        assert "webhook-signature" not in request.headers
        assert request.headers["webhook-id"]

    @pytest.mark.parametrize("header", ["", "Host", "no spaces", "webhook-id"])
    def test_refuse_a_header_that_can_not_be(
        self, world: World, receiver: Receiver, header: str
    ) -> None:
        webhook = attached(world, receiver)
        webhook.signature, webhook.signature_header = "hex", header
        with pytest.raises(ValidationError, match="signature_header"):
            webhook.full_clean()
