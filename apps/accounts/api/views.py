"""Accounts, places, people and keys over the REST API."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.serializers import (
    AccountRowSerializer,
    ApiKeySerializer,
    GroupSerializer,
    IssuedKeySerializer,
    LocationSerializer,
    MemberSerializer,
)
from apps.accounts.inviting import lock_owners, remove_member
from apps.accounts.models import Account, AccountKind, ApiKey, Group, Location, Membership
from apps.common.access import Role
from apps.common.api.filters import FlagFilter, ReferenceFilter, RowFilters, filters
from apps.common.api.serializers import check_role
from apps.common.api.viewsets import Changed, Created, Listed, Managed


class AccountFilters(RowFilters):
    """What accounts can be narrowed by."""

    kind = filters.ChoiceFilter(choices=AccountKind.choices)
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")


class AccountViewSet(Listed, Created, Changed):
    """Accounts within reach. Agencies add clients; nobody deletes, an account is switched off."""

    model = Account
    queryset = Account.objects.all()
    serializer_class = AccountRowSerializer
    filterset_class = AccountFilters
    add_role = change_role = Role.ADMIN
    orders = ("-created_at", "name")
    list_parameters = frozenset()

    def within(self, rows: QuerySet[Any], account_ids: list[uuid.UUID]) -> QuerySet[Any]:
        """An account belongs to itself."""
        return rows.filter(pk__in=account_ids)

    def openable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Open clients that are off, too, for the admins of their agency."""
        access = self.access
        agencies = [key for key in access.accounts if access.has_role(Role.ADMIN, key)]
        return rows.filter(
            Q(pk__in=access.account_ids) | Q(parent_id__in=agencies, is_active=False)
        )

    def account_id_of(self, row: Account) -> uuid.UUID:
        """An account belongs to itself; one that is off, to its agency."""
        return row.pk if row.is_active else row.parent_id or row.pk

    def check_may_add(self, values: dict[str, Any]) -> None:
        """Ask for the role in the agency."""
        check_role(self.access, self.add_role, values["parent_id"])


class GroupFilters(RowFilters):
    """What groups can be narrowed by."""

    name = filters.CharFilter(help_text="The whole name.")


class GroupViewSet(Managed):
    """Sets of locations, to share templates with."""

    model = Group
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    filterset_class = GroupFilters
    orders = ("-created_at", "name")


class LocationFilters(RowFilters):
    """What locations can be narrowed by."""

    group = ReferenceFilter(Group)
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")
    client_location_id = filters.CharFilter(help_text="The client's own id of the place.")
    client_account_id = filters.CharFilter(help_text="The client's own number.")
    is_active = FlagFilter()


class LocationViewSet(Managed):
    """Places that receive calls."""

    model = Location
    queryset = Location.objects.all()
    serializer_class = LocationSerializer
    filterset_class = LocationFilters
    orders = ("-created_at", "name")


class MemberFilters(RowFilters):
    """What members can be narrowed by."""

    email = filters.CharFilter(field_name="user__email", lookup_expr="iexact")


class MemberViewSet(Managed):
    """Who belongs to an account."""

    model = Membership
    queryset = Membership.objects.all()
    serializer_class = MemberSerializer
    filterset_class = MemberFilters
    view_role = add_role = change_role = delete_role = Role.ADMIN

    def rows(self) -> QuerySet[Membership]:
        """Fetch the person along."""
        return Membership.objects.select_related("user")

    def held_for(self, role: Role | None) -> Membership:
        """Hold the owners of the account before one of them."""
        lock_owners(self.row_for(role))
        member: Membership = super().held_for(role)
        return member

    def delete_row(self, row: Membership) -> None:
        """Let the member go."""
        remove_member(membership=row, by=self.access)


class ApiKeyViewSet(Listed, Created):
    """Keys for programs. A key is not changed: make another one and revoke this."""

    model = ApiKey
    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    view_role = add_role = Role.ADMIN
    without_body = frozenset({"revoke"})

    def get_serializer_class(self) -> Any:
        """Show the secret of a new key."""
        return IssuedKeySerializer if self.action == "create" else ApiKeySerializer

    def again(self, row: ApiKey) -> ApiKey:
        """Show the new key with its secret, which no query brings back."""
        return row

    @extend_schema(request=None, responses=ApiKeySerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """Stop a key from working, at once and for good."""
        key = self.held_for(Role.ADMIN)
        if key.revoked_at is None:
            key.revoke(timezone.now())
        return self.shown(key)
