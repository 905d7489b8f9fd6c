"""`manage.py seed_demo`: once, with random passwords, and leaving alone what people changed."""

import datetime as dt
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Account, ApiKey, User
from apps.calls.models import Call
from apps.campaigns.models import Attachment
from apps.common.models import HooklineModel
from apps.console.demo import world
from apps.console.demo.keepsakes import FILE_NAME, Keepsakes
from apps.delivery.models import Delivery
from apps.ivr.models import IvrExchange, IvrHook
from apps.webhooks.models import Webhook
from apps.webhooks.services import rotate_secret
from tests.console.receiving import receiver_process
from tests.factories import WebhookFactory

RECEIVER = "http://127.0.0.1:8900"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def keepsakes(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("DEMO_RECEIVER_URL", RECEIVER)
    return tmp_path / FILE_NAME


@pytest.fixture
def garage(monkeypatch: pytest.MonkeyPatch, keepsakes: Path) -> Iterator[str]:
    """The demo's receiver, at an address of its own."""
    with receiver_process(keepsakes) as (url, _):
        monkeypatch.setenv("DEMO_RECEIVER_URL", url)
        yield url


def seed(*options: str) -> list[dict[str, str]]:
    """Run the command and return the logins."""
    out = StringIO()
    call_command("seed_demo", "--json", *options, stdout=out)
    logins: list[dict[str, str]] = json.loads(out.getvalue())
    return logins


def row_counts() -> dict[str, int]:
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if issubclass(model, HooklineModel)
    }


@contextmanager
def events_refused(kind: str) -> Iterator[None]:
    """Let the database take no event of this kind for a `with` block."""
    change = "ALTER TABLE calls_callevent"
    with connection.cursor() as cursor:
        cursor.execute(f"{change} ADD CONSTRAINT refused CHECK (type <> '{kind}')")
        try:
            yield
        finally:
            cursor.execute(f"{change} DROP CONSTRAINT refused")


class TestSeedDemo:
    def test_makes_the_same_only_once(self) -> None:
        first = seed()
        before = row_counts()
        assert before["accounts.Account"] == 1 + len(world.CLIENTS)
        assert before["calls.Call"] > 20
        assert seed() == first
        assert row_counts() == before

    def test_lets_everybody_in_with_what_it_prints(self) -> None:
        logins = seed("--no-history")
        assert [each["role"] for each in logins] == [
            *("owner", "owner", "admin", "member", "viewer", "operator")
        ]
        for each in logins:
            assert Client().login(username=each["email"], password=each["password"])
        assert len({each["password"] for each in logins}) == len(logins)

    def test_keeps_passwords_and_keys_from_others(self, keepsakes: Path) -> None:
        seed("--no-history")
        assert stat.S_IMODE(keepsakes.stat().st_mode) == 0o600

    def test_gives_each_client_a_key_that_takes_calls_in(self, keepsakes: Path) -> None:
        seed("--no-history")
        kept = Keepsakes.read(keepsakes)
        assert set(kept.keys) == {client.name for client in world.CLIENTS}
        for client in world.CLIENTS:
            response = Client().post(
                "/api/v1/events",
                {
                    "id": "e1",
                    "call_id": "c1",
                    "type": "call.started",
                    "occurred_at": "2026-03-28T00:05:00Z",
                    "tracking_number": client.places[0].lines[0].number,
                },
                content_type="application/json",
                headers={"Authorization": f"Bearer {kept.keys[client.name]}"},
            )
            assert response.status_code == 202

    def test_knows_the_secret_of_each_webhook(self, keepsakes: Path) -> None:
        seed("--no-history")
        kept = Keepsakes.read(keepsakes)
        hooks = [hook.path for client in world.CLIENTS for hook in client.hooks]
        assert set(kept.secrets) == set(hooks)
        webhook = Webhook.objects.get(url=RECEIVER + world.CALL_LOG_PATH)
        assert kept.secrets[world.CALL_LOG_PATH] == webhook.secret

    def test_checks_no_signature_where_several_webhooks_lead(self, keepsakes: Path) -> None:
        call_command("seed_demo")
        account = Webhook.objects.earliest("created_at").account
        for name in ("One of mine", "Another"):
            WebhookFactory(account=account, name=name, url=f"{RECEIVER}/mine")
        call_command("seed_demo")
        kept = Keepsakes.read(keepsakes).secrets
        assert "/mine" not in kept
        assert world.CALL_LOG_PATH in kept

    def test_keeps_secrets_anew_and_nothing_else(self, keepsakes: Path) -> None:
        seed("--no-history")
        before = Keepsakes.read(keepsakes)
        webhook = Webhook.objects.get(url=RECEIVER + world.CALL_LOG_PATH)
        rotate_secret(webhook=webhook, keep=dt.timedelta(0))
        webhook.refresh_from_db()
        rows = row_counts()
        call_command("seed_demo", "--secrets")
        assert row_counts() == rows
        secrets = {**before.secrets, world.CALL_LOG_PATH: webhook.secret}
        assert Keepsakes.read(keepsakes) == replace(before, secrets=secrets)
        webhook.signature = Webhook.Signature.HEX
        webhook.signature_header = "X-Hub-Signature-256"
        webhook.save(update_fields=["signature", "signature_header"])
        call_command("seed_demo", "--secrets")
        assert world.CALL_LOG_PATH not in Keepsakes.read(keepsakes).secrets

    def test_follows_the_receiver_to_another_port(
        self, monkeypatch: pytest.MonkeyPatch, keepsakes: Path
    ) -> None:
        seed("--no-history")
        secrets = Keepsakes.read(keepsakes).secrets
        monkeypatch.setenv("DEMO_RECEIVER_URL", "http://127.0.0.1:8907")
        seed("--no-history")
        assert not Webhook.objects.filter(url__startswith=RECEIVER).exists()
        assert IvrHook.objects.get().target_url == f"http://127.0.0.1:8907{world.REPAIRS_PATH}"
        assert Keepsakes.read(keepsakes).secrets == secrets

    def test_leaves_alone_what_people_changed(self) -> None:
        seed("--no-history")
        Account.objects.filter(name=world.ELM_STREET).update(name="Elm Street Cars")
        Attachment.objects.all().delete()
        before = row_counts()
        seed("--no-history")
        assert row_counts() == before

    def test_makes_lost_passwords_and_keys_anew(self, keepsakes: Path) -> None:
        first = seed("--no-history")
        keepsakes.unlink()
        second = seed("--no-history")
        assert [each["email"] for each in second] == [each["email"] for each in first]
        for each in second:
            assert Client().login(username=each["email"], password=each["password"])
        assert ApiKey.objects.filter(revoked_at=None).count() == len(world.CLIENTS)

    def test_does_not_trust_what_is_kept_of_another_database(self, keepsakes: Path) -> None:
        Keepsakes(
            agency="acc_of_another", passwords={world.PEOPLE[0].email: "known-to-others"}
        ).write(keepsakes)
        logins = seed("--no-history")
        assert "known-to-others" not in {each["password"] for each in logins}

    def test_has_a_history_with_a_call_for_the_webhooks_that_fail(self) -> None:
        seed()
        troubled = Delivery.objects.filter(webhook__name__in=["Old dealer CRM", "Insurance portal"])
        assert troubled.count() == 2
        off = [hook for client in world.CLIENTS for hook in client.hooks if hook.is_off]
        assert Attachment.objects.filter(is_active=False).count() == len(off)

    def test_has_an_ivr_that_has_asked_the_receiver(self, garage: str) -> None:
        seed()
        hook = IvrHook.objects.get()
        assert (hook.target_url, hook.is_active) == (garage + world.REPAIRS_PATH, True)
        (ivr,) = (ivr for client in world.CLIENTS for ivr in client.ivrs)
        exchanges = IvrExchange.objects.order_by("created_at")
        said = [exchange.reply["message"] for exchange in exchanges]
        assert said == [
            world.CALL_BACK if wish == "2" else world.REPAIRS.get(order_no, ivr.default_text)
            for order_no, wish in ivr.typed
        ]
        assert {each.decided_by for each in exchanges} == {"target", "default"}
        known = Call.objects.filter(account=hook.account).values_list("external_id", flat=True)
        assert {each.call_external_id for each in exchanges} <= set(known)

    def test_makes_all_of_it_or_nothing(self) -> None:
        """A history that breaks off is made by the next run."""
        with events_refused("call.ended"), pytest.raises(IntegrityError):
            seed()
        assert not Account.objects.exists()
        seed()
        assert Delivery.objects.exists()

    def test_says_what_to_do_when_the_receiver_is_not_allowed(self, settings: Settings) -> None:
        settings.EGRESS_ALLOW = []
        with pytest.raises(CommandError, match="EGRESS_ALLOW"):
            seed("--no-history")
        assert not User.objects.exists()

    def test_prints_a_table_for_people(self) -> None:
        out = StringIO()
        call_command("seed_demo", "--no-history", stdout=out)
        lines = out.getvalue().splitlines()
        assert lines[0].split() == ["Email", "Password", "Role", "Account"]
        assert len(lines) == 1 + len(world.PEOPLE)
