"""Accounts, locations and the switcher, as people with each role meet them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.middleware import SESSION_ACCOUNT
from apps.accounts.models import Account, AccountKind, Location, User
from apps.common.access import Role
from tests.conftest import LogIn
from tests.factories import (
    PASSWORD,
    AccountFactory,
    AgencyFactory,
    ApiKeyFactory,
    CallFactory,
    GroupFactory,
    LocationFactory,
    MembershipFactory,
    OperatorFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory(name="Main Street Motors")


def location_form(**changes: object) -> dict[str, Any]:
    return {"name": "Downtown", "country": "US", "time_zone": "America/New_York", **changes}


class TestComingIn:
    def test_logs_in_by_email_in_any_case(self, client: Client, account: Account) -> None:
        MembershipFactory(account=account, user__email="mia@example.com")
        page = client.post(
            reverse("admin:login"), {"username": "Mia@Example.com", "password": PASSWORD}
        )
        assert page.status_code == 302
        assert page.headers["Location"] == reverse("admin:index")

    def test_says_clearly_that_the_login_failed(self, client: Client) -> None:
        page = client.post(reverse("admin:login"), {"username": "a@b.example", "password": "x"})
        assert "No active user has this e-mail and password" in page.content.decode()

    def test_a_person_without_account_is_told_and_can_log_out(self, log_in: LogIn) -> None:
        browser = log_in(user=UserFactory(email="lost@example.com"))
        page = browser.get(reverse("admin:index"), follow=True)
        assert page.status_code == 403
        assert "do not belong to" in page.content.decode()
        browser.post(reverse("admin:logout"))
        assert "_auth_user_id" not in browser.session

    def test_an_inactive_account_lets_nobody_in(self, log_in: LogIn) -> None:
        browser = log_in(account=AccountFactory(is_active=False))
        assert browser.get(reverse("admin:index"), follow=True).status_code == 403

    def test_everybody_changes_their_own_name_and_password(
        self, log_in: LogIn, account: Account
    ) -> None:
        member = MembershipFactory(account=account, role=Role.VIEWER)
        browser = log_in(user=member.user)
        browser.post(reverse("profile"), {"full_name": "New Name"})
        assert User.objects.get(pk=member.user_id).full_name == "New Name"
        new = "another-long-passphrase"
        page = browser.post(
            reverse("admin:password_change"),
            {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
        )
        assert page.status_code == 302
        assert User.objects.get(pk=member.user_id).check_password(new)


class TestTheCountryOfALocation:
    @pytest.mark.parametrize(("code", "is_known"), [("gb", True), ("UK", False), ("1!", False)])
    def test_is_one_that_there_is(
        self, account: Account, log_in: LogIn, code: str, is_known: bool
    ) -> None:
        page = log_in(account=account).post(
            reverse("admin:accounts_location_add"), location_form(country=code)
        )
        assert Location.objects.filter(country="GB").exists() is is_known
        assert (page.status_code == 302) is is_known


class TestSwitcher:
    def test_narrows_the_lists_to_the_chosen_account(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        first, second = AccountFactory(parent=agency), AccountFactory(parent=agency)
        LocationFactory(account=first, name="In the first")
        LocationFactory(account=second, name="In the second")
        browser = log_in(account=agency)
        listed = reverse("admin:accounts_location_changelist")
        both = browser.get(listed).content.decode()
        assert "In the first" in both
        assert "In the second" in both
        browser.post(reverse("switch_account"), {"account": str(first.pk), "next": listed})
        one = browser.get(listed).content.decode()
        assert "In the first" in one
        assert "In the second" not in one
        browser.post(reverse("switch_account"), {"account": "all"})
        assert SESSION_ACCOUNT not in browser.session

    def test_leads_only_to_our_own_pages(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        page = log_in(account=agency).post(
            reverse("switch_account"), {"account": "all", "next": "https://evil.example/"}
        )
        assert page.headers["Location"] == reverse("admin:index")

    def test_is_hidden_from_those_with_one_account(self, log_in: LogIn, account: Account) -> None:
        page = log_in(account=account).get(reverse("admin:index"))
        assert "hl-switcher" not in page.content.decode()


class TestSeveralAccountsAtOnce:
    @pytest.fixture
    def agency(self) -> Account:
        return AgencyFactory()

    def test_a_form_asks_for_the_account(self, log_in: LogIn, agency: Account) -> None:
        client_account = AccountFactory(parent=agency)
        form = location_form(account=str(client_account.pk))
        page = log_in(account=agency).post(reverse("admin:accounts_location_add"), form)
        assert page.status_code == 302
        assert Location.objects.get().account == client_account

    def test_a_form_without_account_says_so(self, log_in: LogIn, agency: Account) -> None:
        AccountFactory(parent=agency)
        page = log_in(account=agency).post(reverse("admin:accounts_location_add"), location_form())
        assert "account" in page.context["adminform"].form.errors

    def test_rows_of_two_accounts_do_not_mix(self, log_in: LogIn, agency: Account) -> None:
        one, other = AccountFactory(parent=agency), AccountFactory(parent=agency)
        form = location_form(account=str(one.pk), group=str(GroupFactory(account=other).pk))
        page = log_in(account=agency).post(reverse("admin:accounts_location_add"), form)
        assert "There is no such group here" in str(page.context["adminform"].form.errors)

    def test_the_account_of_a_row_never_changes(self, log_in: LogIn, agency: Account) -> None:
        one, other = AccountFactory(parent=agency), AccountFactory(parent=agency)
        location = LocationFactory(account=one)
        form = location_form(account=str(other.pk))
        log_in(account=agency).post(
            reverse("admin:accounts_location_change", args=[location.pk]), form
        )
        location.refresh_from_db()
        assert (location.account, location.name) == (one, "Downtown")

    def test_a_role_counts_in_its_account_only(self, log_in: LogIn) -> None:
        user = MembershipFactory(role=Role.OWNER).user
        looked_at = MembershipFactory(user=user, role=Role.VIEWER).account
        location = LocationFactory(account=looked_at, name="Before")
        browser = log_in(user=user)
        page = browser.post(
            reverse("admin:accounts_location_change", args=[location.pk]), location_form()
        )
        assert page.status_code == 403
        form = location_form(account=str(looked_at.pk))
        browser.post(reverse("admin:accounts_location_add"), form)
        assert Location.objects.get(account=looked_at).name == "Before"
        key = ApiKeyFactory(account=looked_at, name="Not for viewers")
        assert (
            key.name
            not in browser.get(reverse("admin:accounts_apikey_changelist")).content.decode()
        )


class TestLocations:
    def test_a_name_taken_by_the_clients_id_is_explained(
        self, log_in: LogIn, account: Account
    ) -> None:
        LocationFactory(account=account, client_location_id="7")
        page = log_in(account=account).post(
            reverse("admin:accounts_location_add"), location_form(client_location_id="7")
        )
        assert "Another location has this" in str(page.context["adminform"].form.errors)

    def test_a_place_with_calls_is_kept(self, log_in: LogIn, account: Account) -> None:
        call = CallFactory(account=account)
        page = log_in(account=account, role=Role.OWNER).post(
            reverse("admin:accounts_location_delete", args=[call.location_id]), {"post": "yes"}
        )
        assert page.status_code == 403

    @pytest.mark.parametrize("slug", ["webhooks", "campaigns", "treatments", "numbers"])
    def test_its_tabs_open_for_viewers(self, log_in: LogIn, account: Account, slug: str) -> None:
        location = LocationFactory(account=account)
        page = log_in(account=account, role=Role.VIEWER).get(
            reverse(f"admin:accounts_location_{slug}", args=[location.pk])
        )
        assert page.status_code == 200
        assert "Add " not in page.content.decode()

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
    def test_show_the_id_by_which_events_name_them(self, log_in: LogIn, role: Role) -> None:
        location = LocationFactory()
        browser = log_in(account=location.account, role=role)
        page = browser.get(reverse("admin:accounts_location_change", args=[location.pk]))
        assert location.public_id in page.content.decode()

    def test_have_no_id_before_they_are_saved(self, log_in: LogIn) -> None:
        page = log_in(account=AccountFactory()).get(reverse("admin:accounts_location_add"))
        assert f"{Location.ID_PREFIX}_" not in page.content.decode()
        assert "Save first" in page.content.decode()


class TestAccounts:
    add = "admin:accounts_account_add"
    change = "admin:accounts_account_change"
    listed = "admin:accounts_account_changelist"

    def test_an_agency_admin_adds_clients(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        page = log_in(account=agency).post(
            reverse(self.add),
            {"name": "New client", "parent": str(agency.pk), "time_zone": "America/New_York"},
        )
        assert page.status_code == 302
        made = Account.objects.get(name="New client")
        assert (made.parent, made.kind) == (agency, AccountKind.CLIENT)

    def test_a_client_is_not_put_under_another_agency(self, log_in: LogIn) -> None:
        other = AgencyFactory()
        page = log_in(account=AgencyFactory()).post(
            reverse(self.add),
            {"name": "Mine now", "parent": str(other.pk), "time_zone": "America/New_York"},
        )
        assert page.status_code == 200
        assert not Account.objects.filter(name="Mine now").exists()

    def test_others_add_no_accounts(self, log_in: LogIn, account: Account) -> None:
        assert log_in(account=account, role=Role.OWNER).get(reverse(self.add)).status_code == 403

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
    def test_is_shown_to_those_who_only_look(
        self, log_in: LogIn, account: Account, role: Role
    ) -> None:
        page = log_in(account=account, role=role).get(reverse(self.change, args=[account.pk]))
        assert page.status_code == 200
        shown = page.content.decode()
        assert "America/New_York" in shown
        assert 'name="_save"' not in shown

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMIN])
    def test_leads_to_its_agency_only_those_who_reach_it(self, log_in: LogIn, role: Role) -> None:
        agency = AgencyFactory(name="Our agency")
        account = AccountFactory(parent=agency)
        page = reverse(self.change, args=[account.pk])
        link = reverse(self.change, args=[agency.pk])
        within = log_in(account=account, role=role).get(page).content.decode()
        assert "Our agency" in within
        assert link not in within
        assert link in log_in(account=agency, role=role).get(page).content.decode()

    def test_an_account_does_not_become_an_agency_by_itself(
        self, log_in: LogIn, account: Account
    ) -> None:
        log_in(account=account, role=Role.OWNER).post(
            reverse("admin:accounts_account_change", args=[account.pk]),
            {"name": "Renamed", "kind": "agency", "time_zone": "America/New_York"},
        )
        account.refresh_from_db()
        assert (account.name, account.kind) == ("Renamed", AccountKind.CLIENT)

    def test_an_agency_admin_switches_a_client_off_and_on_again(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        client_account = AccountFactory(parent=agency, name="Client of ours")
        page = reverse(self.change, args=[client_account.pk])
        form = {"name": "Client of ours", "time_zone": "America/New_York"}
        browser = log_in(account=agency)
        for is_on in (False, True):
            browser.post(page, {**form, "is_active": "on"} if is_on else form)
            client_account.refresh_from_db()
            assert client_account.is_active is is_on
            assert "Client of ours" in browser.get(reverse(self.listed)).content.decode()
            assert browser.get(page).status_code == 200

    def test_nothing_else_of_a_client_that_is_off_is_reached(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        off = AccountFactory(parent=agency, name="Off", is_active=False)
        location = LocationFactory(account=off, name="Closed place")
        browser = log_in(account=agency, role=Role.OWNER)
        places = browser.get(reverse("admin:accounts_location_changelist"))
        assert "Closed place" not in places.content.decode()
        page = browser.get(reverse("admin:accounts_location_change", args=[location.pk]))
        assert page.status_code == 302
        browser.post(
            reverse("admin:accounts_location_add"), location_form(name="New", account=str(off.pk))
        )
        assert Location.objects.filter(account=off).count() == 1
        browser.post(reverse("switch_account"), {"account": str(off.pk)})
        assert SESSION_ACCOUNT not in browser.session

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
    def test_only_admins_of_the_agency_see_a_client_that_is_off(
        self, log_in: LogIn, role: Role
    ) -> None:
        agency = AgencyFactory()
        off = AccountFactory(parent=agency, name="Off and away", is_active=False)
        own = MembershipFactory(account=off, role=Role.OWNER).user
        MembershipFactory(user=own, account=agency, role=role)
        for browser in (log_in(account=agency, role=role), log_in(user=own)):
            assert "Off and away" not in browser.get(reverse(self.listed)).content.decode()
            page = browser.post(reverse(self.change, args=[off.pk]), {"is_active": "on"})
            assert page.status_code in (302, 403)
        off.refresh_from_db()
        assert not off.is_active

    def test_the_agency_of_others_does_not_switch_a_client_on(self, log_in: LogIn) -> None:
        off = AccountFactory(parent=AgencyFactory(), name="Not yours", is_active=False)
        browser = log_in(account=AgencyFactory(), role=Role.OWNER)
        assert "Not yours" not in browser.get(reverse(self.listed)).content.decode()
        browser.post(reverse(self.change, args=[off.pk]), {"name": "Mine", "is_active": "on"})
        off.refresh_from_db()
        assert (off.name, off.is_active) == ("Not yours", False)


class TestOperators:
    def test_change_an_email_without_locking_anybody_out(
        self, client: Client, log_in: LogIn
    ) -> None:
        person = UserFactory(email="mia@example.com")
        log_in(user=OperatorFactory()).post(
            reverse("admin:accounts_user_change", args=[person.pk]),
            {"email": "Mia@New.example", "full_name": "Mia", "is_active": "on"},
        )
        page = client.post(
            reverse("admin:login"), {"username": "Mia@New.example", "password": PASSWORD}
        )
        assert page.status_code == 302

    pages = ["admin:accounts_user_changelist", "django_rq:home", "django_rq:home_json"]

    @pytest.mark.parametrize("page", pages)
    def test_have_pages_of_their_own(self, log_in: LogIn, account: Account, page: str) -> None:
        assert log_in(user=OperatorFactory()).get(reverse(page)).status_code == 200
        assert log_in(account=account, role=Role.OWNER).get(reverse(page)).status_code in (403, 404)

    def test_only_their_side_bar_leads_there(self, log_in: LogIn, account: Account) -> None:
        link = reverse("django_rq:home")
        home = reverse("admin:index")
        assert link in log_in(user=OperatorFactory()).get(home).content.decode()
        owner = log_in(account=account, role=Role.OWNER)
        assert link not in owner.get(home).content.decode()
