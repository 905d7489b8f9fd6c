"""Actions that ask before they act."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


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

    `context` is what the site gives every page, with `opts` and `original` of the row.
    """
    if request.method == "POST":
        return act()
    return TemplateResponse(
        request,
        "admin/confirm.html",
        {
            **context,
            "title": title,
            "question": question,
            "button": button,
            "back": back,
            "is_dangerous": is_dangerous,
        },
    )
