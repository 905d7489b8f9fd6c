"""What phone platforms do: post events with a key, or call a source's URL."""

from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.test import Client

from apps.intake.adapters.twilio_signature import sign
from apps.intake.models import Source
from tests.builders import World, bearer

EVENTS_URL = "/api/v1/events"
FORM = "application/x-www-form-urlencoded"


def post_events(
    world: World | str | None, body: Any, *, content_type: str = "application/json", **headers: str
) -> Any:
    """Post a body with a key, as JSON unless it is bytes already; 500 is an answer too."""
    token = world.token if isinstance(world, World) else world
    return Client(raise_request_exception=False).post(
        EVENTS_URL,
        body if isinstance(body, bytes) else orjson.dumps(body),
        content_type=content_type,
        headers={**(bearer(token) if token else {}), **headers},
    )


def path_of(source: Source) -> str:
    """Return the path of the URL that a source calls."""
    return f"/api/v1/callbacks/{source.public_id}/{source.url_key}"


def call(source: Source, body: bytes | str, *, content_type: str = FORM, **headers: str) -> Any:
    """Post a body to a source's URL; 500 is an answer too."""
    return Client(raise_request_exception=False).post(
        path_of(source), body, content_type=content_type, headers=headers
    )


class Twilio:
    """Twilio, which signs with an auth token what it posts to a source's URL."""

    def __init__(self, source: Source, token: str = "", public_url: str = "") -> None:
        self.source = source
        self.token = token or source.auth_token
        self.public_url = public_url or settings.PUBLIC_URL

    def post(self, query: str = "", **form: str) -> Any:
        """Post a signed form."""
        path = path_of(self.source) + (f"?{query}" if query else "")
        signature = sign(self.public_url + path, list(form.items()), token=self.token)
        return Client(raise_request_exception=False).post(
            path,
            urlencode(form),
            content_type=FORM,
            headers={"X-Twilio-Signature": signature},
        )
