"""Requests that say to be in some charset: none of them breaks anything off."""

from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.urls import reverse

from apps.accounts.services import issue_key
from config.wsgi import application
from tests.builders import World
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
# Known to Python, though not all are charsets; one that nobody knows; one that is UTF-8 after all.
CHARSETS = [
    "hex",
    "zip",
    "rot13",
    "undefined",
    "punycode",
    "idna",
    "utf-16",
    "latin-1",
    "x",
    "utf8",
]


@pytest.fixture(autouse=True)
def _transaction_of_the_test() -> Iterator[None]:
    """Leave its connection open, as Django's client does, which makes other requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def answer(method: str, url: str, content_type: str, body: bytes = b"", **more: str) -> Any:
    """Ask the application as the web server does; return the status, and the page."""
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "HTTP_HOST": "localhost",
        **more,
    }
    setup_testing_defaults(environ)
    told: list[str] = []
    response = application(environ, lambda status, _: told.append(status))
    page = b"".join(response)
    response.close()
    return HTTPStatus(int(told[0].split()[0])), page.decode()


@pytest.mark.parametrize("charset", CHARSETS)
class TestARequest:
    @pytest.mark.parametrize(
        ("method", "url", "content_type", "status"),
        [
            ("GET", "/login/?next=%2F%C3%A9", "text/plain", 200),
            ("POST", "/login/?next=%2F", FORM, 403),
            ("POST", "/login/", "multipart/form-data; boundary=x", 403),
            ("POST", "/nowhere/?a=%41", FORM, 403),
            ("GET", "/healthz?a=%41", "text/plain", 200),
            ("POST", "/api/v1/ivr/steps/none?a=%41", FORM, 404),
            ("POST", "/api/v1/nowhere?a=%41", FORM, 404),
        ],
    )
    def test_of_a_stranger_is_answered(
        self, charset: str, method: str, url: str, content_type: str, status: int
    ) -> None:
        told = f"{content_type}; charset={charset}"
        assert answer(method, url, told, b"a=%C3%A9" * (method == "POST"))[0] == status

    def test_of_a_program_is_read(self, charset: str, world: World) -> None:
        _, key = issue_key(account=world.account, name="Test", scopes=["read"], by=None)
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
        told = f"text/plain; charset={charset}"
        assert answer("GET", "/api/v1/calls?limit=%31", told, **bearer)[0] == 200

    def test_of_a_platform_is_judged(self, charset: str, world: World) -> None:
        source = SourceFactory(account=world.account)
        url = f"{reverse('callback', args=[source.public_id, source.url_key])}?a=%41"
        assert answer("POST", url, f"{FORM}; charset={charset}", b"CallSid=%C3%A9")[0] == 403

    @pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x"])
    def test_with_a_form_is_read_as_utf_8(self, charset: str, kind: str) -> None:
        token = "a" * 32
        cookie = {"HTTP_COOKIE": f"csrftoken={token}", "HTTP_X_CSRFTOKEN": token}
        body = quote("é@b.example").join(["username=", "&password=x"])
        if kind != FORM:
            part = 'Content-Disposition: form-data; name="username"\r\n\r\né@b.example'
            body = f"--x\r\n{part}\r\n--x--\r\n"
        told = f"{kind}; charset={charset}"
        status, page = answer("POST", "/login/", told, body.encode(), **cookie)
        assert status == 200
        assert 'value="é@b.example"' in page
