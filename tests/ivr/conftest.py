"""A receiver for the exchange, and results that a platform posts."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.ivr.models import Ivr, IvrHook
from tests.builders import World
from tests.delivery.receiver import (
    BEHAVIOURS,
    OK,
    Received,
    Receiver,
    always,
    response,
    running_receiver,
)
from tests.factories import IvrHookFactory

Answer = Callable[..., str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver whose paths behave as `tests.delivery.receiver` and `answer` say."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def answer(receiver: Receiver) -> Iterator[Answer]:
    """Let the receiver answer with a body: `answer(b"Hello")` returns the URL to send to."""
    made: list[str] = []

    def answer(body: bytes | str, content_type: str = "text/plain", status: str = "200 OK") -> str:
        raw = body if isinstance(body, bytes) else body.encode()
        name = f"answer{len(made)}"
        BEHAVIOURS[name] = always(response(raw, f"Content-Type: {content_type}", status=status))
        made.append(name)
        return receiver.url(f"/{name}")

    yield answer
    for name in made:
        del BEHAVIOURS[name]


def make_hook(world: World, url: str, **fields: Any) -> IvrHook:
    """Make the IVR 75 with a web hook that retrieves messages by GET, unless `fields` differ."""
    given = {"number": 75, "name": "Balance", **fields.pop("ivr", {})}
    ivr = Ivr.objects.create(account=world.account, location=world.location, **given)
    made: IvrHook = IvrHookFactory(ivr=ivr, target_url=url, **fields)
    return made


def results(**fields: Any) -> dict[str, Any]:
    """Return the body of results; None leaves a field out."""
    body = {
        "response_id": "r-1",
        "call_id": "call-77",
        "started_at": "2026-03-28T00:05:02Z",
        "from": "+17776734736",
        "to": "+17774839229",
        "completed": True,
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def post(
    world: World, body: Any = None, *, ivr: str = "75", accept: str = "", **fields: Any
) -> Any:
    """Post results as a platform does, and return the response."""
    return Client().post(
        reverse("ivr_results", args=[ivr]),
        results(**fields) if body is None else body,
        content_type="application/json",
        headers={**world.headers, **({"Accept": accept} if accept else {})},
    )


def post_and_close(world: World, **fields: Any) -> dict[str, Any]:
    """Post results from another thread, and leave no connection of it behind."""
    try:
        reply: dict[str, Any] = post(world, **fields).json()
        return reply
    finally:
        connection.close()


async def _ok_at_the_second(
    receiver: Receiver, received: Received, writer: asyncio.StreamWriter
) -> None:
    """Close the first connection without an answer."""
    if len(receiver.at(received.path)) == 1:
        raise ConnectionError
    writer.write(OK)


BEHAVIOURS["ok-at-the-second"] = _ok_at_the_second
