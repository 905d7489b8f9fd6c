"""Who did what to a row."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.common.access import Role
from apps.common.admin.pages import page_context
from apps.common.admin.requests import access_of
from apps.common.audit import record
from apps.common.audit_reading import told
from apps.common.models import AuditAction, AuditEntry, HooklineModel

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    _Base = object

_MOST_SHOWN = 100


class HistoryPage(_Base):
    """Shows what was done to a row to those who see the row, out of the audit log."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the newest entries; from where they came is for admins, in the log itself."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_or_change_permission(request, row):
            page: HttpResponse = super().history_view(request, object_id, extra_context)
            return page
        entries = list(AuditEntry.objects.about(row.pk)[: _MOST_SHOWN + 1])
        context = page_context(
            self,
            request,
            original=row,
            title=str(row),
            subtitle="History",
            entries=told(entries[:_MOST_SHOWN]),
            has_more=len(entries) > _MOST_SHOWN,
            reads_log=access_of(request).has_role(Role.ADMIN, getattr(row, "account_id", row.pk)),
        )
        return TemplateResponse(request, "admin/history.html", context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note what a page says beside the change itself, which the database has written."""
        self._note(obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note what a page says beside the change itself, which the database has written."""
        self._note(obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Leave it to the database."""

    def _note(self, row: HooklineModel, message: Any) -> None:
        account_id = getattr(row, "account_id", None)
        if isinstance(message, str) and account_id is not None:
            record(action=AuditAction.NOTED, account_id=account_id, subject=row, note=message)
