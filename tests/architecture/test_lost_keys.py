"""A secret whose key is gone breaks no page but the one that it is shown on."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.accounts.models import ApiKey
from apps.common.access import Role
from apps.common.admin import AccountScopedAdmin
from apps.common.fields import EncryptedTextField
from apps.common.models import AccountOwned
from tests.api_client import api_for
from tests.architecture.accounts import Rows
from tests.architecture.api_table import TABLE
from tests.architecture.test_admin_links import walked
from tests.architecture.test_api_permissions import agency_of, filled
from tests.builders import lose_key
from tests.conftest import LogIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(mine: Rows) -> Rows:
    """Rows of an account, whose every secret is one that no key of CREDENTIAL_KEYS reads."""
    for row in mine.values():
        for field in row._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                lose_key(row, field.name)
    return mine


def pages_of(rows: Rows) -> Iterator[str]:
    """Yield the pages of every row, its history and what deletes it among them."""
    for model, row in rows.items():
        found = admin.site._registry.get(model)
        if isinstance(found, AccountScopedAdmin):
            names = ["change", "history", "delete", *(panel.slug for panel in found.panels)]
            for name in names:
                yield reverse(
                    f"admin:{model._meta.label_lower.replace('.', '_')}_{name}", args=[row.pk]
                )


def test_every_page_opens(lost: Rows, log_in: LogIn) -> None:
    browser = log_in(account=lost[ApiKey].account, role=Role.OWNER)
    found = {link: code for _, link, code in walked(browser)}
    assert len(found) > 100
    found |= {link: browser.get(link).status_code for link in pages_of(lost)}
    assert [link for link, code in found.items() if code not in (200, 302, 403)] == []


@pytest.mark.parametrize(
    "model",
    [model for model in admin.site._registry if issubclass(model, AccountOwned)],
    ids=lambda model: model.__name__,
)
def test_rows_can_be_chosen_for_deletion(
    model: type[AccountOwned], lost: Rows, log_in: LogIn
) -> None:
    link = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
    form = {"action": "delete_selected", "_selected_action": str(lost[model].pk)}
    answer = log_in(account=lost[model].account, role=Role.OWNER).post(link, form)
    assert answer.status_code in (200, 302, 403)


def test_the_api_reads_every_row(lost: Rows) -> None:
    account, ids = agency_of(lost)
    api = api_for(account)
    links = [filled(each.url, ids) for each in TABLE if each.method == "GET"]
    assert [link for link in links if api.get(link).status_code >= 500] == []
