"""Where the screens are, and what is typed there."""

from typing import Any

from django.test import Client
from django.urls import reverse

from apps.faces.models import PostCallAction

URL = "https://93.184.216.34"
ACTION: dict[str, Any] = {
    "name": "Warehouse",
    "is_active": "on",
    "option": "call_details",
    "submit_type": "GET",
    "domain": URL,
    "page": "/post_call.php",
    "static_parameters": "client_id=1234",
    "parameters-key": ["caller_id", "sid"],
    "parameters-name": ["from", "sid"],
}


def address(page: str, *args: Any, screen: str = "postcallaction") -> str:
    return reverse(f"admin:faces_{screen}_{page}", args=args)


def errors(page: Any) -> dict[str, Any]:
    assert page.status_code == 200
    found: dict[str, Any] = page.context["adminform"].form.errors
    return found


def made(browser: Client, **answers: Any) -> PostCallAction:
    assert browser.post(address("add"), {**ACTION, **answers}).status_code == 302
    action: PostCallAction = PostCallAction.objects.get()
    return action
