"""Forms about accounts, people and keys."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts.hours_form import BusinessHoursForm
from apps.accounts.inviting import is_last_owner
from apps.accounts.logins import record_failed_login, record_login
from apps.accounts.models import Account, ApiKey, Location, Membership, Scope
from apps.accounts.throttling import check_login_rate
from apps.accounts.time_zones import time_zones
from apps.common.access import Access, Role
from apps.common.admin import AccountScopedForm
from apps.common.admin.theme import (
    AuthenticationForm,
    CheckboxSelectMultiple,
    EmailInput,
    SearchableSelect,
)
from apps.common.moments import NOT_OF_THESE_YEARS, YEARS

if TYPE_CHECKING:
    _AccountModelForm = forms.ModelForm[Account]
else:
    _AccountModelForm = forms.ModelForm


class LoginForm(AuthenticationForm):
    """Signs in by e-mail."""

    error_messages = {
        "invalid_login": (
            "No active user has this e-mail and password. The password is case-sensitive."
        ),
        "inactive": "This user is switched off. Ask an admin of your account.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def clean(self) -> dict[str, Any]:
        """Refuse who guesses passwords before the password is looked at."""
        check_login_rate(email=self.cleaned_data.get("username") or "")
        return super().clean() or {}

    def confirm_login_allowed(self, user: Any) -> None:
        """Write in the log of each of their accounts that somebody logs in."""
        super().confirm_login_allowed(user)
        record_login(user=user)

    def get_invalid_login_error(self) -> ValidationError:
        """Write in the log that somebody tried to."""
        record_failed_login(email=self.cleaned_data.get("username") or "")
        return super().get_invalid_login_error()


class AccountForm(_AccountModelForm):
    """An account; its time zone comes from a list."""

    time_zone = forms.ChoiceField(widget=SearchableSelect)

    class Meta:
        model = Account
        fields = [
            "name",
            "kind",
            "parent",
            "time_zone",
            "has_reverse_lookup",
            "is_active",
            "keep_bodies_days",
            "keep_records_days",
            "keep_audit_days",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_time_zones(self)
        # Those who only look are shown none of these.
        for name in {"keep_bodies_days", "keep_records_days", "keep_audit_days"} & set(self.fields):
            self.fields[name].required = False

    def clean_keep_bodies_days(self) -> int:
        """Leave it as it is where nothing is said."""
        return self._days("keep_bodies_days")

    def clean_keep_records_days(self) -> int:
        """Leave it as it is where nothing is said."""
        return self._days("keep_records_days")

    def clean_keep_audit_days(self) -> int:
        """Leave it as it is where nothing is said."""
        return self._days("keep_audit_days")

    def _days(self, name: str) -> int:
        days: int | None = self.cleaned_data[name]
        return getattr(self.instance, name) if days is None else days


class LocationForm(BusinessHoursForm, AccountScopedForm):
    """A place; its time zone comes from a list."""

    time_zone = forms.ChoiceField(
        widget=SearchableSelect, help_text="Times in payloads can be told in this zone."
    )

    class Meta:
        model = Location
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_time_zones(self)

    def clean_country(self) -> str:
        """Keep country codes in capitals."""
        code: str = self.cleaned_data["country"].upper()
        return code


class MembershipForm(AccountScopedForm):
    """A member's role."""

    access: ClassVar[Access]

    class Meta:
        model = Membership
        fields = ["role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            own = max(self.access.accounts[key].role for key in self.account_ids)
            self.fields["role"].choices = grantable_roles(own)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse what `change_role` would."""
        cleaned = super().clean() or {}
        role = cleaned.get("role")
        lowers = role is not None and role < Role.OWNER
        if lowers and not self.instance._state.adding and is_last_owner(self.instance):
            self.add_error("role", "An account needs an owner: make somebody else one first.")
        return cleaned


class InvitationForm(MembershipForm):
    """Somebody's e-mail and the role they get."""

    email = forms.EmailField(
        label="E-mail",
        widget=EmailInput,
        help_text="Who has no user yet gets a link to choose a password. If the link is lost or too"
        " old, invite them again.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse what `invite` would."""
        cleaned = super().clean()
        account_id = cleaned["account"].pk if cleaned.get("account") else self.instance.account_id
        role, email = cleaned.get("role"), cleaned.get("email", "").lower()
        if account_id and role is not None and not self.access.has_role(Role(role), account_id):
            self.add_error("role", "You can not give a role above your own.")
        members = Membership.objects.filter(account_id=account_id, user__email=email)
        if any(member.user.has_usable_password() for member in members.select_related("user")):
            self.add_error("email", "This person is a member already.")
        return cleaned


class ApiKeyForm(AccountScopedForm):
    """A new key."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        widget=CheckboxSelectMultiple,
        help_text="Give a key no more than its program needs.",
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "expires_at"]

    def clean_expires_at(self) -> Any:
        """Refuse a moment that has passed."""
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError("This moment has passed already.")
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(NOT_OF_THESE_YEARS)
        return moment


def offer_time_zones(form: Any) -> None:
    """Let the form's time zone be chosen from all there are."""
    if field := form.fields.get("time_zone"):
        names = sorted(time_zones())
        field.choices = [(name, name.replace("_", " ")) for name in names]


def grantable_roles(own: Role) -> list[tuple[int, str]]:
    """Return the roles that somebody with this one may give."""
    return [(role, role.name.capitalize()) for role in Role if role <= own]
