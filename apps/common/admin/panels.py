"""Tabs of a row's page that show what belongs to it, each at an address of its own.

A room adds its tabs to the page of a room below it in its admin file:
`LocationAdmin.panels += (WebhooksPanel,)`.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.common.access import Access, Role
from apps.common.admin.pages import page_context
from apps.common.admin.requests import access_of

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    _Base = object


class Panel:
    """One tab."""

    slug: ClassVar[str]
    title: ClassVar[str]
    template_name: ClassVar[str]
    view_role: ClassVar[Role] = Role.VIEWER

    def context(self, row: Any, access: Access) -> dict[str, Any]:
        """Return what the template shows of the row."""
        raise NotImplementedError


class PanelPages(_Base):
    """Gives an admin's change page a tab for each of `panels`."""

    panels: ClassVar[Sequence[type[Panel]]] = ()
    details_title: ClassVar[str] = "Details"

    def get_urls(self) -> list[URLPattern]:
        """Add the address of every tab."""
        pages = [
            path(
                f"<path:object_id>/{panel.slug}/",
                self.admin_site.admin_view(partial(self._panel_view, panel=panel)),
                name=self._url_name(panel.slug),
            )
            for panel in self.panels
        ]
        return [*pages, *super().get_urls()]

    def _panel_view(self, request: HttpRequest, object_id: str, panel: type[Panel]) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined, no-any-return]
                request, self.opts, object_id
            )
        access = access_of(request)
        if not (
            self.has_view_permission(request, row)
            and access.has_role(panel.view_role, row.account_id)
        ):
            raise PermissionDenied
        return self.panel_page(request, row, panel)

    def panel_page(
        self, request: HttpRequest, row: Any, panel: type[Panel], **shown: Any
    ) -> HttpResponse:
        """Return a tab of a row; `shown` goes before what the tab itself shows."""
        access = access_of(request)
        context = {
            **page_context(self, request, original=row),
            **self.tabs(request, row, current=panel.slug),
            **panel().context(row, access),
            "title": str(row),
            "subtitle": panel.title,
            "panel": panel,
            "may_work": access.has_role(Role.MEMBER, row.account_id),
            **shown,
        }
        return TemplateResponse(request, panel.template_name, context)

    def tabs(self, request: HttpRequest, row: Any, current: str | None) -> dict[str, Any]:
        """The tabs that the role in the account of the row opens."""
        access = access_of(request)
        details = self.details_title if self.has_change_permission(request, row) else "Details"
        items = [
            {
                "title": title,
                "link": reverse(f"admin:{self._url_name(slug or 'change')}", args=[row.pk]),
                "active": slug == current,
                "has_permission": access.has_role(role, row.account_id),
            }
            for slug, title, role in (
                (None, details, Role.VIEWER),
                *((panel.slug, panel.title, panel.view_role) for panel in self.panels),
            )
        ]
        page = {"name": str(self.opts), "detail": True}
        return {"tab_list": [{"models": [page], "items": items}]}

    def _url_name(self, action: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{action}"
