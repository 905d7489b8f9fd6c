"""The site itself: who comes in, and what every page knows."""

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject

from apps.common.admin.requests import access_of

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as _AdminSite
else:
    from unfold.sites import UnfoldAdminSite as _AdminSite

# Accounts that the switcher shows before somebody searches.
SWITCHER_CHOICES = 20


class HooklineAdminSite(_AdminSite):
    """The admin that everybody works in: who reaches an account comes in."""

    enable_nav_sidebar = True
    empty_value_display = "—"

    def get_urls(self) -> list[Any]:
        """Leave out the short cut to pages outside of the admin: there are none."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Work out which pages there are only where they are listed: the side bar is our own."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def has_permission(self, request: HttpRequest) -> bool:
        """Let active users in who reach at least one account, and operators."""
        if not request.user.is_active:
            return False
        access = access_of(request)
        leaves = request.resolver_match is not None and request.resolver_match.url_name == "logout"
        return leaves or access.is_operator or bool(access.accounts)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask who it is; somebody known who reaches no account is told so instead."""
        user = request.user
        if not isinstance(user, AnonymousUser) and not self.has_permission(request):
            context = {**self.each_context(request), "title": "No account yet", "person": user}
            return TemplateResponse(request, "admin/no_account.html", context, status=403)
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the account switcher; the theme's colours come from our style sheet.

        The theme would write them into each page as an inline style, which our content security
        policy refuses.
        """
        access = access_of(request)
        return {
            **super().each_context(request),
            "colors": None,
            "border_radius": None,
            "access": access,
            "shows_switcher": len(access.accounts) > 1,
            "switcher_choices": list(access.accounts.values())[:SWITCHER_CHOICES],
        }


def operators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer operators; for anybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not access_of(request).is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
