"""Pages of an admin beside its list and its form, and the one that asks before it acts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

if TYPE_CHECKING:
    _Base = ModelAdmin[Any]
else:
    _Base = object


class TitledList(_Base):
    """Calls a list by what it shows; Django would call it by what somebody may do there."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list under the name that the side bar has for it."""
        titled = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        page: HttpResponse = super().changelist_view(request, titled)
        return page


def page_context(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, **shown: Any
) -> dict[str, Any]:
    """Return what a page of this admin shows: what every page does, and `shown`.

    A page of one row has it as `original`.
    """
    return {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **shown}


def confirmed(
    request: HttpRequest,
    *,
    title: str,
    question: str,
    button: str,
    back: str,
    act: Callable[[], HttpResponse],
    context: dict[str, Any],
    is_dangerous: bool = False,
) -> HttpResponse:
    """Act on a POST; on anything else ask first, and link back.

    `context` is what every page shows: that of `page_context`, with the row as `original`.
    """
    if request.method == "POST":
        return act()
    return confirmation(
        request,
        title=title,
        question=question,
        button=button,
        back=back,
        context=context,
        is_dangerous=is_dangerous,
    )


def confirmation(
    request: HttpRequest,
    *,
    title: str,
    question: str,
    button: str,
    back: str,
    context: dict[str, Any],
    is_dangerous: bool = False,
    template: str = "admin/confirm.html",
) -> HttpResponse:
    """Ask, and link back; the answer is posted to the same address.

    A `template` that extends the usual one shows more in its block `asked`.
    """
    return TemplateResponse(
        request,
        template,
        {
            **context,
            "title": title,
            "question": question,
            "button": button,
            "back": back,
            "is_dangerous": is_dangerous,
        },
    )
