"""What every page of the admin keeps to."""

import io
import logging
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils.text import capfirst

from apps.common.access import Role
from apps.common.logs import LineFormatter
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    LocationFactory,
    OperatorFactory,
    WebhookFactory,
)

OUR_TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
_INLINE = re.compile(
    r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


@pytest.mark.django_db
class TestContentSecurityPolicy:
    def test_allows_our_own_files_only(self, client: Client) -> None:
        policy = client.get(reverse("admin:login")).headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == "'self' 'unsafe-eval'"
        assert rules["style-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"

    def test_the_theme_writes_no_style_element(self, client: Client) -> None:
        assert "<style" not in client.get(reverse("admin:login")).content.decode()


@pytest.mark.parametrize("template", OUR_TEMPLATES, ids=lambda path: path.name)
def test_our_templates_have_no_inline_scripts_or_styles(template: Path) -> None:
    assert _INLINE.search(template.read_text()) is None


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["admin:index", "profile", "tokens", "switch_account"])
def test_strangers_are_asked_who_they_are(client: Client, page: str) -> None:
    answer = client.get(reverse(page))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_said_so(client: Client) -> None:
    page = client.get("/accounts/nothing/here/")
    assert page.status_code in (302, 404)


@pytest.mark.django_db
class TestWhatIsPosted:
    @pytest.mark.parametrize("key", ["abc", "\x00", "%00", "1"])
    def test_chooses_nothing_by_a_key_that_can_not_be_one(self, log_in: LogIn, key: str) -> None:
        form = {"action": "delete_selected", "_selected_action": key}
        address = reverse("admin:accounts_group_changelist")
        browser = log_in(account=AccountFactory())

        assert browser.post(address, form).status_code == 302
        assert "not in the list" in browser.get(address).content.decode()

    @pytest.mark.parametrize("name", ["two\nlines", "esc\x1b[31m", "next\x85line"])
    def test_names_are_one_line(self, log_in: LogIn, name: str) -> None:
        browser = log_in(account=AccountFactory())

        page = browser.post(reverse("admin:accounts_group_add"), {"name": name})

        assert "one line" in str(page.context["errors"])

    @pytest.mark.parametrize(
        ("name", "query"),
        [
            ("delivery_replay", "state__exact=%00"),
            ("delivery_delivery", "created_at__gte=0001-01-01 00:00:00%2B23:59"),
            ("calls_call", "created_at__lt=9999-12-31 23:59:59-23:59"),
        ],
    )
    def test_filters_by_nothing_that_no_row_can_have(
        self, log_in: LogIn, name: str, query: str
    ) -> None:
        address = reverse(f"admin:{name}_changelist")
        answer = log_in(account=AccountFactory()).get(f"{address}?{query}")
        assert (answer.status_code, answer.headers.get("Location")) == (302, f"{address}?e=1")

        again = log_in(account=AccountFactory()).get(f"{address}?e=1&{query}")
        assert again.status_code == 400
        assert "This was not accepted" in again.text

    @pytest.mark.parametrize(
        "query",
        [
            "nothing=1",
            "webhook__url=x",
            "account=x",
            "_to_field=url",
            "page=%00%0Ax",
            "x%0A" * 10_000 + "=1",
        ],
        ids=len,
    )
    def test_refuses_a_forged_query_in_a_line(
        self, log_in: LogIn, query: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser, said = log_in(account=AccountFactory()), io.StringIO()
        handlers = logging.getLogger().handlers
        (console,) = [each for each in handlers if isinstance(each.formatter, LineFormatter)]
        monkeypatch.setattr(console, "stream", said)

        answer = browser.get(f"{reverse('admin:delivery_delivery_changelist')}?{query}")

        assert answer.status_code == 400
        (line,) = said.getvalue().splitlines()
        assert "ERROR django.security.Disallowed" in line
        assert len(line) < 2_200

    def test_finds_nothing_by_what_no_row_can_have(self, log_in: LogIn) -> None:
        field = {"app_label": "webhooks", "model_name": "webhook", "field_name": "location"}
        answer = log_in(account=AccountFactory()).get(
            reverse("admin:autocomplete"), {**field, "term": "\0x"}
        )
        assert answer.json()["results"] == []

    def test_leads_to_no_pages_outside_of_the_admin(self, log_in: LogIn) -> None:
        assert log_in(account=AccountFactory()).get("/r/1/1/").status_code == 404


@pytest.mark.django_db
class TestTheSelects:
    def test_of_rows_are_searched_by_typing(self, log_in: LogIn) -> None:
        webhook = WebhookFactory(name="CRM")
        browser = log_in(account=webhook.account)
        link = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        fields = browser.get(link).context["adminform"].form.fields
        for name, is_searched in (("template", True), ("location", True), ("method", False)):
            shown = str(fields[name].widget.render(name, None, {}))
            assert ("unfold-admin-autocomplete" in shown) is is_searched


@pytest.mark.django_db
def test_deletion_is_the_last_action_of_a_list(log_in: LogIn) -> None:
    account = AccountFactory()
    LocationFactory(account=account)
    page = log_in(account=account).get(reverse("admin:accounts_location_changelist"))
    actions = [name for name, _ in page.context["action_form"].fields["action"].choices]
    assert len(actions) > 2
    assert actions[-1] == "delete_selected"


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER, None])
def test_a_list_is_called_by_what_it_shows(log_in: LogIn, role: Role | None) -> None:
    """Not by what somebody may do there, as “Select account to change”; None is an operator."""
    agency = AgencyFactory()
    AccountFactory(parent=agency)
    browser = log_in(account=agency, role=role) if role else log_in(user=OperatorFactory())
    titles = {}
    for model in admin.site._registry:
        link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        page = browser.get(link)
        if page.status_code == 200:
            titles[str(capfirst(model._meta.verbose_name_plural))] = str(page.context["title"])
    assert len(titles) > 20
    assert list(titles) == list(titles.values())


@pytest.mark.django_db
def test_the_side_bar_calls_a_list_as_its_page_does(log_in: LogIn) -> None:
    browser = log_in(account=AccountFactory(), role=Role.OWNER)
    groups = browser.get(reverse("admin:index")).context["sidebar_navigation"]
    items = [item for group in groups for item in group["items"]]
    pages = [browser.get(str(item["link"])) for item in items]
    lists = [
        (item["title"], str(page.context["cl"].opts.verbose_name_plural))
        for item, page in zip(items, pages, strict=True)
        if page.context and "cl" in page.context
    ]

    assert len(lists) > 15
    for shown, title in lists:
        # Some have the name of what they replace, in its spelling.
        assert title.casefold().replace("-", " ").startswith(shown.casefold())
