"""Two people who save the same at the same moment."""

import threading

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account, Group
from apps.campaigns.models import Attachment
from apps.webhooks.models import Template, Webhook
from apps.webhooks.services import rotate_secret
from tests.builders import World, make_template
from tests.common.beside import attach_and_hold, beside
from tests.common.processes import wait_until
from tests.conftest import LogIn
from tests.faces.admin.screens import ACTION, address, made
from tests.factories import AccountFactory, GroupFactory, WebhookFactory
from tests.transactions import somebody_waits
from tests.webhooks.admin_forms import webhook_form

_PATIENCE_S = 60.0


def other_connection() -> psycopg.Connection[object]:
    """Return a connection of somebody else to the same database."""
    parameters = connection.get_connection_params()
    for django_only in ("cursor_factory", "context", "server_side_binding"):
        parameters.pop(django_only, None)
    return psycopg.connect(**parameters)


@pytest.mark.django_db(transaction=True)
class TestTwoWhoChangeARow:
    def test_keep_what_the_other_changed(self, log_in: LogIn) -> None:
        webhook: Webhook = WebhookFactory(name="CRM")
        browser: Client = log_in(account=webhook.account)

        def rename() -> None:
            form = webhook_form(webhook.template, name="Renamed")
            browser.post(reverse("admin:webhooks_webhook_change", args=[webhook.pk]), form)
            connections.close_all()

        with other_connection() as other:
            other.execute(
                "UPDATE webhooks_webhook SET is_active = false WHERE id = %s", [webhook.pk]
            )
            renaming = threading.Thread(target=rename)
            renaming.start()
            # The page has read the row as it was; what it writes waits for the other's to commit.
            wait_until(somebody_waits)
            other.commit()
            renaming.join(_PATIENCE_S)

        webhook.refresh_from_db()
        assert (webhook.name, webhook.is_active) == ("Renamed", False)

    def test_keep_the_name_of_a_template_that_gets_a_version(self, log_in: LogIn) -> None:
        template = make_template(AccountFactory(), "Lead", '{"a": 1}')
        browser: Client = log_in(account=template.account)
        form = {"name": "Lead", "format": "json", "sample": '{"b": 2}'}

        beside(
            lambda: Template.objects.filter(pk=template.pk).update(name="Renamed"),
            lambda: browser.post(
                reverse("admin:webhooks_template_change", args=[template.pk]), form
            ),
        )

        template.refresh_from_db()
        assert (template.name, template.current().number) == ("Renamed", 2)

    def test_keep_what_the_other_says_of_an_attachment(self, world: World, log_in: LogIn) -> None:
        browser: Client = log_in(account=world.account)
        action = made(browser)

        beside(
            lambda: Attachment.objects.update(once_per_caller_h=3),
            lambda: browser.post(address("change", action.pk), {**ACTION, "name": "Renamed"}),
        )

        action.refresh_from_db()
        assert (action.name, action.attachments.get().once_per_caller_h) == ("Renamed", 3)

    def test_are_told_where_the_other_has_deleted_it(self, log_in: LogIn) -> None:
        webhook: Webhook = WebhookFactory()
        browser: Client = log_in(account=webhook.account)
        form = webhook_form(webhook.template, name="Renamed")
        page = reverse("admin:webhooks_webhook_change", args=[webhook.pk])

        answer = beside(webhook.delete, lambda: browser.post(page, form))

        assert answer.status_code == 302
        assert "at this very moment" in browser.get(answer.url, follow=True).content.decode()


@pytest.mark.django_db(transaction=True)
class TestOneWhoDeletesWhatAnotherUses:
    def test_is_told_and_nothing_is_broken(self, log_in: LogIn) -> None:
        webhook: Webhook = WebhookFactory()
        browser: Client = log_in(account=webhook.account)
        page = reverse("admin:webhooks_webhook_delete", args=[webhook.pk])

        answer = beside(
            lambda: attach_and_hold(webhook), lambda: browser.post(page, {"post": "yes"})
        )

        assert answer.status_code == 409
        assert "Somebody else changed this" in answer.content.decode()
        assert webhook.attachments.exists()


@pytest.mark.django_db(transaction=True)
class TestTwoWhoChangeHowAWebhookSigns:
    def test_leave_it_with_a_secret_that_can_sign(self) -> None:
        webhook: Webhook = WebhookFactory(signature="hex", signature_header="X-Signature")
        before = webhook.secret

        def replace() -> str:
            with pytest.raises(ValidationError) as refused:
                rotate_secret(webhook=webhook, secret="a text that is no key")
            return str(refused.value)

        fault = beside(
            lambda: Webhook.objects.filter(pk=webhook.pk).update(signature="standard"), replace
        )

        assert "not base64" in fault
        assert Webhook.objects.get().secret == before


@pytest.mark.django_db(transaction=True)
class TestTwoWhoSaveTheSame:
    def test_are_told_and_nothing_is_broken(self, log_in: LogIn) -> None:
        account: Account = AccountFactory()
        browser: Client = log_in(account=account)
        taken = GroupFactory.build(account=account, name="North")
        answers = []

        def save() -> None:
            form = {"name": "North"}
            answers.append(browser.post(reverse("admin:accounts_group_add"), form))
            connections.close_all()

        with other_connection() as other:
            other.execute(
                "INSERT INTO accounts_group (id, created_at, account_id, name)"
                " VALUES (%s, now(), %s, %s)",
                [taken.pk, account.pk, taken.name],
            )
            saving = threading.Thread(target=save)
            saving.start()
            # The form found the name free; its insert now waits for the other's to commit.
            wait_until(somebody_waits)
            other.commit()
            saving.join(_PATIENCE_S)

        assert answers[0].status_code == 302
        page = browser.get(answers[0].url)
        assert "at this very moment" in page.content.decode()
        assert Group.objects.get(account=account).pk == taken.pk
