"""The description of the API as pages, made by Swagger UI and Redoc from our own files."""

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe


@require_safe
@ensure_csrf_cookie
def swagger(request: HttpRequest) -> HttpResponse:
    """Show the description, to be tried out."""
    return render(request, "api/swagger.html")


@require_safe
@csp_update({"style-src": ["'unsafe-inline'"]})
def redoc(request: HttpRequest) -> HttpResponse:
    """Show the description, to be read.

    Redoc writes its style sheet into the page, so that inline styles are allowed here, on a page
    that shows a file of ours and nothing that anybody sent.
    """
    return render(request, "api/redoc.html")
