"""From rows to a CSV file."""

from collections import Counter
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.campaigns.sheets.kinds import KINDS
from apps.campaigns.sheets.reading import write_sheet
from apps.common.audit import record
from apps.common.models import AuditAction

MOST_EXPORTED = 100_000


def export_rows(*, kind: str, rows: QuerySet[Any]) -> bytes:
    """Return these rows as a file that can be imported again, and write in the log that it left.

    `rows` are of the kind's model, and within reach of whoever asks. Raises ValidationError for
    more than `MOST_EXPORTED`.
    """
    sheet = KINDS[kind]
    # A list leaves documents out, as the tags of campaigns.
    found = list(rows.defer(None).select_related(*sheet.related)[: MOST_EXPORTED + 1])
    if len(found) > MOST_EXPORTED:
        raise ValidationError(f"These are more than {MOST_EXPORTED:,}: filter the list first.")
    for account_id, total in Counter(row.account_id for row in found).items():
        note = f"{total:,} {sheet.model._meta.verbose_name_plural}"
        record(action=AuditAction.EXPORTED, account_id=account_id, note=note)
    return write_sheet(sheet.names, map(sheet.as_cells, found))
