"""Both HTTP clients behind a proxy of the operator: what it is asked, and can not weaken."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.common.egress import EgressPolicy
from apps.common.egress_proxy import EgressProxy
from apps.delivery.models import Attempt
from apps.delivery.outcome import ErrorKind
from tests.builders import World, attach, make_webhook
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.connect_proxy import Proxy, running_proxy
from tests.delivery.http_clients import CLIENTS, Client, answer, post
from tests.delivery.receiver import Receiver, running_receiver
from tests.delivery.sending import drain, states, take_calls
from tests.delivery.tls_authority import self_signed, server_context, trusting_context

K = ErrorKind


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with running_proxy() as running:
        yield running


def through(url: str) -> EgressPolicy:
    return EgressPolicy.from_strings(["127.0.0.0/8"], url)


def local(host: str, port: int, **asked: Any) -> list[tuple[Any, ...]]:
    """Answer that every name is this machine's."""
    return answer("127.0.0.1")


class TestAProxy:
    def test_is_asked_for_the_vetted_address_once_a_connection(
        self, client: Client, proxy: Proxy, receiver: Receiver
    ) -> None:
        url = receiver.url(host="crm.example")
        first, second = client(post(url), post(url), policy=through(proxy.url), resolve=local)

        assert (first.status, second.status) == (200, 200)
        assert proxy.asked == [f"127.0.0.1:{receiver.port}"]
        assert receiver.requests[0].headers["Host"] == f"crm.example:{receiver.port}"

    def test_carries_tls_to_the_receiver_itself(
        self, client: Client, proxy: Proxy, tmp_path: Path
    ) -> None:
        pem = self_signed(tmp_path, "crm.example")
        with running_receiver(server_context(pem)) as receiver:
            good, bad = (
                client(
                    post(receiver.url(host=host)),
                    policy=through(proxy.url),
                    resolve=local,
                    ssl_context=trusting_context(pem),
                )[0]
                for host in ("crm.example", "other.example")
            )

        assert good.status == 200
        assert bad.error_kind is K.TLS

    def test_is_told_its_user_and_password(
        self, client: Client, proxy: Proxy, receiver: Receiver
    ) -> None:
        url = proxy.url.replace("//", "//ada:s%40fe@")
        client(post(receiver.url()), policy=through(url))

        assert proxy.credentials == [f"Basic {base64.b64encode(b'ada:s@fe').decode()}"]
        assert "Proxy-Authorization" not in receiver.requests[0].headers

    @pytest.mark.parametrize("host", ["10.0.0.1", "[::ffff:10.0.0.1]", "inside.example"])
    def test_is_never_asked_for_an_address_that_is_blocked(
        self, client: Client, proxy: Proxy, host: str
    ) -> None:
        def resolve(host: str, port: int, **asked: Any) -> list[tuple[Any, ...]]:
            return answer("10.0.0.1")

        (outcome,) = client(post(f"http://{host}/"), policy=through(proxy.url), resolve=resolve)

        assert outcome.error_kind is K.BLOCKED
        assert proxy.asked == []

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            (b"HTTP/1.1 403 Forbidden\r\n\r\n", K.REFUSED),
            (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", K.REFUSED),
            (b"HTTP/1.1 407 Who are you\r\n\r\n", K.LOCAL),
            (b"HTTP/1.1 301 Elsewhere\r\nLocation: /\r\n\r\n", K.LOCAL),
            (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", K.LOCAL),
            (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", K.LOCAL),
            (b"x" * 20_000, K.LOCAL),
            (b"HTTP/1.1 403", K.LOCAL),
        ],
    )
    def test_that_does_not_connect_is_told_of(
        self, client: Client, proxy: Proxy, receiver: Receiver, said: bytes, kind: ErrorKind
    ) -> None:
        proxy.answer = said
        (outcome,) = client(post(receiver.url()), policy=through(proxy.url))

        assert (outcome.error_kind, outcome.sends) == (kind, 0)
        assert "proxy" in outcome.error_message.lower()

    def test_that_is_away_is_our_own_fault(self, client: Client, receiver: Receiver) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            (outcome,) = client(post(receiver.url()), policy=through(url))
        assert (outcome.error_kind, outcome.sends) == (K.LOCAL, 0)

    def test_that_hangs_ends_with_the_deadline(
        self, client: Client, proxy: Proxy, receiver: Receiver
    ) -> None:
        proxy.answer = b""
        (outcome,) = client(post(receiver.url(), timeout_s=0.5), policy=through(proxy.url))
        assert outcome.error_kind is K.TIMEOUT


@pytest.mark.django_db(transaction=True)
class TestADelivery:
    def test_goes_through_it(
        self, world: World, receiver: Receiver, proxy: Proxy, settings: Settings
    ) -> None:
        settings.EGRESS_PROXY = proxy.url
        attach(make_webhook(world, receiver.url()))
        take_calls(world, 3)

        drain()

        assert states() == ["succeeded"] * 3
        assert set(proxy.asked) == {f"127.0.0.1:{receiver.port}"}
        assert Attempt.objects.count() == 3
        assert_log_agrees(receiver)


class TestItsURL:
    def test_is_read(self) -> None:
        assert EgressProxy.from_url("http://proxy.internal:3128") == EgressProxy(
            "proxy.internal", 3128
        )
        assert "s3cret" not in repr(EgressProxy.from_url("http://ada:s3cret@[fd00::1]:8080"))

    @pytest.mark.parametrize(
        "url",
        [
            "proxy:3128",
            "https://proxy:3128",
            "socks5://proxy:1080",
            "http://proxy",
            "http://:3128",
            "http://proxy:3128/path",
            "http://proxy:99999",
        ],
    )
    def test_is_refused_when_it_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            EgressProxy.from_url(url)
