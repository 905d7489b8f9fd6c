"""Accounts, places, people and keys as the API shows and takes them."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from apps.accounts.authentication import KeyBearer
from apps.accounts.inviting import change_role, invite
from apps.accounts.models import Account, AccountKind, ApiKey, Group, Location, Membership, Scope
from apps.accounts.services import issue_key
from apps.common.access import Role
from apps.common.api.fields import AccountKey, PublicId, Reference
from apps.common.api.serializers import AccountSerializer, RowSerializer, own_account, refuse
from apps.common.api.views import access_of
from apps.common.problems import Problem


class AccountRowSerializer(RowSerializer):
    """An account; new ones are clients of an agency."""

    fixed = ("parent_id",)

    agency = AccountKey(source="parent_id", required=False, allow_null=True)
    kind = serializers.ChoiceField(AccountKind.choices, read_only=True)

    class Meta:
        model = Account
        fields = [
            "id",
            "name",
            "kind",
            "agency",
            "time_zone",
            "has_reverse_lookup",
            "keep_bodies_days",
            "keep_records_days",
            "keep_audit_days",
            "is_active",
            "created_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the agency of a new account; let the agency alone switch one on and off."""
        attrs = super().validate(attrs)
        access = access_of(self.context["request"])
        account = self.instance
        if account is None:
            attrs["parent_id"] = agency = attrs.get("parent_id") or own_account(access)
            if not access.accounts[agency].is_agency:
                refuse("/agency", "invalid", "Only an agency can manage client accounts.")
            return attrs
        is_switched = attrs.get("is_active", account.is_active) != account.is_active
        by_agency = account.parent_id and access.has_role(Role.ADMIN, account.parent_id)
        if is_switched and not (by_agency or access.is_operator):
            raise Problem(
                403, "permission_denied", "Only its agency switches an account on and off."
            )
        return attrs


class GroupSerializer(AccountSerializer):
    """A set of locations."""

    class Meta:
        model = Group
        fields = ["id", "account", "name", "created_at"]


class LocationSerializer(AccountSerializer):
    """A place that receives calls."""

    account_from = ("group",)
    expandable = {"group": GroupSerializer}

    group = Reference(Group, required=False, allow_null=True)
    country = serializers.RegexField(
        "^[A-Za-z]{2}$", required=False, help_text="Two letters, as US (ISO 3166-1)."
    )
    business_hours = serializers.JSONField(
        required=False,
        help_text='By day, spans of minutes in its time zone, as {"mon": [[540, 1020]]}.',
    )

    class Meta:
        model = Location
        fields = [
            "id",
            "account",
            "name",
            "group",
            "address_line_1",
            "address_line_2",
            "city",
            "state",
            "zip",
            "country",
            "time_zone",
            "business_hours",
            "client_account_id",
            "client_location_id",
            "site_id",
            "domain_id",
            "is_active",
            "created_at",
        ]

    def validate_country(self, code: str) -> str:
        """Keep country codes in capitals."""
        return code.upper()


class RoleField(serializers.ChoiceField):
    """A role by its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__([role.name.lower() for role in Role], **kwargs)

    def to_internal_value(self, data: Any) -> Role:  # type: ignore[override]
        """Return the role."""
        return Role[str(super().to_internal_value(data)).upper()]

    def to_representation(self, value: Any) -> str:
        """Return its name."""
        return Role(value).name.lower()


class MemberSerializer(AccountSerializer):
    """Somebody who belongs to an account. A new one is invited by e-mail."""

    fixed = ("email",)

    email = serializers.EmailField(source="user.email", max_length=254)
    name = serializers.CharField(source="shown_name", read_only=True)
    role = RoleField()

    class Meta:
        model = Membership
        fields = ["id", "account", "email", "name", "role", "created_at"]

    def validate_role(self, role: Role) -> Role:
        """Let a key make nobody who could make keys: it would outlive being revoked."""
        if isinstance(self.context["request"].user, KeyBearer) and role > Role.MEMBER:
            raise serializers.ValidationError("A key gives no role above member.", "not_held")
        return role

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Keep the e-mail of an existing member."""
        attrs["email"] = attrs.pop("user", {}).get("email", "")
        if self.instance is not None and attrs.pop("email") not in ("", self.instance.user.email):
            refuse("/email", "fixed", "This can not be changed any more.")
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Membership:
        """Invite them."""
        return invite(
            account=Account.objects.get(pk=validated_data["account_id"]),
            email=validated_data["email"],
            role=validated_data["role"],
            by=access_of(self.context["request"]),
        )

    def update(self, instance: Membership, validated_data: dict[str, Any]) -> Membership:
        """Give them another role."""
        if (role := validated_data.get("role")) is not None:
            change_role(membership=instance, role=role, by=access_of(self.context["request"]))
        return instance


class ApiKeySerializer(AccountSerializer):
    """A key, without its secret."""

    scopes = serializers.MultipleChoiceField(choices=Scope.choices, allow_empty=False)
    created_by = PublicId("usr", source="created_by_id", allow_null=True)

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "account",
            "name",
            "hint",
            "scopes",
            "created_by",
            "last_used_at",
            "expires_at",
            "revoked_at",
            "created_at",
        ]
        read_only_fields = ["last_used_at", "revoked_at"]

    def to_representation(self, instance: ApiKey) -> dict[str, Any]:
        """Keep the scopes in their order."""
        shown: dict[str, Any] = super().to_representation(instance)
        if "scopes" in shown:
            shown["scopes"] = [scope for scope in Scope.values if scope in instance.scopes]
        return shown

    def validate_expires_at(self, moment: Any) -> Any:
        """Refuse a moment that has passed."""
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("This moment has passed already.", "past")
        return moment

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let no key outlive the one that makes it."""
        sender = self.context["request"].user
        if isinstance(sender, KeyBearer) and (last := sender.key.expires_at) is not None:
            ends_at = attrs.setdefault("expires_at", last)
            if ends_at is None or ends_at > last:
                refuse("/expires_at", "not_held", "A key can not outlive the one that makes it.")
        return super().validate(attrs)

    def validate_scopes(self, scopes: set[str]) -> list[str]:
        """Let no key give more than it has."""
        sender = self.context["request"].user
        if isinstance(sender, KeyBearer) and not all(map(sender.may, scopes)):
            raise serializers.ValidationError("A key can not give what it lacks.", "not_held")
        return sorted(scopes)


class IssuedKeySerializer(ApiKeySerializer):
    """A new key with its secret, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "token"]

    def create(self, validated_data: dict[str, Any]) -> ApiKey:
        """Make the key."""
        sender = self.context["request"].user
        key, token = issue_key(
            account=Account.objects.get(pk=validated_data["account_id"]),
            name=validated_data["name"],
            scopes=validated_data["scopes"],
            by=None if isinstance(sender, KeyBearer) else sender,
            expires_at=validated_data.get("expires_at"),
        )
        key.token = token  # type: ignore[attr-defined]
        return key
