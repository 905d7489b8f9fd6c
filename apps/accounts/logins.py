"""What the audit log tells of log-ins: in each account that somebody belongs to."""

import datetime as dt
import logging
from dataclasses import replace

from django.utils import timezone

from apps.accounts.models import User
from apps.common.audit import record
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind, current_origin

logger = logging.getLogger(__name__)

# Who guesses passwords all night must not fill the log of an account.
_MOST_FAILED_AN_HOUR = 60
_NEWEST = 50


def actor_label(user: User) -> str:
    """Return name and e-mail of somebody, as they stay in the audit log."""
    return f"{user.full_name} ({user.email})" if user.full_name else user.email


def record_login(*, user: User) -> None:
    """Write that somebody has logged in; runs before they are known to the request."""
    who = replace(current_origin(), kind=ActorKind.USER, actor_id=user.pk, label=actor_label(user))
    for membership in user.memberships.order_by("pk"):
        record(action=AuditAction.LOGGED_IN, account_id=membership.account_id, subject=user, by=who)


def record_failed_login(*, email: str) -> None:
    """Write that somebody tried to log in as this person; to the process's log, if it is nobody."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        logger.warning("Somebody tried to log in with an e-mail that nobody has.")
        return
    since = timezone.now() - dt.timedelta(hours=1)
    for membership in user.memberships.order_by("pk"):
        lately = AuditEntry.objects.filter(
            account_id=membership.account_id,
            action=AuditAction.LOGIN_FAILED,
            created_at__gte=since,
        )
        if lately.count() < _MOST_FAILED_AN_HOUR:
            record(action=AuditAction.LOGIN_FAILED, account_id=membership.account_id, subject=user)


def addresses_of_logins(*, email: str) -> list[str]:
    """Return from where the person with this e-mail has logged in, the newest times."""
    entries = AuditEntry.objects.filter(
        object_id__in=User.objects.filter(email=email.strip().lower()).values("pk"),
        action=AuditAction.LOGGED_IN,
        ip__isnull=False,
    )
    return [
        str(ip) for ip in entries.values_list("ip", flat=True).order_by("-created_at")[:_NEWEST]
    ]
