"""Where pages lead to: nobody is shown a link to what their role may not open."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts.models import ApiKey, Membership
from apps.common.access import Role
from apps.common.models import AccountOwned
from apps.webhooks.models import TemplateVersion
from tests.architecture.accounts import Rows, one_of_each
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db

_HREF = re.compile(r"""<a\b[^>]*?\bhref=["']([^"'#]+)""")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def walked(browser: Client) -> Iterator[tuple[str, str, int]]:
    """Follow links from the home page on; return each with the page it is on, and the answer.

    Redirects are followed, too. Pages of a kind are alike: one of each is opened.
    """
    opened = set()
    waiting = [("", reverse("admin:index"))]
    while waiting:
        page, link = waiting.pop()
        path = urlsplit(link).path
        kind = _ID.sub("ID", path)
        if kind in opened or path.endswith("/logout/"):
            continue
        opened.add(kind)
        answer = browser.get(link)
        yield page, link, answer.status_code
        if answer.status_code == 302:
            waiting.append((link, answer["Location"]))
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            found = map(unescape, _HREF.findall(answer.content.decode()))
            waiting += [(link, each) for each in found if each.startswith("/")]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
def test_no_link_leads_to_a_refusal(log_in: LogIn, role: Role) -> None:
    rows = one_of_each("Mine")
    account = rows[ApiKey].account
    for model in (ApiKey, TemplateVersion):
        model._base_manager.update(created_by=rows[Membership].user)
    answers = list(walked(log_in(account=account, role=role)))
    assert len(answers) > 50
    assert [(page, link, code) for page, link, code in answers if code not in (200, 302)] == []


@pytest.mark.parametrize(
    "model",
    [model for model in admin.site._registry if issubclass(model, AccountOwned)],
    ids=lambda model: model.__name__,
)
def test_what_may_be_deleted_can_be(model: type[AccountOwned], mine: Rows, log_in: LogIn) -> None:
    row = mine[model]
    link = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_delete", args=[row.pk])
    page = log_in(account=row.account, role=Role.OWNER).get(link)
    if page.status_code == 200:
        assert not page.context["perms_lacking"], "Nobody may delete what goes along."
