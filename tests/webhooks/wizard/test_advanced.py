"""The Advanced step."""

from typing import Any

import pytest
from django.test import Client

from apps.webhooks.models import Webhook, WebhookDraft
from apps.webhooks.wizard.drafts import answers_of, headers_of
from tests.webhooks.wizard.walking import (
    URL,
    advanced,
    at,
    at_summary,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestTheAdvancedStep:
    @pytest.fixture
    def draft(self, browser: Client) -> WebhookDraft:
        return at_summary(browser)

    def test_takes_headers_and_never_shows_their_values_again(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        headers = {
            "header-name": ["X-Key", "Accept"],
            "header-value": ["top-secret", "application/json"],
        }
        assert advanced(browser, draft, **headers).status_code == 302
        for step in ("advanced", "summary"):
            page = text_of(browser.get(at(draft, step)))
            assert "top-secret" not in page
            assert "application/json" in page
        again = {"header-name": ["X-Key"], "header-value": [""]}
        advanced(browser, draft, **again)
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Key", "top-secret")]
        browser.post(at(draft, "summary"))
        header = Webhook.objects.get().headers.get()
        assert (header.name, header.value) == ("X-Key", "top-secret")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Bad Name", "x"),
            *(
                (name, "x")
                for name in (
                    "Host",
                    "Connection",
                    "Content-Encoding",
                    "Content-Length",
                    "Transfer-Encoding",
                )
            ),
            ("webhook-test", "x"),
            ("X-Key", "a\nb"),
            ("X-Key", "%anni%"),
            ("", "x"),
        ],
    )
    def test_refuses_what_is_no_header(
        self, browser: Client, draft: WebhookDraft, name: str, value: str
    ) -> None:
        page = advanced(browser, draft, **{"header-name": name, "header-value": value})
        assert page.status_code == 200
        assert page.context["form"].rows[0]["error"]

    def test_a_value_is_not_kept_under_another_name(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        advanced(browser, draft, **{"header-name": "X-Key", "header-value": "top-secret"})
        advanced(browser, draft, **{"header-name": "Accept", "header-value": ""})
        draft.refresh_from_db()
        assert headers_of(draft) == [("Accept", "")]

    @pytest.mark.parametrize(
        ("form", "value"),
        [
            ({"auth": "basic", "auth_user": "me", "auth_password": "pä:ss"}, "Basic bWU6cMOkOnNz"),
            ({"auth": "bearer", "auth_token": "abc"}, "Bearer abc"),
        ],
    )
    def test_writes_credentials_as_a_header(
        self, browser: Client, draft: WebhookDraft, form: dict[str, str], value: str
    ) -> None:
        advanced(browser, draft, **form)
        advanced(browser, draft, auth="keep")
        draft.refresh_from_db()
        assert headers_of(draft) == [("Authorization", value)]
        assert value not in text_of(browser.get(at(draft, "advanced")))

    def test_authenticates_by_a_header_of_ones_own(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        form = {"auth": "header", "auth_header": "X-Api-Key", "auth_value": "top-secret"}
        advanced(browser, draft, **form)
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Api-Key", "top-secret")]
        page = browser.get(at(draft, "advanced"))
        assert page.context["form"].rows[0]["name"] == "X-Api-Key"
        assert "top-secret" not in text_of(page)

    @pytest.mark.parametrize(
        "form",
        [
            {"method": "GET"},
            {"method": "BREW"},
            {"timeout_s": "61"},
            {"success_codes_usual": [], "success_codes_others": "abc"},
            {"auth": "basic", "auth_user": "a:b"},
            {"auth": "bearer", "auth_token": ""},
            {"auth": "header", "auth_header": "X-Key", "auth_value": ""},
            {"auth": "header", "auth_header": "Host", "auth_value": "x"},
            {"auth": "header", "auth_header": "", "auth_value": "x"},
            {
                "auth": "header",
                "auth_header": "x-key",
                "auth_value": "x",
                "header-name": "X-Key",
                "header-value": "y",
            },
        ],
    )
    def test_refuses_what_can_not_be(
        self, browser: Client, draft: WebhookDraft, form: dict[str, Any]
    ) -> None:
        assert advanced(browser, draft, **form).status_code == 200
        assert browser.get(at(draft, "summary")).headers["Location"] == at(draft, "advanced")

    @pytest.mark.parametrize(
        ("form", "message"),
        [
            ({"header-name": "X-Key", "header-value": "x" * 4097}, "4,096 characters at most"),
            (
                {"header-name": [f"X-{n}" for n in range(101)], "header-value": ["v"] * 101},
                "100 headers at most",
            ),
            (
                {
                    "header-name": [f"X-{n}" for n in range(100)],
                    "header-value": ["v"] * 100,
                    "auth": "bearer",
                    "auth_token": "abc",
                },
                "100 headers at most",
            ),
            ({"success_codes_others": " ".join(map(str, range(300, 330)))}, "no more than 20"),
            ({"auth": "bearer", "auth_token": "a\nb"}, "one line"),
            ({"auth": "bearer", "auth_token": "%anni%"}, "%ani%"),
        ],
    )
    def test_refuses_at_once_what_the_webhook_could_not_take(
        self, browser: Client, draft: WebhookDraft, form: dict[str, Any], message: str
    ) -> None:
        page = advanced(browser, draft, **form)
        assert page.status_code == 200
        assert message in str(page.context["form"].errors)
        draft.refresh_from_db()
        assert answers_of(draft).next_open == "advanced"

    def test_has_room_for_credentials_within_the_limit(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        names = [f"X-{n}" for n in range(99)]
        form = {"header-name": names, "header-value": ["v"] * 99}
        advanced(browser, draft, auth="bearer", auth_token="abc", **form)
        browser.post(at(draft, "summary"))
        assert Webhook.objects.get().headers.count() == 100

    def test_has_no_room_for_what_a_template_of_the_gallery_brings_beyond_the_limit(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        names = [f"X-{n}" for n in range(100)]
        advanced(browser, draft, **{"header-name": names, "header-value": ["v"] * 100})
        chosen = {"name": "Leads", "choice": "gallery", "gallery": "hubspot_call"}
        form = {**chosen, "url": URL, "location": "", "replaces": "on"}
        assert browser.post(at(draft, "webhook"), form).status_code == 302
        draft.refresh_from_db()
        assert len(headers_of(draft)) == 101
        page = browser.post(at(draft, "summary"), follow=True)
        assert "A webhook has 100 headers at most." in text_of(page)
        assert not Webhook.objects.exists()

    def test_credentials_typed_as_a_header_are_shown_once(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        advanced(browser, draft, **{"header-name": "authorization", "header-value": "Bearer x"})
        form = browser.get(at(draft, "advanced")).context["form"]
        assert (form.rows, form["auth"].value()) == ([], "keep")
        assert advanced(browser, draft, auth="keep").status_code == 302

    def test_keeps_what_was_typed_beside_what_is_wrong(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        wrong = {
            "header-name": ["X-Key", "Bad Name"],
            "header-value": ["top-secret", "x"],
            "body_contains": "accepted",
            "retry_preset": "own",
            "retry_waits": "soon",
            "to": "fields",
        }
        assert advanced(browser, draft, **wrong).headers["Location"] == at(draft, "fields")
        page = browser.get(at(draft, "advanced"))
        assert [row["name"] for row in page.context["form"].rows] == ["X-Key", "Bad Name"]
        assert "accepted" in text_of(page)
        assert "top-secret" not in text_of(page)
        right = {"header-name": ["X-Key", ""], "header-value": ["", ""]}
        assert advanced(browser, draft, **right).status_code == 302
        draft.refresh_from_db()
        assert headers_of(draft) == [("X-Key", "top-secret")]

    @pytest.mark.parametrize(
        ("form", "header"),
        [
            ({"auth": "basic", "auth_user": "me", "auth_password": "pw"}, "Basic bWU6cHc="),
            ({"auth": "header", "auth_header": "X-Api-Key", "auth_value": "pw"}, "pw"),
            ({"auth": "header", "auth_header": "authorization", "auth_value": "pw"}, "pw"),
        ],
    )
    def test_asks_for_no_credentials_again_that_are_right(
        self, browser: Client, draft: WebhookDraft, form: dict[str, str], header: str
    ) -> None:
        page = advanced(browser, draft, timeout_s="61", **form)
        shown = page.context["form"]
        again = {
            "auth": shown["auth"].value(),
            "header-name": [row["name"] for row in shown.rows],
            "header-value": [row["value"] for row in shown.rows],
        }
        assert advanced(browser, draft, **again).status_code == 302
        draft.refresh_from_db()
        assert [value for _, value in headers_of(draft)] == [header]


class TestTheRarerSettings:
    def test_reach_the_webhook(self, browser: Client) -> None:
        draft = at_summary(browser)
        form = {
            "signature": "hex",
            "signature_header": "X-Hub-Signature-256",
            "body_contains": "accepted",
            "retry_preset": "own",
            "retry_waits": "5s, 2m",
            "rate_limit": "10",
            "rate_unit": "minute",
            "concurrency": "2",
        }
        assert advanced(browser, draft, **form).status_code == 302
        assert "5s" in text_of(browser.get(at(draft, "advanced")))
        browser.post(at(draft, "summary"))
        webhook = Webhook.objects.get()
        assert (webhook.signature, webhook.signature_header) == ("hex", "X-Hub-Signature-256")
        assert (webhook.retry_waits_s, webhook.rate_limit) == ([5, 120], 10)
        assert (webhook.body_contains, webhook.concurrency) == ("accepted", 2)

    @pytest.mark.parametrize(
        "form",
        [
            {"signature": "hex"},
            {"signature": "nope"},
            {"retry_preset": "own", "retry_waits": "soon"},
            {"rate_limit": "0"},
            {"concurrency": "65"},
        ],
    )
    def test_are_refused_where_they_can_not_be(self, browser: Client, form: dict[str, str]) -> None:
        draft = at_summary(browser)
        page = advanced(browser, draft, **form)
        assert page.status_code == 200
        assert page.context["more"].errors
