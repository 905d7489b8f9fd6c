"""What the restricted role may do to people, the log and accounts."""

import pytest
from django.db import ProgrammingError, connection
from django.urls import reverse

from apps.accounts.access import access_of_user
from apps.accounts.models import Account, Location, Membership, User
from apps.common.access import Role
from apps.common.origin import ActorKind, Origin, acting
from apps.common.tenancy import tenant_scope
from tests.conftest import LogIn
from tests.factories import (
    AgencyFactory,
    LocationFactory,
    MembershipFactory,
    OperatorFactory,
    WebhookFactory,
    WebhookHeaderFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def membership() -> Membership:
    return MembershipFactory()


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

    @pytest.mark.parametrize("statement", ["SELECT", "INSERT", "UPDATE", "DELETE"])
    def test_has_nothing_to_do_with_the_log_of_operators(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT has_table_privilege('hookline_tenant', 'django_admin_log', %s)",
                [statement],
            )
            assert cursor.fetchone() == (False,)

    def test_puts_no_account_under_an_agency_out_of_reach(self, membership: Membership) -> None:
        agency = AgencyFactory()
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            tenant_scope(access_of_user(membership.user)),
        ):
            Account.objects.filter(pk=membership.account_id).update(parent=agency)


class TestTheHistoryOfARow:
    def changed_by(self, row: Location | Account, who: User) -> None:
        with acting(Origin(ActorKind.USER, who.pk, str(who))), tenant_scope(access_of_user(who)):
            row.name = f"As {who} says"
            row.save(update_fields=["name"])

    def test_names_operators_and_people_of_the_agency(
        self, log_in: LogIn, membership: Membership
    ) -> None:
        agency = AgencyFactory()
        membership.account.parent = agency
        membership.account.save()
        location = LocationFactory(account=membership.account)
        self.changed_by(location, OperatorFactory(full_name="Olga Operator"))
        self.changed_by(location, MembershipFactory(account=agency, user__full_name="Al").user)
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_location_history", args=[location.pk])
        )
        assert "Olga Operator" in page.content.decode()
        assert "As Al says" in page.content.decode()

    def test_of_the_account_itself_is_told(self, log_in: LogIn, membership: Membership) -> None:
        self.changed_by(membership.account, OperatorFactory(full_name="Olga Operator"))
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_account_history", args=[membership.account_id])
        )
        assert "As Olga Operator says" in page.content.decode()

    def test_leads_admins_to_the_log_with_what_belongs_to_the_row(
        self, log_in: LogIn, membership: Membership
    ) -> None:
        webhook = WebhookFactory(account=membership.account)
        WebhookHeaderFactory(webhook=webhook, name="X-Api-Key")
        history = reverse("admin:webhooks_webhook_history", args=[webhook.pk])
        link = f"{reverse('admin:common_auditentry_changelist')}?q={webhook.public_id}"
        browser = log_in(user=membership.user)
        assert link in browser.get(history).content.decode()
        assert "X-Api-Key" in browser.get(link).content.decode()
        viewer = log_in(account=membership.account, role=Role.VIEWER)
        assert link not in viewer.get(history).content.decode()
        assert viewer.get(link).status_code == 403

    def test_is_closed_to_others(self, log_in: LogIn, membership: Membership) -> None:
        location = LocationFactory()
        page = log_in(user=membership.user).get(
            reverse("admin:accounts_location_history", args=[location.pk])
        )
        assert page.status_code == 302
