"""What a caller says arrives as data, from intake to the receiver, in every format."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from lxml import etree

from apps.delivery.models import Delivery, DeliveryState
from tests.builders import World, attach, event, make_template, make_webhook
from tests.delivery.receiver import Received, Receiver, running_receiver
from tests.delivery.sending import drain

VALUES = {
    "ends a JSON object": '"},"admin":true,{"',
    "is a script": "<script>alert('x')</script>",
    "looks like a token": "%ani%",
    "has 10,000 emoji": "\U0001f600" * 10_000,
    "ends a CDATA section": "]]> & &lt; <!-- --> <?x?>",
    "ends a parameter": "a&admin=true#x=1;y+z%20%00",
    "breaks a line": "one\r\nX-Admin: true\r\n\r\ntwo",
}
SAMPLES = {
    "json": '{"name": "%ani_full_name%", "said": "by %ani_full_name%", "from": "%ani%"}',
    "xml": '<lead said="by %ani_full_name%"><name>%ani_full_name%</name><from>%ani%</from></lead>',
    "form": "name=%ani_full_name%&said=by+%ani_full_name%&from=%ani%",
    "query": "name=%ani_full_name%&said=by+%ani_full_name%&from=%ani%",
}


def of_json(received: Received) -> dict[str, str]:
    fields: dict[str, str] = json.loads(received.body)
    return fields


def of_xml(received: Received) -> dict[str, str]:
    lead = etree.fromstring(received.body)
    assert [element.tag for element in lead.iter()] == ["lead", "name", "from"]
    assert list(lead.attrib) == ["said"]
    texts = {element.tag: element.text or "" for element in lead}
    return {**texts, "said": str(lead.get("said"))}


def of_form(received: Received) -> dict[str, str]:
    return pairs(received.body.decode("ascii"))


def of_query(received: Received) -> dict[str, str]:
    assert received.body == b""
    return pairs(urlsplit(received.path).query)


def pairs(text: str) -> dict[str, str]:
    found = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    assert len(found) == 3
    return dict(found)


READERS: dict[str, Callable[[Received], dict[str, str]]] = {
    "json": of_json,
    "xml": of_xml,
    "form": of_form,
    "query": of_query,
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", VALUES.values(), ids=VALUES.keys())
def test_a_hostile_name_is_data_in_every_format(
    world: World, client: Client, receiver: Receiver, name: str
) -> None:
    for form, sample in SAMPLES.items():
        template = make_template(world.account, f"As {form}", sample, form=form)
        attach(make_webhook(world, receiver.url(f"/ok/{form}"), template=template, name=form))
    answer = client.post(
        reverse("events"),
        event(world, caller={"full_name": name}),
        content_type="application/json",
        headers=world.headers,
    )
    assert answer.status_code == 202, answer.content
    drain()
    states = dict(Delivery.objects.values_list("webhook__name", "state"))
    assert states == dict.fromkeys(SAMPLES, DeliveryState.SUCCEEDED)
    for form, read in READERS.items():
        (received,) = [
            each for each in receiver.requests if urlsplit(each.path).path == f"/ok/{form}"
        ]
        assert "X-Admin" not in received.headers
        assert read(received) == {"name": name, "said": f"by {name}", "from": "5550001111"}
