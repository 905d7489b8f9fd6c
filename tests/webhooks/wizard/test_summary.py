"""The Summary step."""

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.webhooks.models import TemplateVersion
from tests.builders import make_template
from tests.factories import (
    LocationFactory,
)
from tests.webhooks.wizard.walking import (
    advanced,
    at,
    at_summary,
    begun,
    mapped,
    templated,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestTheSummary:
    def test_shows_every_selection(self, browser: Client, account: Account) -> None:
        location = LocationFactory(account=account, name="Elm Street")
        draft = at_summary(browser, location=str(location.pk))
        form = {
            "header-name": "Accept",
            "header-value": "application/json",
            "success_codes_others": "302",
            "method": "PUT",
            "timeout_s": "7",
            "retry_preset": "quick",
            "rate_limit": "10",
            "body_contains": "accepted",
        }
        advanced(browser, draft, **form)
        page = text_of(browser.get(at(draft, "summary")))
        for shown in (
            "<dd>Leads</dd>",
            "<dd>https://93.184.216.34/leads</dd>",
            "<dd>Elm Street</dd>",
            "<dt>Template Name</dt><dd>CRM lead</dd>",
            "<dt>Template Group</dt><dd>Whole account</dd>",
            "<dt>Template Type</dt><dd>JSON</dd>",
            '<code class="hl-code">$.first</code>',
            "%ani_first_name%",
            "<dt>Accept</dt><dd>application/json</dd>",
            "<dd>200, 201, 202, 203, 204, 302</dd>",
            "<dt>HTTP Method</dt><dd>PUT</dd>",
            "<dd>7 s</dd>",
            "<dt>Signed by</dt><dd>Standard Webhooks</dd>",
            "<dd>6 tries in about 45 minutes</dd>",
            "<dd>10 requests in each second</dd>",
            "<dd>accepted</dd>",
        ):
            assert shown in page

    def test_names_the_type_as_the_template_step_does(self, browser: Client) -> None:
        draft = begun(browser)
        templated(browser, draft, format="query", sample="a=1")
        mapped(browser, draft)
        advanced(browser, draft)
        assert "<dd>URL query</dd>" in text_of(browser.get(at(draft, "summary")))

    def test_shows_the_existing_template(self, browser: Client, account: Account) -> None:
        template = make_template(account, "Mine", "<a>%ani%</a>", form="xml")
        draft = begun(browser, choice="existing", template=str(template.pk))
        advanced(browser, draft)
        page = text_of(browser.get(at(draft, "summary")))
        assert "<dt>Template</dt><dd>Mine, XML</dd>" in page
        assert "New template" not in page

    def test_says_that_a_template_can_not_be_sent_any_more(
        self, browser: Client, account: Account
    ) -> None:
        template = make_template(account, "Old", '{"a": "%ani%"}')
        gone = [{"path": "$.a", "kind": "token", "token": "a_token_of_old"}]
        TemplateVersion.objects.filter(template=template).update(mapping=gone)
        draft = begun(browser, choice="existing", template=str(template.pk))
        advanced(browser, draft)
        page = text_of(browser.get(at(draft, "summary")))
        assert "$.a: There is no token %a_token_of_old%" in page
