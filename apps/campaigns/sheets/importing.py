"""Imports, from the file to the rows. The row of an import is the truth of how far it has come.

Up to `AT_ONCE` rows are checked and written by the request that asks. What is larger is the sweep's
work: it begins anew with what a process left that died, as nothing is half written.
"""

import datetime as dt
import logging
import time
import uuid
from dataclasses import asdict, replace

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Account, User
from apps.campaigns.models import Import, SheetKind
from apps.campaigns.sheets.checking import Checked, check_rows
from apps.campaigns.sheets.kinds import KINDS, Kind
from apps.campaigns.sheets.reading import MOST_BYTES, Fault, SheetRow, UnreadableSheet, read_sheet
from apps.common.access import Access, ReachableAccount, Role
from apps.common.audit import record
from apps.common.locks import hold
from apps.common.models import AuditAction
from apps.common.origin import ActorKind, Origin, acting, current_origin
from apps.common.outages import is_database_away
from apps.common.tenancy import tenant_scope

logger = logging.getLogger(__name__)

AT_ONCE = 500
# Faults that are kept of one file.
MOST_FAULTS = 1_000
_BATCH = 1_000
# Large files of an account that wait for the sweep, and files that are kept of it at all: until
# they are confirmed, or for so long.
MOST_AT_WORK = 5
MOST_KEPT = 10
KEPT_FOR = dt.timedelta(days=1)
# What one sweep spends on files of all accounts, in seconds.
TURN_S = 5.0


def start_import(
    *, account_id: uuid.UUID, kind: str, file_name: str, content: bytes, by: User | None
) -> Import:
    """Take a file in, check it, and return the import: ready, or with each fault by its cell.

    A file of more than `AT_ONCE` rows is returned as being checked. Nothing is written before
    `confirm_import`. Raises ValidationError for a kind that does not exist (`kind`) and for a file
    that can not be read at all, or while `MOST_AT_WORK` others wait or `MOST_KEPT` are not
    confirmed (`file`).
    """
    if kind not in SheetKind.values:
        raise ValidationError({"kind": f"There is no such kind: {', '.join(SheetKind.values)}."})
    if len(content) > MOST_BYTES:
        raise ValidationError({"file": f"The file is larger than {MOST_BYTES:,} bytes; split it."})
    _check_there_is_room(account_id)
    try:
        rows, faults = _read(KINDS[kind], content)
    except UnreadableSheet as error:
        raise ValidationError({"file": str(error)}) from None
    made = Import(
        account_id=account_id,
        kind=kind,
        file_name="".join(filter(str.isprintable, file_name))[:200] or "file",
        content=content,
        started_by=by,
        origin=_plain_origin(current_origin()),
        row_total=len(rows),
    )
    made.save()
    if len(rows) <= AT_ONCE:
        _check(made, rows, faults)
    return made


def _check_there_is_room(account_id: uuid.UUID) -> None:
    hold(f"files {account_id}")
    files = Import.objects.filter(account_id=account_id)
    if files.filter(state__in=Import.State.at_work()).count() >= MOST_AT_WORK:
        raise ValidationError(
            {"file": f"{MOST_AT_WORK} files are being checked or written; wait for one of them."}
        )
    if files.filter(state__in=Import.State.with_file()).count() >= MOST_KEPT:
        raise ValidationError(
            {"file": f"{MOST_KEPT} files wait to be confirmed; confirm or cancel one of them."}
        )


def confirm_import(*, imported: Import) -> Import:
    """Write an import that is ready, all of it or nothing; return it as it then is.

    Rows may have changed since it was checked, so that it is checked again, and may be refused.
    Raises ValidationError for one that is not ready.
    """
    confirmed = Import.objects.filter(pk=imported.pk, state=Import.State.READY).update(
        state=Import.State.WRITING
    )
    imported.refresh_from_db()
    if not confirmed:
        raise ValidationError(f"This import is not ready: {imported.get_state_display().lower()}.")
    if imported.row_total <= AT_ONCE:
        _write(imported)
    return imported


def cancel_import(*, imported: Import) -> Import:
    """Cancel an import that was not confirmed, and drop its file; return it as it then is."""
    Import.objects.filter(pk=imported.pk, state__in=Import.State.to_cancel()).update(
        state=Import.State.CANCELLED, content=b"", finished_at=timezone.now()
    )
    imported.refresh_from_db()
    return imported


def work_imports(turn_s: float = TURN_S) -> None:
    """Check and write what is too large for a request, oldest first. The sweep's work.

    Begins with none after so many seconds. One that fails is refused, and keeps no other waiting.
    Files that nobody has confirmed in time are thrown away.
    """
    until = time.monotonic() + turn_s
    at_work = Import.objects.filter(state__in=Import.State.at_work())
    # One file in memory at a time.
    for key in at_work.order_by("created_at").values_list("pk", flat=True):
        imported = at_work.filter(pk=key).first()
        if imported is None:
            continue
        try:
            _work(imported)
        except Exception as error:
            if is_database_away(error):
                raise
            logger.exception("Import %s failed.", imported.public_id)
            message = "This file can not be imported: something in it was not foreseen."
            _end_check(imported, Checked(faults=[Fault(0, "", "failed", message)]))
        if time.monotonic() >= until:
            break
    Import.objects.filter(
        state=Import.State.READY, created_at__lt=timezone.now() - KEPT_FOR
    ).update(state=Import.State.CANCELLED, content=b"", finished_at=timezone.now())


def _work(imported: Import) -> None:
    if imported.state == Import.State.CHECKING:
        _check(imported, *_read(KINDS[imported.kind], bytes(imported.content)))
        return
    with acting(_origin_of(imported)), tenant_scope(_access_to(imported.account)):
        _write(imported)


def _read(kind: Kind, content: bytes) -> tuple[list[SheetRow], list[Fault]]:
    required = [column.name for column in kind.columns if column.is_required]
    return read_sheet(content, columns=kind.names, required=required)


def _check(imported: Import, rows: list[SheetRow], faults: list[Fault]) -> None:
    def tell(count: int) -> None:
        Import.objects.filter(pk=imported.pk).update(checked_count=count)

    checked = check_rows(
        kind=KINDS[imported.kind], account_id=imported.account_id, rows=rows, on_progress=tell
    )
    # What is missing in the header is not told of each row again.
    missing = {fault.column for fault in faults if fault.code == "missing_column"}
    checked.faults = faults + [
        fault
        for fault in checked.faults
        if not (fault.code == "required" and fault.column in missing)
    ]
    checked.faults.sort(key=lambda fault: fault.row)
    _end_check(imported, checked)


def _end_check(imported: Import, checked: Checked) -> None:
    """Keep what a check has found; what was cancelled meanwhile stays so.

    Of a file with faults nothing else is needed any more.
    """
    _count(imported, checked)
    imported.state = Import.State.REFUSED if checked.faults else Import.State.READY
    dropped = {"content": b""} if checked.faults else {}
    Import.objects.filter(pk=imported.pk, state__in=Import.State.at_work()).update(
        state=imported.state,
        checked_count=imported.row_total,
        created_count=imported.created_count,
        changed_count=imported.changed_count,
        unchanged_count=imported.unchanged_count,
        fault_count=imported.fault_count,
        faults=imported.faults,
        **dropped,
    )


def _count(imported: Import, checked: Checked) -> None:
    imported.created_count = len(checked.created)
    imported.changed_count = len(checked.changed)
    imported.unchanged_count = checked.unchanged
    imported.fault_count = len(checked.faults)
    imported.faults = [asdict(fault) for fault in checked.faults[:MOST_FAULTS]]


@transaction.atomic
def _write(imported: Import) -> None:
    """Check once more, and write: all rows in this transaction, or none."""
    # Only one import is written into an account at a time.
    hold(f"import {imported.account_id}")
    if not Import.objects.filter(pk=imported.pk, state=Import.State.WRITING).exists():
        # Another sweep has written it meanwhile.
        return
    kind = KINDS[imported.kind]
    rows, _ = _read(kind, bytes(imported.content))
    checked = check_rows(kind=kind, account_id=imported.account_id, rows=rows)
    if not checked.faults:
        try:
            with transaction.atomic():
                _store(kind, checked)
        except IntegrityError:
            message = "Two rows take each other's place, or somebody saved the same just now."
            checked = Checked(faults=[Fault(0, "", "conflict", message)])
    if checked.faults:
        _end_check(imported, checked)
        return
    _count(imported, checked)
    imported.state, imported.content = Import.State.DONE, b""
    imported.finished_at = timezone.now()
    counts = ["created_count", "changed_count", "unchanged_count"]
    imported.save(update_fields=["state", "content", "finished_at", *counts])
    note = f"{len(checked.created):,} new, {len(checked.changed):,} changed"
    record(action=AuditAction.IMPORTED, account_id=imported.account_id, subject=imported, note=note)


def _store(kind: Kind, checked: Checked) -> None:
    rows = kind.model._base_manager
    rows.bulk_create(checked.created, batch_size=_BATCH)
    if checked.changed:
        # As one statement a batch; an update by keys would be a hundred times as long.
        rows.bulk_create(
            checked.changed,
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=sorted(checked.fields),
        )


def _plain_origin(origin: Origin) -> dict[str, object]:
    return {**asdict(origin), "actor_id": str(origin.actor_id or "") or None}


def _origin_of(imported: Import) -> Origin:
    plain = dict(imported.origin)
    key = plain.pop("actor_id", None)
    origin = Origin(**{**plain, "kind": ActorKind(plain["kind"])})
    return replace(origin, actor_id=uuid.UUID(key) if key else None)


def _access_to(account: Account) -> Access:
    """What the sweep may reach while it writes for somebody: that one account."""
    reachable = ReachableAccount(account.pk, account.name, account.is_agency, Role.MEMBER)
    return Access(accounts={account.pk: reachable})
