"""How pages show a test: sent between two scopes, as nothing may be open while it waits."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.template.response import TemplateResponse

from apps.common.access import Access
from apps.common.tenancy import tenant_scope
from apps.delivery.admin.attempts import shown_test
from apps.delivery.testing import RETRY_AFTER_S, PreparedTest, TooManyTests, send_and_tell


def answer_test(
    test: PreparedTest, *, access: Access, page: Callable[[dict[str, Any]], TemplateResponse]
) -> HttpResponse:
    """Send a test, and show what came back on a page; 429 while too many are under way.

    Must run outside of any transaction.
    """
    return answer_with(
        lambda: shown_test(send_and_tell(test, access=access)), access=access, page=page
    )


def answer_with(
    tried: Callable[[], dict[str, Any]],
    *,
    access: Access,
    page: Callable[[dict[str, Any]], TemplateResponse],
) -> HttpResponse:
    """Show on a page what `tried` returns, which may raise TooManyTests. See `answer_test`."""
    try:
        context, refused = tried(), ""
    except TooManyTests as error:
        context, refused = {}, str(error)
    with tenant_scope(access):
        response = page({**context, "refused": refused})
        if refused:
            response.status_code = 429
            response["Retry-After"] = str(RETRY_AFTER_S)
        return response.render()
