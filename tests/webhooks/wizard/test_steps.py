"""The steps Webhook and Template."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account, Location
from apps.common.access import Role
from apps.webhooks.models import Template, WebhookDraft
from apps.webhooks.wizard.drafts import answers_of
from tests.conftest import LogIn
from tests.factories import (
    AgencyFactory,
    GroupFactory,
    LocationFactory,
    TemplateFactory,
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


def place_in(page: Any) -> tuple[str, ...]:
    """Return what a page shows before, at and behind the place of a fault."""
    shown = re.search(r"<figure.*<pre[^>]*>(.*)<mark>(.*)</mark>(.*)</pre>", text_of(page), re.S)
    return tuple(map(unescape, shown.groups())) if shown else ()


class TestTheWebhookStep:
    @pytest.mark.parametrize(
        ("form", "field"),
        [
            ({"url": "http://10.0.0.1/x"}, "url"),
            ({"url": "nonsense"}, "url"),
            ({"name": ""}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"choice": "existing"}, "template"),
            ({"choice": "gallery"}, "gallery"),
            ({"choice": "gallery", "gallery": "nope"}, "gallery"),
            ({"choice": "nope"}, "choice"),
            ({"location": "nope"}, "location"),
        ],
    )
    def test_refuses_bad_input(self, browser: Client, form: dict[str, str], field: str) -> None:
        whole = {"choice": "create", "name": "x", "url": "https://93.184.216.34/", **form}
        page = browser.post(reverse("wizard"), whole)
        assert field in page.context["form"].errors
        assert not WebhookDraft.objects.exists()

    def test_offers_templates_of_the_locations_group(
        self, browser: Client, account: Account
    ) -> None:
        group = GroupFactory(account=account)
        inside: Location = LocationFactory(account=account, group=group)
        outside = LocationFactory(account=account)
        template = TemplateFactory(account=account, group=group, name="Of the group")
        draft = begun(browser, location=str(outside.pk))
        for location, is_offered in ((inside, True), (outside, False)):
            asked = {"location": str(location.pk)}
            page = browser.get(reverse("wizard"), asked)
            assert ("Of the group" in text_of(page)) is is_offered
            page = browser.get(at(draft, "webhook"), asked)
            assert ("Of the group" in text_of(page)) is is_offered
        form = {"choice": "existing", "name": "x", "url": "https://93.184.216.34/"}
        for place in ("", str(outside.pk)):
            whole = {**form, "template": str(template.pk), "location": place}
            page = browser.post(reverse("wizard"), whole)
            assert "template" in page.context["form"].errors

    @pytest.mark.parametrize(
        ("role", "header", "is_refused"),
        [
            (Role.MEMBER, "X-Key", True),
            (Role.MEMBER, "Accept", False),
            (Role.ADMIN, "X-Key", False),
        ],
    )
    def test_no_member_takes_saved_credentials_off_tls(
        self, log_in: LogIn, account: Account, role: Role, header: str, is_refused: bool
    ) -> None:
        browser = log_in(account=account, role=role)
        draft = at_summary(browser)
        advanced(browser, draft, **{"header-name": header, "header-value": "saved"})
        form = {"choice": "create", "name": "x", "url": "http://93.184.216.34/leads"}
        for _ in range(2):
            page = browser.post(at(draft, "webhook"), form)
            assert (page.status_code == 200) is is_refused
        draft.refresh_from_db()
        kept = "https:" if is_refused else "http:"
        assert answers_of(draft).url.startswith(kept)

    def test_viewers_do_not_come_in(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.VIEWER)
        assert browser.get(reverse("wizard")).status_code == 403

    def test_begins_with_a_new_template_where_there_is_none(
        self, browser: Client, account: Account
    ) -> None:
        page = browser.get(reverse("wizard"))
        assert page.context["form"].initial["choice"] == "create"
        TemplateFactory(account=account)
        page = browser.get(reverse("wizard"))
        assert page.context["form"].initial["choice"] == "existing"


class TestTheTemplateStep:
    @pytest.mark.parametrize(
        ("format_", "sample", "message"),
        [
            ("json", '{"a":\n ]', "Line 2, column 2"),
            ("json", '{"a": 1, "a": 2}', "Line 1"),
            ("json", '{"a": NaN}', "Line 1"),
            ("json", "[" * 70 + "]" * 70, "64"),
            ("json", json.dumps(list(range(5001))), "5,000"),
            ("json", json.dumps("x" * 300_000), "256 KB"),
            ("json", '{"a": "\x01"}', "U+0001"),
            ("json", '{"a": "\x00"}', "Line 1, column 8: Character U+0000"),
            ("json", '{"a": "%ani_frist_name%"}', "%ani_first_name%"),
            ("json", "   ", "The sample is empty"),
            ("xml", "<a>\n<b></a>", "Line 2"),
            ("xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "Line 1"),
            ("xml", '<?xml version="1.0" encoding="klingon"?><a/>', "Line 1"),
            ("form", "&&&", "There is no name=value"),
            ("query", "https://crm.example/?a=1", "what follows the ?"),
            ("csv", "a,b", "not one of the available choices"),
        ],
    )
    def test_refuses_a_bad_sample_with_its_place(
        self, browser: Client, format_: str, sample: str, message: str
    ) -> None:
        draft = begun(browser)
        page = templated(browser, draft, format=format_, sample=sample)
        assert page.status_code == 200
        assert message in str(page.context["form"].errors)
        assert browser.get(at(draft, "fields")).headers["Location"] == at(draft, "template")
        assert not Template.objects.exists()

    def test_refuses_what_is_too_large_for_a_request(self, browser: Client) -> None:
        page = templated(browser, begun(browser), sample="x" * 5_100_000)
        assert page.status_code == 400
        assert "A sample has 256 KB at most" in text_of(page)

    def test_shows_the_offending_line_escaped(self, browser: Client) -> None:
        draft = begun(browser)
        page = templated(browser, draft, sample='{\n"a": <script>alert(1)</script>\n}')
        assert place_in(page) == ('"a": ', "<", "script>alert(1)</script>")
        assert "<script>alert" not in text_of(page)

    @pytest.mark.parametrize(
        ("sample", "before", "at", "behind"),
        [
            ('{"a": 1,}', '{"a": 1,', "}", ""),
            ('{"a": 1', '{"a": 1', " ", ""),
            ('\ufeff{"a": 1;\r\n}', '{"a": 1', ";", ""),
            (
                f'{{"a": "{"x" * 2_500}", "b": wrong, "c": "{"y" * 2_500}"}}',
                f'…{"x" * 52}", "b": ',
                "w",
                f'rong, "c": "{"y" * 48}…',
            ),
            (f'{{wrong: "{"y" * 300}"}}', "{", "w", f'rong: "{"y" * 53}…'),
            (f'{{"{"x" * 300}": wrong', f'…{"x" * 57}": ', "w", "rong"),
        ],
    )
    def test_marks_the_place_however_long_the_line(
        self, browser: Client, sample: str, before: str, at: str, behind: str
    ) -> None:
        page = templated(browser, begun(browser), sample=sample)
        assert place_in(page) == (before, at, behind)

    def test_refuses_a_name_that_is_taken(self, browser: Client, account: Account) -> None:
        TemplateFactory(account=account, name="CRM lead")
        page = templated(browser, begun(browser))
        assert "already" in str(page.context["form"].errors["title"])

    def test_refuses_a_group_that_the_webhook_is_not_for(
        self, browser: Client, account: Account
    ) -> None:
        group = GroupFactory(account=account, name="North")
        outside = LocationFactory(account=account, name="Elm Street")
        for location, name in (("", "all locations"), (str(outside.pk), "Elm Street")):
            draft = begun(browser, location=location)
            page = templated(browser, draft, group=str(group.pk))
            assert name in str(page.context["form"].errors["group"])

    def test_shares_with_a_group_or_all_clients(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        group = GroupFactory(account=agency)
        location = LocationFactory(account=agency, group=group)
        browser = log_in(account=agency)
        for choice, is_shared in ((str(group.pk), False), ("clients", True)):
            draft = begun(browser, location=str(location.pk))
            templated(browser, draft, group=choice, title=f"Template {is_shared}")
            mapped(browser, draft)
            advanced(browser, draft)
            browser.post(at(draft, "summary"))
            template = Template.objects.get(name=f"Template {is_shared}")
            assert template.is_shared_with_clients is is_shared
            assert template.group == (None if is_shared else group)
