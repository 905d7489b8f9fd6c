"""The preview beside the fields, and the check by the rules of a system."""

from unittest.mock import ANY

import pytest
from django.test import Client
from django.urls import reverse

from apps.calls.models import Call
from apps.webhooks.gallery import GALLERY
from apps.webhooks.models import WebhookDraft
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from apps.webhooks.wizard.drafts import answers_of
from tests.factories import (
    CallFactory,
)
from tests.webhooks.wizard.walking import at, at_summary, begun, templated, text_of

pytestmark = pytest.mark.django_db


class TestThePreview:
    @pytest.fixture
    def draft(self, browser: Client) -> WebhookDraft:
        return at_summary(browser)

    def shown(self, browser: Client, draft: WebhookDraft, **posted: str) -> str:
        return text_of(browser.post(reverse("wizard_preview", args=[draft.pk]), posted))

    def test_follows_the_rows(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        page = self.shown(browser, draft, **{"sample": mark, "kind-0": "constant", "value-0": "Z1"})
        assert "Z1" in page
        assert "Freddy" not in page

    def test_shows_a_real_call(self, browser: Client, draft: WebhookDraft) -> None:
        call = CallFactory(account=draft.account, snapshot={"caller": {"first_name": "<b>Ann</b>"}})
        page = self.shown(browser, draft, call=str(call.pk))
        assert "&lt;b&gt;Ann&lt;/b&gt;" in page

    def test_shows_the_worst_case(self, browser: Client, draft: WebhookDraft) -> None:
        page = self.shown(browser, draft, call="worst")
        assert "anonymous" in page
        assert "&lt;Sons&gt;" in page
        assert "%ani%" in page

    @pytest.mark.parametrize(
        "typed", ["555) 000-11", "50001111", "ann l", "platform-77", "2026-03-28", "{public_id}"]
    )
    def test_finds_a_call_of_long_ago(
        self, browser: Client, draft: WebhookDraft, typed: str
    ) -> None:
        call = CallFactory(
            account=draft.account,
            caller="+15550001111",
            caller_name="Ann Lee",
            external_id="platform-77",
        )
        Call.objects.filter(pk=call.pk).update(created_at="2026-03-28T12:00:00Z")
        CallFactory.create_batch(12, account=draft.account, caller="+15559998888")
        CallFactory(caller="+15550001111", caller_name="Ann Lee", external_id="platform-77")
        find = typed.format(public_id=call.public_id)
        page = browser.get(reverse("wizard_calls", args=[draft.pk]), {"find": find})
        assert page.context["found"] == [(str(call.pk), ANY)]
        assert page.context["source"] == str(call.pk)
        assert page.headers["HX-Trigger-After-Swap"] == "call-chosen"
        page = browser.get(at(draft, "summary"), {"call": str(call.pk)})
        assert f'<option value="{call.pk}" selected>Ann Lee' in text_of(page)

    @pytest.mark.parametrize("typed", ["", "9", "zzz", "<script>", "2026-13-40", "\x00\x00"])
    def test_offers_the_usual_where_nothing_is_found(
        self, browser: Client, draft: WebhookDraft, typed: str
    ) -> None:
        CallFactory.create_batch(12, account=draft.account)
        page = browser.get(reverse("wizard_calls", args=[draft.pk]), {"find": typed})
        assert page.context["found"] == []
        assert len(page.context["sources"]) == 12
        assert "<script>" not in text_of(page)

    def test_warns_of_what_may_be_missing(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        rows = {"kind-0": "token", "value-0": "rec_audiourl", "kind-1": "token", "value-1": "gclid"}
        page = self.shown(browser, draft, sample=mark, call="worst", **rows)
        assert "Known only at the end of a call: %rec_audiourl%" in page
        assert "This call has no web session" in page

    def test_checks_the_rules_of_adf_for_every_kind_of_call(self, browser: Client) -> None:
        draft = begun(browser, choice="gallery", gallery="adf")
        entry = GALLERY["adf"]
        templated(browser, draft, title="Lead", format="xml", sample=entry.sample)
        page = browser.get(at(draft, "fields"))
        address = reverse("wizard_check", args=[draft.pk])
        assert address in text_of(page)
        call = CallFactory(account=draft.account, snapshot=EXAMPLE_SNAPSHOT)
        picked = browser.post(address, {"call": str(call.pk)})
        assert [faults for _, faults in picked.context["judged"]] == [[], [], []]
        index = next(
            row.index for row in page.context["rows"] if row.place.path.endswith("/vendorname")
        )
        rows = {"sample": page.context["mapped"], f"kind-{index}": "omit"}
        checked = text_of(browser.post(address, rows))
        assert "The example call breaks the rules of ADF" in checked
        assert "The worst case breaks the rules of ADF" in checked
        assert "vendorname" in checked

    def test_has_no_check_where_there_are_no_rules(
        self, browser: Client, draft: WebhookDraft
    ) -> None:
        address = reverse("wizard_check", args=[draft.pk])
        assert address not in text_of(browser.get(at(draft, "summary")))
        assert browser.post(address).context["judged"] == []

    @pytest.mark.parametrize("name", ["wizard_preview", "wizard_check"])
    def test_says_that_another_tab_left_a_sample_that_can_not_be_read(
        self, browser: Client, draft: WebhookDraft, name: str
    ) -> None:
        rows = {"sample": answers_of(draft).mapped, "kind-0": "token", "value-0": "ani"}
        templated(browser, draft, sample='{"a": ')
        page = browser.post(reverse(name, args=[draft.pk]), rows)
        assert "Line 1, column 7" in text_of(page)

    def test_says_what_is_wrong(self, browser: Client, draft: WebhookDraft) -> None:
        mark = answers_of(draft).mapped
        page = self.shown(browser, draft, **{"sample": mark, "kind-0": "token", "value-0": "nope"})
        assert "There is no token %nope%" in page
