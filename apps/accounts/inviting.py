"""Who belongs to an account: inviting people, changing their role, letting them go."""

import logging
import uuid

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from apps.accounts.models import Account, Membership, User
from apps.accounts.throttling import check_invitation_rate
from apps.common.access import Access, Role
from apps.common.audit import record
from apps.common.models import AuditAction
from apps.common.tenancy import system_scope

logger = logging.getLogger(__name__)


@transaction.atomic
def invite(*, account: Account, email: str, role: Role, by: Access) -> Membership:
    """Make somebody a member and tell them by e-mail; a new user gets a link to set a password.

    Who is a member but has not chosen a password yet is invited again, with this role.
    Raises PermissionDenied unless `by` is an admin of the account, ValidationError for a role
    above the own one, for somebody who is a member already, and for too many of late.
    """
    _check_may_grant(role=role, account_id=account.pk, by=by)
    email = email.strip().lower()
    check_invitation_rate(email=email, account_id=account.pk)
    # Whether a user exists is no business of the account, so the wall is lifted for this.
    with system_scope():
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User(email=email)
            user.set_unusable_password()
            user.full_clean()
            user.save()
        membership = Membership.objects.filter(account=account, user=user).first()
        if membership is not None and user.has_usable_password():
            raise ValidationError({"email": "This person is a member already."})
        if membership is None:
            membership = Membership.objects.create(account=account, user=user, role=role)
        else:
            record(action=AuditAction.INVITED, account_id=account.pk, subject=membership)
    if membership.role != role:
        change_role(membership=membership, role=role, by=by)
    transaction.on_commit(lambda: _send_invitation(user=user, account=account), robust=True)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Access) -> None:
    """Give a member another role. Raises as `invite`, and for the last owner."""
    check_may_manage(membership=membership, by=by)
    _check_may_grant(role=role, account_id=membership.account_id, by=by)
    lock_owners(membership)
    if role < Role.OWNER and is_last_owner(membership):
        raise ValidationError({"role": "An account needs an owner: make somebody else one first."})
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(*, membership: Membership, by: Access) -> None:
    """Let a member go. Raises PermissionDenied, and ValidationError for the last owner."""
    check_may_manage(membership=membership, by=by)
    lock_owners(membership)
    if is_last_owner(membership):
        raise ValidationError("An account needs an owner: make somebody else one first.")
    membership.delete()


def check_may_manage(*, membership: Membership, by: Access) -> None:
    """Raise PermissionDenied unless `by` is an admin there, and not below the member."""
    account_id = membership.account_id
    stored = Membership.objects.filter(pk=membership.pk).values_list("role", flat=True).first()
    if not (
        by.has_role(Role.ADMIN, account_id) and by.has_role(Role(stored or Role.OWNER), account_id)
    ):
        raise PermissionDenied


def is_last_owner(membership: Membership) -> bool:
    """Tell whether the account would be without an owner."""
    return list(_owners(membership)) == [membership.pk]


def lock_owners(membership: Membership) -> None:
    """See to it that of two owners who leave at the same moment one stays.

    Whoever holds one of them has locked all first, or two could wait for each other.
    """
    list(_owners(membership).select_for_update())


def _owners(membership: Membership) -> QuerySet[Membership, uuid.UUID]:
    owners = Membership.objects.filter(account_id=membership.account_id, role=Role.OWNER)
    # The usual order by e-mail would lock people, whom the wall does not let us change.
    return owners.order_by("pk").values_list("pk", flat=True)


def _check_may_grant(*, role: Role, account_id: object, by: Access) -> None:
    if not by.has_role(Role.ADMIN, account_id):  # type: ignore[arg-type]
        raise PermissionDenied
    if not by.has_role(role, account_id):  # type: ignore[arg-type]
        raise ValidationError({"role": "You can not give a role above your own."})


def _send_invitation(*, user: User, account: Account) -> None:
    if not user.has_usable_password():
        path = reverse(
            "password_reset_confirm",
            args=[
                urlsafe_base64_encode(force_bytes(user.pk)),
                default_token_generator.make_token(user),
            ],
        )
        step = f"Choose a password to get in:\n\n{settings.PUBLIC_URL}{path}"
    else:
        step = f"Log in as always:\n\n{settings.PUBLIC_URL}"
    send_mail(
        subject=f"You are a member of {account.name} in Hookline",
        message=f"You were added to the account {account.name} in Hookline.\n\n{step}\n",
        from_email=None,
        recipient_list=[user.email],
    )
