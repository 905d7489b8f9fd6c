"""Each format of a template as its receiver gets it: where the payload is and what it is called."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from apps.calls.models import Call
from apps.delivery.engine.requests import with_query
from apps.delivery.jobs import run_drain
from apps.delivery.models import Delivery, DeliveryState
from tests.builders import World, make_template, make_webhook
from tests.delivery.receiver import Received, Receiver
from tests.factories import CallEventFactory, CallFactory, DeliveryFactory

PAIRS = "from=%ani%&name=%ani_full_name%"
SNAPSHOT = {"from": "+17776734736", "caller": {"full_name": "Ann & Bob+Co=1 %ani% é"}}
EXPECTED = [("from", "7776734736"), ("name", "Ann & Bob+Co=1 %ani% é")]


@pytest.mark.django_db(transaction=True)
class TestTemplateFormat:
    @pytest.fixture
    def deliver(self, world: World, receiver: Receiver):
        def deliver(form: str, sample: str, path: str = "/ok") -> tuple[Received, Delivery]:
            template = make_template(world.account, f"As {form}", sample, form=form)
            webhook = make_webhook(world, receiver.url(path), template=template)
            call: Call = CallFactory(account=world.account, location=world.location)
            delivery = DeliveryFactory(
                account=world.account,
                webhook=webhook,
                call=call,
                event=CallEventFactory(call=call, snapshot=SNAPSHOT),
                state=DeliveryState.PENDING,
                next_attempt_at=timezone.now(),
            )
            run_drain(linger_s=0.2)
            delivery.refresh_from_db()
            [received] = receiver.requests
            return received, delivery

        return deliver

    def test_form_goes_into_the_body(self, deliver):
        received, delivery = deliver("form", PAIRS)
        assert received.line == "POST /ok HTTP/1.1"
        assert received.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert parse_qsl(received.body.decode(), strict_parsing=True) == EXPECTED
        assert delivery.state == DeliveryState.SUCCEEDED

    def test_query_goes_behind_the_url(self, deliver):
        received, delivery = deliver("query", PAIRS, "/ok?key=k%201")
        target = urlsplit(received.line.split(" ")[1])
        assert target.path == "/ok"
        assert parse_qsl(target.query, strict_parsing=True) == [("key", "k 1"), *EXPECTED]
        assert received.body == b""
        assert "Content-Type" not in received.headers
        assert delivery.attempts.get().url == receiver_url(received)


@pytest.mark.parametrize(
    ("url", "query", "expected"),
    [
        ("https://crm.example/", b"a=1&b=%20", "https://crm.example/?a=1&b=%20"),
        ("https://crm.example/?", b"a=1", "https://crm.example/?a=1"),
        ("https://crm.example/?k=1", b"a=1", "https://crm.example/?k=1&a=1"),
        ("https://crm.example/?k=1&", b"a=1", "https://crm.example/?k=1&a=1"),
        ("https://crm.example/?k=1", b"", "https://crm.example/?k=1"),
    ],
)
def test_query_is_joined_to_what_the_url_has(url, query, expected):
    assert with_query(url, query) == expected


def receiver_url(received: Received) -> str:
    return f"http://{received.headers['Host']}{received.line.split(' ')[1]}"
