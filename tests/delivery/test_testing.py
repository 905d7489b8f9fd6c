"""“Send test” sends what the engine would, says that it is a test, and is told in the audit log."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from pytest_django import Settings

from apps.common.access import Role
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind
from apps.delivery.models import Attempt, Delivery
from apps.delivery.outcome import ErrorKind
from apps.delivery.signing import verify
from apps.delivery.testing import (
    MOST_OF_ACCOUNT,
    MOST_OF_AGENCY,
    PreparedTest,
    TooManyTests,
    agency_of,
    place_for_test,
    prepare_test,
    send_test,
)
from apps.delivery.testing import TestRun as Run
from apps.webhooks.formats import Format
from apps.webhooks.models import Webhook, WebhookDraft
from apps.webhooks.rendering import compile_template
from apps.webhooks.secrets import parse_secret
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from apps.webhooks.wizard.drafts import answers_of
from tests.api_client import api_for
from tests.builders import World, make_template, make_webhook, make_world
from tests.common.processes import wait_until
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.factories import AccountFactory, CallFactory
from tests.transactions import open_transactions
from tests.webhooks.wizard.walking import advanced, at_summary, mapped

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)
TEMPLATE = compile_template(format=Format.JSON, sample='{"phone": "%ani%"}')


def prepared(webhook: Webhook, **changes: Any) -> PreparedTest:
    given: dict[str, Any] = {"headers": [], "template": TEMPLATE, "snapshot": EXAMPLE_SNAPSHOT}
    return prepare_test(**{"webhook": webhook, "now": NOW, **given, **changes})


def sent(webhook: Webhook, **changes: Any) -> Run:
    return send_test(prepared(webhook, **changes))


@contextmanager
def under_way(receiver: Receiver, *tests: PreparedTest) -> Iterator[list[Future[Run]]]:
    """Send tests that wait at the gate of the receiver, until the block ends."""
    before = len(receiver.requests)
    with ThreadPoolExecutor(len(tests)) as people:
        runs = [people.submit(send_test, test) for test in tests]
        try:
            wait_until(lambda: len(receiver.requests) == before + len(tests))
            yield runs
        finally:
            receiver.gate.set()


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


class TestSeveral:
    def test_of_an_account_are_few_at_once(self, world: World, receiver: Receiver) -> None:
        test = prepared(make_webhook(world, receiver.url("/gated")))
        with under_way(receiver, *[test] * MOST_OF_ACCOUNT) as runs:
            with pytest.raises(TooManyTests):
                send_test(test)
            other = make_webhook(make_world("Other"), receiver.url())
            assert send_test(prepared(other)).is_success
        assert all(run.result().is_success for run in runs)
        assert send_test(test).is_success

    def test_leave_threads_for_others(self, receiver: Receiver, settings: Settings) -> None:
        settings.TESTS_MOST_WAITING = 4
        tests = [
            prepared(make_webhook(make_world(f"W{number}"), receiver.url("/gated")))
            for number in range(5)
        ]
        *first, last = tests
        with under_way(receiver, *first), pytest.raises(TooManyTests):
            send_test(last)
        assert send_test(last).is_success

    def test_leave_places_to_those_who_have_none(
        self, receiver: Receiver, settings: Settings
    ) -> None:
        settings.TESTS_MOST_WAITING = 4
        one, two, three = (
            prepared(make_webhook(make_world(f"W{number}"), receiver.url("/gated")))
            for number in range(3)
        )
        with under_way(receiver, one, two), pytest.raises(TooManyTests):
            send_test(one)
        receiver.gate.clear()
        with under_way(receiver, one, two, three) as runs:
            pass
        assert all(run.result().is_success for run in runs)

    def test_of_an_agency_and_its_clients_are_few(self, receiver: Receiver) -> None:
        agency = AccountFactory(kind="agency")
        worlds = [make_world(f"W{number}") for number in range(MOST_OF_AGENCY + 2)]
        *clients, stranger = worlds
        for client in clients:
            client.account.parent = agency
            client.account.save(update_fields=["parent"])
        *first, last = [prepared(make_webhook(each, receiver.url("/gated"))) for each in clients]
        with under_way(receiver, *first):
            with pytest.raises(TooManyTests):
                send_test(last)
            assert send_test(prepared(make_webhook(stranger, receiver.url()))).is_success

    def test_are_told_of_on_the_page(self, world: World, receiver: Receiver, log_in: LogIn) -> None:
        test = prepared(make_webhook(world, receiver.url("/gated")))
        browser = log_in(account=world.account, role=Role.MEMBER)
        draft = at_summary(browser, url=receiver.url("/ok/t"))
        link = reverse("wizard_test", args=[draft.pk])
        with under_way(receiver, *[test] * MOST_OF_ACCOUNT):
            for headers in ({}, {"HX-Request": "true"}):
                page = browser.post(link, {"call": ""}, headers=headers)
                assert page.status_code == 429
                assert page.headers["Retry-After"] == "5"
                assert "still waiting for their receivers" in page.content.decode()


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

    def test_sends_an_edited_template_as_one_of_its_webhooks(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        template = make_template(world.account, "CRM lead", '{"first": "%ani_first_name%"}')
        headers = {"X-Key": "top-secret"}
        make_webhook(world, receiver.url("/ok/other"), template=template)
        webhook = make_webhook(world, receiver.url("/ok/t"), template=template, headers=headers)
        browser.post(reverse("wizard_edit", args=[template.pk]))
        draft = WebhookDraft.objects.get()
        mapped(browser, draft, first="ani_last_name")
        link = reverse("wizard_test", args=[draft.pk])
        page = browser.post(link, {"webhook": str(webhook.pk)}).content.decode()
        assert "Works" in page
        assert "top-secret" not in page
        (received,) = receiver.requests
        assert received.path == "/ok/t"
        assert json.loads(received.body) == {"first": "Krueger"}
        assert (received.headers["X-Key"], received.headers["webhook-test"]) == (
            "top-secret",
            "true",
        )
        assert template.versions.count() == 1
        assert not Delivery.objects.exists()


class TestTheTabOfAWebhook:
    def test_sends_what_the_webhook_makes_of_a_call(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        headers = {"X-Key": "top-secret"}
        webhook = make_webhook(world, receiver.url("/ok/t"), headers=headers)
        call = CallFactory(account=world.account, snapshot={"caller": {"first_name": "Ann"}})
        browser = log_in(account=world.account, role=Role.MEMBER)
        tab = reverse("admin:webhooks_webhook_test", args=[webhook.pk])
        assert f'value="{call.pk}"' in browser.get(tab).content.decode()

        page = browser.post(reverse("webhook_test", args=[webhook.pk]), {"call": str(call.pk)})

        assert "Works" in page.content.decode()
        assert "top-secret" not in page.content.decode()
        (received,) = receiver.requests
        assert received.body == webhook.template.compiled().render(call.snapshot)
        assert (received.headers["X-Key"], received.headers["webhook-test"]) == (
            "top-secret",
            "true",
        )
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize(
        ("role", "is_own", "status"),
        [(Role.VIEWER, True, 403), (Role.OWNER, False, 404)],
    )
    def test_is_for_those_who_work_there(
        self,
        world: World,
        receiver: Receiver,
        log_in: LogIn,
        role: Role,
        is_own: bool,
        status: int,
    ) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"))
        browser = log_in(account=world.account if is_own else AccountFactory(), role=role)
        link = reverse("webhook_test", args=[webhook.pk])
        assert browser.post(link, {"call": "example"}).status_code == status
        assert browser.get(link).status_code == 405
        assert receiver.requests == []

    def test_takes_no_call_of_another_account(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"))
        theirs = CallFactory(snapshot={"caller": {"first_name": "Theirs"}})
        browser = log_in(account=world.account, role=Role.MEMBER)
        browser.post(reverse("webhook_test", args=[webhook.pk]), {"call": str(theirs.pk)})
        (received,) = receiver.requests
        assert b"Theirs" not in received.body


class TestTheAuditLog:
    @staticmethod
    def told() -> AuditEntry:
        return AuditEntry.objects.get(action=AuditAction.TESTED)

    @pytest.mark.parametrize(
        ("path", "note"),
        [("/ok/t", "Answered 200."), ("/unavailable", "Answered 503.")],
    )
    def test_says_who_sent_it_and_what_became_of_it(
        self, world: World, receiver: Receiver, log_in: LogIn, path: str, note: str
    ) -> None:
        webhook = make_webhook(world, receiver.url(path), headers={"X-Key": "top-secret"})
        browser = log_in(account=world.account, role=Role.MEMBER)
        browser.post(reverse("webhook_test", args=[webhook.pk]), {"call": ""})
        entry = self.told()
        assert (entry.account, entry.object_id, entry.note) == (world.account, webhook.pk, note)
        assert (entry.actor_kind, entry.via) == (ActorKind.USER, "admin")

    def test_says_so_of_a_key(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"))
        assert api_for(world.account).post(f"/webhooks/{webhook.public_id}/test").status_code == 200
        assert (self.told().object_id, self.told().actor_kind) == (webhook.pk, ActorKind.KEY)

    def test_names_a_webhook_that_is_not_saved(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        draft = at_summary(browser, url=receiver.url("/ok/t"))
        browser.post(reverse("wizard_test", args=[draft.pk]), {"call": ""})
        entry = self.told()
        assert (entry.object_id, entry.account) == (None, world.account)
        assert entry.note == f"“{answers_of(draft).name}” as typed: Answered 200."

    def test_says_nothing_of_one_that_was_not_sent(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        webhook = make_webhook(world, receiver.url("/ok/t"))
        browser = log_in(account=world.account, role=Role.MEMBER)
        with ExitStack() as others:
            for _ in range(MOST_OF_ACCOUNT):
                others.enter_context(place_for_test(world.account.pk, agency_of(world.account.pk)))
            browser.post(reverse("webhook_test", args=[webhook.pk]), {"call": ""})
        assert not AuditEntry.objects.filter(action=AuditAction.TESTED).exists()


@pytest.mark.django_db(transaction=True)
class TestWhileAReceiverIsWaitedFor:
    """No transaction is open, wherever the test was asked for."""

    def check(self, receiver: Receiver, ask: Callable[[], Any]) -> None:
        def ask_and_close() -> int:
            try:
                return int(ask().status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as person:
            waiting = person.submit(ask_and_close)
            try:
                wait_until(lambda: receiver.requests)
                # One that ended a moment ago may still be seen; the receiver is waited for longer.
                wait_until(lambda: open_transactions() == 0, timeout_s=4)
            finally:
                receiver.gate.set()
            assert waiting.result(30) == 200

    def test_in_the_wizard(self, world: World, receiver: Receiver, log_in: LogIn) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        draft = at_summary(browser, url=receiver.url("/gated"))
        link = reverse("wizard_test", args=[draft.pk])
        self.check(receiver, lambda: browser.post(link, {"call": ""}))

    def test_on_the_page_of_a_webhook(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        webhook = make_webhook(world, receiver.url("/gated"))
        browser = log_in(account=world.account, role=Role.MEMBER)
        link = reverse("webhook_test", args=[webhook.pk])
        self.check(receiver, lambda: browser.post(link, {"call": ""}))

    def test_over_the_api(self, world: World, receiver: Receiver) -> None:
        webhook = make_webhook(world, receiver.url("/gated"))
        api = api_for(world.account)
        self.check(receiver, lambda: api.post(f"/webhooks/{webhook.public_id}/test"))

    def test_on_the_page_of_a_post_call_action(
        self, world: World, receiver: Receiver, log_in: LogIn
    ) -> None:
        browser = log_in(account=world.account, role=Role.MEMBER)
        link = reverse("admin:faces_postcallaction_test", args=["add"])
        answers = {"name": "A", "submit_type": "GET", "static_parameters": "a=1"}
        where = {"domain": receiver.url(""), "page": "gated"}
        self.check(receiver, lambda: browser.post(link, {**answers, **where}))
