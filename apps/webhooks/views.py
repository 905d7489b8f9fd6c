"""The reference of tokens."""

from itertools import groupby
from operator import attrgetter

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.webhooks.tokens import TOKENS, as_text


@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Show every token by category, with its type, meaning and example."""
    ordered = sorted(TOKENS.values(), key=attrgetter("category"))
    categories = [
        (
            category.label,
            [
                {"token": token, "example": as_text(token.example)}
                for token in sorted(members, key=attrgetter("name"))
            ],
        )
        for category, members in groupby(ordered, key=attrgetter("category"))
    ]
    context = {
        **admin.site.each_context(request),
        "title": "Tokens",
        "categories": categories,
        "total": len(TOKENS),
    }
    return TemplateResponse(request, "webhooks/tokens.html", context)
