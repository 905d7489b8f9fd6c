"""Webhooks, as people with each role meet them."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.models import Webhook
from apps.webhooks.secrets import new_signing_secret
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    DeliveryFactory,
    LocationFactory,
    TemplateFactory,
    WebhookFactory,
    WebhookHeaderFactory,
)
from tests.webhooks.admin_forms import errors_of, header_forms, webhook_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


class TestWebhooks:
    add = "admin:webhooks_webhook_add"

    def test_gets_a_signing_secret_that_admins_see(self, log_in: LogIn, account: Account) -> None:
        log_in(account=account, role=Role.MEMBER).post(
            reverse(self.add), webhook_form(TemplateFactory(account=account))
        )
        webhook = Webhook.objects.get()
        assert webhook.secret.startswith("whsec_")
        assert webhook.success_codes == [200, 204]
        link = reverse("admin:webhooks_webhook_secret", args=[webhook.pk])
        page = log_in(account=account, role=Role.ADMIN).get(link)
        assert webhook.secret in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        member = log_in(account=account, role=Role.MEMBER)
        assert member.get(link).status_code == 403
        edited = member.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
        assert webhook.secret not in edited.content.decode()

    def test_gets_another_secret_from_admins_only(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        link = reverse("admin:webhooks_webhook_rotate", args=[webhook.pk])
        member = log_in(account=account, role=Role.MEMBER)
        assert member.post(link, {"keep": "24"}).status_code == 403

        browser = log_in(account=account, role=Role.ADMIN)
        assert "7 days" in browser.get(link).content.decode()
        page = browser.post(link, {"keep": "24"}, follow=True).content.decode()

        old, new = webhook.secret, Webhook.objects.get().secret
        assert old != new
        assert new in page
        assert old not in page
        assert "signs along until" in page

    def test_may_get_a_secret_that_somebody_brings(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        link = reverse("admin:webhooks_webhook_rotate", args=[webhook.pk])
        browser = log_in(account=account, role=Role.ADMIN)

        refused = browser.post(link, {"keep": "24", "secret": "too short"})
        assert "not base64" in refused.content.decode()
        assert Webhook.objects.get().secret == webhook.secret

        own = new_signing_secret()
        browser.post(link, {"keep": "24", "secret": own})
        assert Webhook.objects.get().secret == own

    def test_may_get_any_text_and_a_key_id_for_sha256(
        self, log_in: LogIn, account: Account
    ) -> None:
        webhook = WebhookFactory(
            account=account,
            signature="hex",
            signature_header="X-Sig",
            key_id_header="X-Key",
            key_id="one",
        )
        link = reverse("admin:webhooks_webhook_rotate", args=[webhook.pk])
        browser = log_in(account=account, role=Role.ADMIN)
        assert 'value="one"' in browser.get(link).content.decode()

        for wrong in ({"secret": "short"}, {"key_id": "a\nb"}):
            page = browser.post(link, {"keep": "24", "key_id": "two", **wrong})
            assert page.status_code == 200
        browser.post(link, {"keep": "24", "secret": "any text will do", "key_id": "two"})

        webhook.refresh_from_db()
        assert (webhook.secret, webhook.key_id) == ("any text will do", "two")
        webhook.signature = "standard"
        with pytest.raises(ValidationError, match="replace the secret first"):
            webhook.full_clean()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("http://10.0.0.1/x", "10.0.0.1 is a private address"),
            ("ftp://example.com/x", "https or http"),
            ("https://user:pass@example.com/", "user name or password"),
            ("nonsense", "must begin with"),
        ],
    )
    def test_a_bad_address_is_explained(
        self, log_in: LogIn, account: Account, url: str, message: str
    ) -> None:
        page = log_in(account=account).post(
            reverse(self.add), webhook_form(TemplateFactory(account=account), url=url)
        )
        assert message in str(page.context["adminform"].form.errors["url"])
        assert not Webhook.objects.exists()

    def test_a_name_that_can_not_be_found_is_fine(self, log_in: LogIn, account: Account) -> None:
        url = "https://not-there.invalid/x"
        log_in(account=account).post(
            reverse(self.add), webhook_form(TemplateFactory(account=account), url=url)
        )
        assert Webhook.objects.get().url == url

    def test_takes_a_hundred_headers(self, log_in: LogIn, account: Account) -> None:
        form = webhook_form(TemplateFactory(account=account))
        for index in range(101):
            form |= {f"headers-{index}-name": f"X-{index}", f"headers-{index}-value": "1"}
        browser = log_in(account=account)

        page = browser.post(reverse(self.add), form | {"headers-TOTAL_FORMS": "101"})
        assert "At most 100 rows can be added at once." in errors_of(page)
        assert not Webhook.objects.exists()

        browser.post(reverse(self.add), form | {"headers-TOTAL_FORMS": "100"})
        webhook = Webhook.objects.get()
        assert webhook.headers.count() == 100
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        for index, header in enumerate(webhook.headers.all()):
            form |= {f"headers-{index}-id": str(header.pk), f"headers-{index}-name": header.name}
        counts = {"headers-TOTAL_FORMS": "101", "headers-INITIAL_FORMS": "100"}
        assert "A webhook has 100 headers at most." in errors_of(browser.post(link, form | counts))

    @pytest.mark.parametrize("total", ["102", "2000", "1000000000"])
    def test_makes_no_more_forms_than_that_for_a_forged_number(
        self, log_in: LogIn, account: Account, total: str
    ) -> None:
        webhook = WebhookHeaderFactory(webhook__account=account, name="X-First").webhook
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        form = webhook_form(webhook.template) | header_forms(webhook, "X-First", "1")

        page = log_in(account=account).post(link, form | {"headers-TOTAL_FORMS": total})

        assert "At most 100 rows can be added at once." in errors_of(page)
        (headers,) = page.context["inline_admin_formsets"]
        assert len(headers.formset.forms) == 101

    @pytest.mark.parametrize("name", ["TOTAL_FORMS", "INITIAL_FORMS"])
    @pytest.mark.parametrize("number", ["", "x", "-1", "9" * 5000, "\0", None])
    def test_refuses_a_number_of_forms_that_is_none(
        self, log_in: LogIn, account: Account, name: str, number: str | None
    ) -> None:
        form = webhook_form(TemplateFactory(account=account), **{f"headers-{name}": number})
        posted = {key: value for key, value in form.items() if value is not None}
        answer = log_in(account=account).post(reverse(self.add), posted)
        assert answer.status_code in (200, 302)

    @pytest.mark.parametrize(
        ("usual", "others", "stored"),
        [(["200"], "206, 302", [200, 206, 302]), ([], "418", [418])],
    )
    def test_takes_other_success_codes(
        self, log_in: LogIn, account: Account, usual: list[str], others: str, stored: list[int]
    ) -> None:
        form = webhook_form(
            TemplateFactory(account=account), success_codes_usual=usual, success_codes_others=others
        )
        log_in(account=account).post(reverse(self.add), form)
        assert Webhook.objects.get().success_codes == stored

    @pytest.mark.parametrize(("usual", "others"), [([], ""), (["200"], "99"), (["200"], "abc")])
    def test_refuses_codes_that_are_none(
        self, log_in: LogIn, account: Account, usual: list[str], others: str
    ) -> None:
        form = webhook_form(
            TemplateFactory(account=account), success_codes_usual=usual, success_codes_others=others
        )
        page = log_in(account=account).post(reverse(self.add), form)
        assert "success_codes" in page.context["adminform"].form.errors

    @pytest.mark.parametrize(
        ("preset", "waits", "stored"),
        [
            ("standard", "", None),
            ("once", "", []),
            ("own", "5s, 2m, 1h", [5, 120, 3600]),
            ("own", ", ".join(["23001s"] * 30), [23_001] * 30),
        ],
    )
    def test_chooses_its_schedule(
        self, log_in: LogIn, account: Account, preset: str, waits: str, stored: list[int] | None
    ) -> None:
        form = webhook_form(
            TemplateFactory(account=account), retry_preset=preset, retry_waits=waits
        )
        browser = log_in(account=account)
        browser.post(reverse(self.add), form)
        webhook = Webhook.objects.get()
        assert webhook.retry_waits_s == stored
        page = browser.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk]))
        assert waits in page.content.decode()

    def test_explains_a_wait_that_is_none(self, log_in: LogIn, account: Account) -> None:
        template = TemplateFactory(account=account)
        form = webhook_form(template, retry_preset="own", retry_waits="soon")
        page = log_in(account=account).post(reverse(self.add), form)
        assert "“soon” is no wait." in errors_of(page)

    def test_keeps_its_limits(self, log_in: LogIn, account: Account) -> None:
        limits = {"rate_limit": "30", "rate_unit": "minute", "concurrency": "2"}
        form = webhook_form(TemplateFactory(account=account), body_contains="ok", **limits)
        log_in(account=account).post(reverse(self.add), form)
        webhook = Webhook.objects.get()
        assert (webhook.rate_limit, webhook.rate_unit, webhook.concurrency) == (30, "minute", 2)
        assert webhook.body_contains == "ok"

    def test_leads_back_to_the_location(self, log_in: LogIn, account: Account) -> None:
        location = LocationFactory(account=account)
        tab = reverse("admin:accounts_location_webhooks", args=[location.pk])
        browser = log_in(account=account)
        add = reverse(self.add) + f"?location={location.pk}&account={account.pk}&next={tab}"
        assert f'value="{location.pk}" selected' in browser.get(add).content.decode()
        form = webhook_form(TemplateFactory(account=account), location=str(location.pk))
        assert browser.post(add, form).headers["Location"] == tab
        assert "Leads" in browser.get(tab).content.decode()

    def test_leads_back_to_our_own_pages_only(self, log_in: LogIn, account: Account) -> None:
        page = log_in(account=account).post(
            reverse(self.add) + "?next=https://evil.example/",
            webhook_form(TemplateFactory(account=account)),
        )
        assert page.headers["Location"] == reverse("admin:webhooks_webhook_changelist")

    def test_one_that_has_sent_is_kept(self, log_in: LogIn, account: Account) -> None:
        sent = DeliveryFactory(account=account).webhook
        fresh = WebhookFactory(account=account)
        browser = log_in(account=account)
        answers = [
            browser.post(
                reverse("admin:webhooks_webhook_delete", args=[webhook.pk]), {"post": "yes"}
            ).status_code
            for webhook in (sent, fresh)
        ]
        assert answers == [403, 302]

    @pytest.mark.parametrize(
        ("signature", "told"),
        [
            ("standard", "webhook-signature"),
            ("hex", "X-Hub-Signature-256"),
            ("none", "are not signed"),
        ],
    )
    def test_the_page_of_the_secret_tells_what_is_signed(
        self, log_in: LogIn, account: Account, signature: str, told: str
    ) -> None:
        header = "X-Hub-Signature-256" if signature == "hex" else ""
        webhook = WebhookFactory(account=account, signature=signature, signature_header=header)
        link = reverse("admin:webhooks_webhook_secret", args=[webhook.pk])
        page = log_in(account=account, role=Role.ADMIN).get(link).content.decode()
        names = ("webhook-signature", "X-Hub-Signature-256", "are not signed")
        assert [name for name in names if name in page] == [told]

    def test_viewers_change_nothing(self, log_in: LogIn, account: Account) -> None:
        webhook = WebhookFactory(account=account)
        browser = log_in(account=account, role=Role.VIEWER)
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        assert browser.get(link).status_code == 200
        assert browser.post(link, webhook_form(webhook.template)).status_code == 403
        assert browser.get(reverse(self.add)).status_code == 403


class TestHeaders:
    @pytest.fixture
    def webhook(self, account: Account) -> Webhook:
        webhook = WebhookFactory(account=account)
        WebhookHeaderFactory(webhook=webhook, name="X-Api-Key", value="top-secret")
        return webhook

    def save(self, browser: Client, webhook: Webhook, **changes: object) -> Any:
        form = webhook_form(webhook.template, url=webhook.url, location=str(webhook.location_id))
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        return browser.post(link, {**form, **changes})

    @pytest.mark.parametrize("role", list(Role))
    def test_a_saved_value_is_never_shown(
        self, log_in: LogIn, webhook: Webhook, role: Role
    ) -> None:
        browser = log_in(account=webhook.account, role=role)
        for page in ("change", "history"):
            link = reverse(f"admin:webhooks_webhook_{page}", args=[webhook.pk])
            assert "top-secret" not in browser.get(link).content.decode()

    def test_an_empty_value_keeps_the_old_one(self, log_in: LogIn, webhook: Webhook) -> None:
        browser = log_in(account=webhook.account)
        self.save(browser, webhook, **header_forms(webhook, "X-Api-Key", ""))
        assert webhook.headers.get().value == "top-secret"
        self.save(browser, webhook, **header_forms(webhook, "X-Api-Key", "newer"))
        assert webhook.headers.get().value == "newer"

    def test_a_value_is_not_moved_under_a_name_that_shows_it(
        self, log_in: LogIn, webhook: Webhook
    ) -> None:
        browser = log_in(account=webhook.account, role=Role.MEMBER)
        page = self.save(browser, webhook, **header_forms(webhook, "Accept", ""))
        assert page.status_code == 200
        assert webhook.headers.get().name == "X-Api-Key"

    def test_members_do_not_send_a_value_to_another_host(
        self, log_in: LogIn, webhook: Webhook
    ) -> None:
        forms = header_forms(webhook, "X-Api-Key", "")
        elsewhere = "https://93.184.216.35/mine"
        member = log_in(account=webhook.account, role=Role.MEMBER)
        assert self.save(member, webhook, url=elsewhere, **forms).status_code == 200
        admin = log_in(account=webhook.account, role=Role.ADMIN)
        assert self.save(admin, webhook, url=elsewhere, **forms).status_code == 302

    @pytest.mark.parametrize("name", ["X-Api-Key", "x-api-key"])
    def test_a_name_is_taken_once_in_whatever_case(
        self, log_in: LogIn, webhook: Webhook, name: str
    ) -> None:
        form = {
            **header_forms(webhook, "X-Api-Key", ""),
            "headers-TOTAL_FORMS": "2",
            "headers-1-name": name,
            "headers-1-value": "other",
        }
        browser = log_in(account=webhook.account)
        page = self.save(browser, webhook, **form)
        assert f"There is a header {name} already; keep one." in errors_of(page)
        assert webhook.headers.get().value == "top-secret"

        self.save(browser, webhook, **form, **{"headers-0-DELETE": "on"})
        assert (webhook.headers.get().name, webhook.headers.get().value) == (name, "other")

    @pytest.mark.parametrize(
        ("name", "value"), [("Bad Name", "x"), ("Host", "x"), ("X-Key", "a\nb"), ("X-Key", "a\rb")]
    )
    def test_what_is_no_header_is_refused(
        self, log_in: LogIn, webhook: Webhook, name: str, value: str
    ) -> None:
        page = self.save(
            log_in(account=webhook.account), webhook, **header_forms(webhook, name, value)
        )
        assert page.status_code == 200
        assert errors_of(page)
        assert webhook.headers.get().name == "X-Api-Key"
