"""Importing and exporting in the admin."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account, Location
from apps.campaigns.models import Import, SheetKind
from apps.common.access import Role
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    ImportFactory,
    LocationFactory,
    TrackingNumberFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def upload(browser: Client, kind: str, text: str, **others: Any) -> Any:
    file = SimpleUploadedFile("places.csv", text.encode(), "text/csv")
    return browser.post(
        reverse("admin:campaigns_import_new", args=[kind]), {"file": file, **others}
    )


def page_of(action: str, imported: Import) -> str:
    return reverse(f"admin:campaigns_import_{action}", args=[imported.pk])


class TestImport:
    def test_is_checked_shown_and_confirmed(self, account: Account, log_in: LogIn) -> None:
        browser = log_in(account=account, role=Role.MEMBER)
        listed = browser.get(reverse("admin:accounts_location_changelist")).content.decode()
        assert reverse("admin:campaigns_import_new", args=["locations"]) in listed
        answer = upload(browser, "locations", "name,city\nDowntown,Boston\n")
        imported = Import.objects.get()
        assert answer.headers["Location"] == page_of("change", imported)
        assert "Write 1 row" in browser.get(page_of("change", imported)).content.decode()
        browser.post(page_of("confirm", imported))
        assert Location.objects.get(account=account).city == "Boston"
        assert "Done" in browser.get(page_of("change", imported)).content.decode()

    def test_shows_faults_and_writes_nothing(self, account: Account, log_in: LogIn) -> None:
        browser = log_in(account=account, role=Role.MEMBER)
        upload(browser, "locations", "name,group\nA,<b>\n")
        imported = Import.objects.get()
        shown = browser.get(page_of("change", imported)).content.decode()
        assert "There is no such group here." in shown
        assert "Write 1 row" not in shown
        answer = browser.post(page_of("confirm", imported), follow=True)
        assert "not ready" in answer.content.decode()
        assert not Location.objects.exists()

    def test_of_what_is_no_sheet_says_why(self, account: Account, log_in: LogIn) -> None:
        answer = upload(log_in(account=account), "numbers", "\0\0")
        assert "The file is no text" in answer.content.decode()
        assert not Import.objects.exists()

    @pytest.mark.parametrize("state", ["checking", "ready"])
    def test_is_cancelled(self, account: Account, log_in: LogIn, state: str) -> None:
        imported, browser = ImportFactory(account=account, state=state), log_in(account=account)
        assert "Cancel the import" in browser.get(page_of("change", imported)).content.decode()
        told = browser.post(page_of("cancel", imported), follow=True).content.decode()
        assert "It is cancelled: nothing was written." in told
        imported.refresh_from_db()
        assert imported.state == Import.State.CANCELLED

    @pytest.mark.parametrize("state", ["refused", "writing", "done"])
    def test_is_not_cancelled_once_it_is_decided(
        self, account: Account, log_in: LogIn, state: str
    ) -> None:
        imported, browser = ImportFactory(account=account, state=state), log_in(account=account)
        shown = browser.get(page_of("change", imported)).content.decode()
        assert "Cancel the import" not in shown
        assert ("Import another file" in shown) is (state == "refused")
        told = browser.post(page_of("cancel", imported), follow=True).content.decode()
        assert "can not be cancelled any more" in told
        imported.refresh_from_db()
        assert imported.state == state

    def test_looks_again_while_it_is_at_work(self, account: Account, log_in: LogIn) -> None:
        imported = ImportFactory(account=account, state="checking", row_total=9_000)
        shown = log_in(account=account).get(page_of("change", imported)).content.decode()
        assert "0 of 9000 rows are checked" in shown
        assert 'http-equiv="refresh"' in shown

    def test_asks_an_agency_for_the_account(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        client_account = AccountFactory(parent=agency)
        stranger = AccountFactory()
        browser = log_in(account=agency)
        for chosen, total in ((stranger, 0), (client_account, 1)):
            upload(browser, "locations", "name\nA\n", account=str(chosen.pk))
            assert Import.objects.filter(account=chosen).count() == total

    def test_begins_in_the_list_of_imports(self, account: Account, log_in: LogIn) -> None:
        browser = log_in(account=account, role=Role.MEMBER)
        choose = reverse("admin:campaigns_import_choose")
        listed = browser.get(reverse("admin:campaigns_import_changelist")).content.decode()
        # At the top, and where there is nothing yet.
        assert listed.count(f'href="{choose}"') == 2
        page = browser.get(choose).content.decode()
        for kind in SheetKind:
            assert f'href="{reverse("admin:campaigns_import_new", args=[kind])}"' in page
        assert log_in(account=account, role=Role.VIEWER).get(choose).status_code == 403

    def test_is_not_for_viewers(self, account: Account, log_in: LogIn) -> None:
        browser = log_in(account=account, role=Role.VIEWER)
        imported = ImportFactory(account=account)
        assert upload(browser, "locations", "name\nA\n").status_code == 403
        assert browser.post(page_of("confirm", imported)).status_code == 403
        assert browser.post(page_of("cancel", imported)).status_code == 403
        assert browser.get(page_of("change", imported)).status_code == 403

    def test_of_another_kind_does_not_exist(self, account: Account, log_in: LogIn) -> None:
        browser = log_in(account=account)
        assert upload(browser, "users", "name\nA\n").status_code == 404
        assert (
            browser.get(reverse("admin:campaigns_import_export", args=["users"])).status_code == 404
        )


class TestExport:
    def test_sends_what_the_list_shows(self, account: Account, log_in: LogIn) -> None:
        LocationFactory(account=account, name="Shown", city="Boston")
        LocationFactory(account=account, name="Hidden", city="Chicago")
        LocationFactory(name="Theirs", city="Boston")
        answer = log_in(account=account, role=Role.VIEWER).get(
            reverse("admin:campaigns_import_export", args=["locations"]), {"q": "Boston"}
        )
        text = answer.content.decode("utf-8-sig")
        assert "Shown" in text
        assert "Hidden" not in text
        assert "Theirs" not in text
        assert answer.headers["Content-Type"].startswith("text/csv")

    def test_keeps_numbers_from_becoming_formulas(self, account: Account, log_in: LogIn) -> None:
        TrackingNumberFactory(account=account, number="+15550001111")
        answer = log_in(account=account).get(
            reverse("admin:campaigns_import_export", args=["numbers"])
        )
        assert ",'+15550001111," in answer.content.decode()

    @pytest.mark.parametrize("query", [{"nonsense": "1"}, {"is_active__exact": "x"}, {"p": "-1"}])
    def test_with_a_wrong_filter_is_no_failure(
        self, account: Account, log_in: LogIn, query: dict[str, str]
    ) -> None:
        answer = log_in(account=account).get(
            reverse("admin:campaigns_import_export", args=["locations"]), query
        )
        assert answer.status_code in (200, 302, 400)
