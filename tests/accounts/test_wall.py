"""What the restricted role may do to people, the log and accounts."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import ProgrammingError
from django.urls import reverse

from apps.accounts.access import access_of_user
from apps.accounts.models import Account, Location, Membership, User
from apps.common.tenancy import tenant_scope
from tests.conftest import LogIn
from tests.factories import (
    AgencyFactory,
    LocationFactory,
    MembershipFactory,
    OperatorFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def membership() -> Membership:
    return MembershipFactory()


def entry_of(user: User, location: Location) -> LogEntry:
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Location),
        object_id=str(location.pk),
        object_repr=str(location),
        action_flag=2,
        change_message="Renamed.",
    )


class TestAPerson:
    def test_changes_their_name(self, membership: Membership) -> None:
        with tenant_scope(access_of_user(membership.user)):
            User.objects.filter(pk=membership.user_id).update(full_name="New")
        membership.user.refresh_from_db()
        assert membership.user.full_name == "New"

    @pytest.mark.parametrize("field", ["is_superuser", "is_active", "email", "password"])
    def test_changes_nothing_else_of_themselves(self, membership: Membership, field: str) -> None:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            tenant_scope(access_of_user(membership.user)),
        ):
            User.objects.filter(pk=membership.user_id).update(**{field: True})

    def test_reads_and_writes_own_entries_of_the_log_only(self, membership: Membership) -> None:
        location = LocationFactory(account=membership.account)
        ContentType.objects.get_for_model(Location)
        other = UserFactory()
        entry_of(other, location)
        with tenant_scope(access_of_user(membership.user)):
            entry_of(membership.user, location)
            assert [entry.user_id for entry in LogEntry.objects.all()] == [membership.user_id]
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            tenant_scope(access_of_user(membership.user)),
        ):
            entry_of(other, location)

    def test_puts_no_account_under_an_agency_out_of_reach(self, membership: Membership) -> None:
        agency = AgencyFactory()
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            tenant_scope(access_of_user(membership.user)),
        ):
            Account.objects.filter(pk=membership.account_id).update(parent=agency)


class TestTheHistoryOfARow:
    def test_names_operators_and_people_of_the_agency(
        self, log_in: LogIn, membership: Membership
    ) -> None:
        location = LocationFactory(account=membership.account)
        for who in (OperatorFactory(full_name="Olga Operator"), UserFactory(full_name="Al Agent")):
            entry_of(who, location)
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_location_history", args=[location.pk])
        )
        assert "Olga Operator" in page.content.decode()
        assert "Al Agent" in page.content.decode()

    def test_names_operators_on_the_account_itself(
        self, log_in: LogIn, membership: Membership
    ) -> None:
        LogEntry.objects.create(
            user=OperatorFactory(full_name="Olga Operator"),
            content_type=ContentType.objects.get_for_model(Account),
            object_id=str(membership.account_id),
            object_repr="It",
            action_flag=2,
            change_message="Renamed.",
        )
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_account_history", args=[membership.account_id])
        )
        assert "Olga Operator" in page.content.decode()

    def test_is_closed_to_others(self, log_in: LogIn, membership: Membership) -> None:
        location = LocationFactory()
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_location_history", args=[location.pk])
        )
        assert page.status_code == 302
