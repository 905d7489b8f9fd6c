"""What is written to the audit log by name. Changes of rows get there by themselves.

The triggers of `apps.common.audit_triggers` write an entry for every row that is made, changed or
deleted, whoever does it by whatever way. What changes no row, as showing a secret, or says more
than the row that it changes, as a log-in, is recorded here, by the service that does it.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator

from django.db import connection

from apps.common.models import AccountOwned, AuditAction, AuditEntry, HooklineModel
from apps.common.origin import Origin, current_origin

# Entries that one step of a purge deletes.
STEP = 500
_PURGE = """
DELETE FROM common_auditentry WHERE id IN (
  SELECT id FROM common_auditentry WHERE account_id = %s AND created_at < %s
  ORDER BY created_at LIMIT %s)
"""


def record(
    *,
    action: AuditAction,
    account_id: uuid.UUID,
    subject: HooklineModel | None = None,
    note: str = "",
    by: Origin | None = None,
) -> AuditEntry:
    """Write that the current actor, or `by`, did this to a row or to the account.

    `note` is one line for people, and must not have secrets in it.
    """
    entry = _entry(action, account_id, subject, note, by or current_origin())
    entry.save(force_insert=True)
    return entry


def record_each(*, action: AuditAction, subjects: Iterable[AccountOwned], note: str = "") -> None:
    """Write an entry for each of these rows, in one statement."""
    who = current_origin()
    AuditEntry.objects.bulk_create(
        _entry(action, subject.account_id, subject, note, who) for subject in subjects
    )


def _entry(
    action: AuditAction,
    account_id: uuid.UUID,
    subject: HooklineModel | None,
    note: str,
    who: Origin,
) -> AuditEntry:
    return AuditEntry(
        account_id=account_id,
        action=action,
        note=note[:300],
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=subject.pk if subject is not None else None,
        object_label=subject.audit_label[:200] if subject is not None else "",
        actor_kind=who.kind,
        actor_id=who.actor_id,
        actor_label=who.label[:200],
        via=who.via,
        ip=who.ip,
        user_agent=who.user_agent,
        request_id=who.request_id,
    )


def purge_entries(*, account_id: uuid.UUID, until: dt.datetime) -> Iterator[int]:
    """Delete the entries of an account that are older, and return how many, step by step."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PURGE, [account_id, until, STEP])
            deleted = cursor.rowcount
        if deleted:
            yield deleted
        if deleted < STEP:
            return
