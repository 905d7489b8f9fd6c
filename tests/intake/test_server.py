"""The event API behind the web server: bodies in chunks, and bodies that are too large."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.calls.models import CallEvent
from tests.builders import World, bearer, event, make_webhook
from tests.web_server import WebServer, web_server

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 5_000_000


def server() -> AbstractContextManager[WebServer]:
    """Run a web server on the database of the tests."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return web_server({"DATABASE_URL": database})


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    """The port of a server that all tests but the last one share."""
    with server() as running:
        yield running.port


def send(port: int, world: World, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """Post a body; an iterable goes in chunks, without its length being told."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request(
        "POST",
        "/api/v1/events",
        body,
        {**bearer(world.token), "Content-Type": "application/json", **headers},
    )
    answer = client.getresponse()
    return answer.status, json.loads(answer.read())


def test_the_server_takes_bodies_of_every_kind(port: int, world: World) -> None:
    whole = json.dumps([event(world), event(world)]).encode()
    status, told = send(port, world, iter([whole[:40], whole[40:]]))
    assert (status, len(told["accepted"])) == (202, 2)

    status, told = send(port, world, whole)
    assert (status, [each["duplicate"] for each in told["accepted"]]) == (202, [True, True])

    padded = json.dumps(event(world)).encode().ljust(LIMIT)
    for body in (padded + b" ", iter([padded, b" " * 3_000_000])):
        status, told = send(port, world, body)
        assert (status, told["code"]) == (413, "too_large")
    status, told = send(port, world, iter([padded]))
    assert (status, len(told["accepted"])) == (202, 1)

    status, told = send(port, world, iter([b'{"id": ', b"}"]))
    assert (status, told["code"]) == (400, "invalid_json")
    status, told = send(port, world, iter([]))
    assert (status, told["code"]) == (400, "empty_body")

    assert CallEvent.objects.count() == 3


def test_the_server_takes_requests_without_a_body(port: int, world: World) -> None:
    """As `curl --request POST` sends them: neither a length nor a type is told."""
    webhook = make_webhook(world, "https://93.184.216.34/")
    for address, status in (
        (f"/api/v1/webhooks/{webhook.public_id}/disable", 200),
        ("/api/v1/webhooks", 400),
        ("/api/v1/events", 400),
    ):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        client.putrequest("POST", address)
        client.putheader("Authorization", f"Bearer {world.token}")
        client.endheaders()
        assert client.getresponse().status == status, address


@pytest.mark.parametrize("chunks", [b"zebra\r\n{}\r\n0\r\n\r\n", b"5\r\n{", b""])
def test_the_server_outlives_bodies_that_break(port: int, world: World, chunks: bytes) -> None:
    head = (
        "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {world.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(head.encode() + chunks)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65_536)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert send(port, world, json.dumps(event(world)))[0] == 202


def test_a_body_that_ends_too_early_is_not_taken(port: int, world: World) -> None:
    body = json.dumps(event(world)).encode()
    head = (
        "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {world.token}\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        client.recv(65_536)
    assert not CallEvent.objects.exists()


def test_a_request_under_way_is_answered_before_the_server_stops(world: World) -> None:
    body = json.dumps(event(world)).encode()
    head = (
        "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {world.token}\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with (
        server() as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=30) as client,
    ):
        client.sendall(head.encode())
        # It says so when the application begins to read.
        assert client.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body[:5])
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        client.sendall(body[5:])
        answer = client.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 202")
        assert running.process.wait(30) == 0
    assert CallEvent.objects.count() == 1
