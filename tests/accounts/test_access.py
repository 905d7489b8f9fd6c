"""What people and keys reach, and with which role."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import access_of_key, access_of_user
from apps.accounts.models import Account, AccountKind, Membership, Scope, User
from apps.accounts.services import issue_key
from apps.common.access import Access, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency() -> Account:
    return Account.objects.create(name="Agency", kind=AccountKind.AGENCY)


@pytest.fixture
def client(agency: Account) -> Account:
    return Account.objects.create(name="Client", parent=agency)


@pytest.fixture
def stranger() -> Account:
    return Account.objects.create(name="Stranger")


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ada@example.com", "correct-horse-battery")


def join(person: User, account: Account, role: Role) -> None:
    Membership.objects.create(user=person, account=account, role=role)


def roles(access: Access) -> dict[str, Role]:
    return {account.name: account.role for account in access.accounts.values()}


class TestAPerson:
    def test_without_a_membership_reaches_nothing(self, person: User, stranger: Account) -> None:
        assert access_of_user(person).accounts == {}

    def test_reaches_the_accounts_they_belong_to(
        self, person: User, client: Account, stranger: Account
    ) -> None:
        join(person, client, Role.MEMBER)

        assert roles(access_of_user(person)) == {"Client": Role.MEMBER}

    def test_of_an_agency_reaches_its_clients_with_the_same_role(
        self, person: User, agency: Account, client: Account, stranger: Account
    ) -> None:
        join(person, agency, Role.ADMIN)

        assert roles(access_of_user(person)) == {"Agency": Role.ADMIN, "Client": Role.ADMIN}

    @pytest.mark.parametrize(("of_agency", "own"), [(10, 40), (40, 10)])
    def test_has_the_higher_of_two_roles(
        self, person: User, agency: Account, client: Account, of_agency: int, own: int
    ) -> None:
        join(person, agency, Role(of_agency))
        join(person, client, Role(own))

        assert roles(access_of_user(person)) == {"Agency": of_agency, "Client": 40}

    def test_reaches_no_account_that_is_off(
        self, person: User, agency: Account, client: Account
    ) -> None:
        join(person, agency, Role.OWNER)
        Account.objects.filter(pk=client.pk).update(is_active=False)

        assert roles(access_of_user(person)) == {"Agency": Role.OWNER}

    def test_reaches_nothing_through_an_agency_that_is_off(
        self, person: User, agency: Account, client: Account
    ) -> None:
        join(person, agency, Role.OWNER)
        Account.objects.filter(pk=agency.pk).update(is_active=False)
        assert access_of_user(person).accounts == {}

        join(person, client, Role.VIEWER)
        assert roles(access_of_user(person)) == {"Client": Role.VIEWER}

    def test_works_on_their_only_account(self, person: User, client: Account) -> None:
        join(person, client, Role.MEMBER)

        assert access_of_user(person).current_id == client.pk

    def test_works_on_the_chosen_account_if_they_reach_it(
        self, person: User, agency: Account, client: Account, stranger: Account
    ) -> None:
        join(person, agency, Role.MEMBER)

        assert access_of_user(person).active_ids == [agency.pk, client.pk]
        assert access_of_user(person, client.pk).active_ids == [client.pk]
        for chosen in (stranger.pk, uuid.uuid4()):
            assert access_of_user(person, chosen).current_id is None

    def test_reads_times_in_the_zone_of_the_accounts_they_work_on(
        self, person: User, agency: Account, client: Account
    ) -> None:
        Account.objects.filter(pk=client.pk).update(time_zone="Europe/Berlin")
        join(person, agency, Role.MEMBER)

        assert access_of_user(person, client.pk).time_zone == "Europe/Berlin"
        assert access_of_user(person, agency.pk).time_zone == "America/New_York"
        assert access_of_user(person).time_zone == "UTC"

    def test_who_operates_reaches_everything(
        self, person: User, agency: Account, client: Account, stranger: Account
    ) -> None:
        person.is_superuser = True

        access = access_of_user(person)

        assert access.is_operator
        assert set(roles(access)) == {"Agency", "Client", "Stranger"}

    def test_is_told_of_the_agency_that_shares_templates(
        self, person: User, agency: Account, client: Account
    ) -> None:
        join(person, client, Role.MEMBER)

        assert access_of_user(person).shared_from_ids == [agency.pk]

    def test_costs_as_many_queries_whatever_they_reach(self, person: User, agency: Account) -> None:
        join(person, agency, Role.MEMBER)
        counts = []
        for number in range(2):
            with CaptureQueriesContext(connection) as captured:
                access_of_user(person)
            counts.append(len(captured))
            for each in range(20):
                Account.objects.create(name=f"{number} {each}", parent=agency)

        assert counts[0] == counts[1] <= 2


class TestAKey:
    def test_reaches_its_account_alone(self, client: Account, stranger: Account) -> None:
        key, _ = issue_key(account=client, name="Key", scopes=[Scope.INGEST], by=None)

        assert roles(access_of_key(key)) == {"Client": Role.VIEWER}

    def test_of_an_agency_reaches_its_clients(self, agency: Account, client: Account) -> None:
        key, _ = issue_key(account=agency, name="Key", scopes=[Scope.WRITE], by=None)

        assert roles(access_of_key(key)) == {"Agency": Role.ADMIN, "Client": Role.ADMIN}

    def test_never_operates(self, client: Account) -> None:
        key, _ = issue_key(account=client, name="Key", scopes=list(Scope), by=None)

        assert not access_of_key(key).is_operator
        assert access_of_key(key).user_id is None
