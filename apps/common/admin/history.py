"""Who did what to a row."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

from apps.common.tenancy import system_scope

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    _Base = object


class HistoryPage(_Base):
    """Shows the whole log of a row to those who see the row.

    Operators and people of the agency are behind the wall, and their entries with them. So the page
    is made outside of it, once it is clear that the row may be seen.
    """

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the log."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_or_change_permission(request, row):
            return super().history_view(request, object_id, extra_context)
        with system_scope():
            page: HttpResponse = super().history_view(request, object_id, extra_context)
            if isinstance(page, SimpleTemplateResponse):
                page.render()
        return page
