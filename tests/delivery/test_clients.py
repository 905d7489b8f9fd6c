"""Both HTTP clients against receivers that misbehave, with one table of expectations."""

import gzip
import time
from pathlib import Path

import pytest

from apps.delivery.outcome import ErrorKind, OutboundRequest
from tests.delivery.http_clients import Client, post
from tests.delivery.http_clients import client as client
from tests.delivery.receiver import Receiver

# Receivers that hang do so for a minute.
SLACK_S = 20.0

K = ErrorKind
# Path, status, error kind. Any status will do where it depends on how the bytes were packed.
ANY = object()
ANSWERS: list[tuple[str, object, ErrorKind | None]] = [
    ("ok", 200, None),
    ("created", 201, None),
    ("empty", 204, None),
    ("empty-with-body", 204, None),
    ("length-in-characters", 200, None),
    ("interim-then-more", 200, None),
    ("not-modified", 304, None),
    ("error", 500, None),
    ("busy", 429, None),
    ("gone", 410, None),
    ("redirect", 302, None),
    ("cookie", 200, None),
    ("gzip-bomb", 200, None),
    ("body-64k", 200, None),
    ("body-64k-1", 200, None),
    ("gigabyte", 200, None),
    ("endless-chunks", 200, None),
    ("slow-body", 200, None),
    ("interim", 200, None),
    ("continue", 200, None),
    ("chunked", 200, None),
    ("folded", 200, None),
    ("latin1", 200, None),
    ("utf8", 200, None),
    ("until-close", 200, None),
    ("connection-close", 200, None),
    ("closes-politely", 200, None),
    ("twice", 200, None),
    ("switching", 101, None),
    ("silent-close", None, K.CLOSED),
    ("reset", None, K.CLOSED),
    ("partial-status", None, K.CLOSED),
    ("partial-head", None, K.CLOSED),
    ("unended-head", None, K.CLOSED),
    ("partial-body", 200, K.CLOSED),
    ("partial-chunk", 200, K.CLOSED),
    ("bad-chunk", ANY, K.PROTOCOL),
    ("signed-chunk", ANY, K.PROTOCOL),
    ("negative-chunk", ANY, K.PROTOCOL),
    ("bad-chunk-later", 200, K.PROTOCOL),
    ("garbage", None, K.PROTOCOL),
    ("binary", None, K.PROTOCOL),
    ("bad-status", None, K.PROTOCOL),
    ("status-99", None, K.PROTOCOL),
    ("http2", None, K.PROTOCOL),
    ("bad-length", None, K.PROTOCOL),
    ("negative-length", None, K.PROTOCOL),
    ("two-lengths", None, K.PROTOCOL),
    ("length-and-chunks", None, K.PROTOCOL),
    ("nul", None, K.PROTOCOL),
    ("space-in-name", None, K.PROTOCOL),
    ("endless-interim", None, K.PROTOCOL),
    ("line-too-long", None, K.TOO_LARGE),
    ("many-headers", None, K.TOO_LARGE),
    ("big-head", None, K.TOO_LARGE),
    ("endless-headers", None, K.TOO_LARGE),
    ("hang", None, K.TIMEOUT),
    ("drip-head", None, K.TIMEOUT),
    ("drip-body", 200, K.TIMEOUT),
]


class TestAnswers:
    @pytest.mark.parametrize(("path", "status", "kind"), ANSWERS, ids=[row[0] for row in ANSWERS])
    def test_are_told_apart(
        self,
        client: Client,
        receiver: Receiver,
        path: str,
        status: object,
        kind: ErrorKind | None,
    ) -> None:
        timeout_s = 0.8 if kind is K.TIMEOUT else 10.0
        started = time.monotonic()
        [outcome] = client(post(receiver.url(f"/{path}"), timeout_s))
        assert outcome.error_kind == kind, outcome
        assert status in (ANY, outcome.status)
        assert bool(outcome.error_message) == (kind is not None)
        assert outcome.sends == len(receiver.requests) == 1
        assert time.monotonic() - started < timeout_s + SLACK_S
        assert receiver.bytes_sent < 20_000_000

    def test_are_told_with_head_and_body(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url("/created")))
        assert outcome.body == b"{}"
        assert outcome.header("content-type") == "application/json"
        assert not outcome.body_truncated

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("empty-with-body", b""),
            ("length-in-characters", b"Zo\xc3\xab "),
            ("interim-then-more", b"Zo\xc3\xab "),
        ],
    )
    def test_are_read_to_their_end_and_what_follows_is_dropped(
        self, client: Client, receiver: Receiver, path: str, body: bytes
    ) -> None:
        first, second = client(post(receiver.url(f"/{path}")), post(receiver.url("/created")))
        assert first.body == body
        assert (second.status, second.body, second.sends) == (201, b"{}", 1)
        assert receiver.connections == 2

    @pytest.mark.parametrize("path", ["body-64k-1", "gigabyte", "endless-chunks"])
    def test_are_read_to_64_kib_and_no_further(
        self, client: Client, receiver: Receiver, path: str
    ) -> None:
        [outcome] = client(post(receiver.url(f"/{path}")))
        assert len(outcome.body) == 65_536
        assert outcome.body_truncated

    def test_of_exactly_64_kib_are_whole(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url("/body-64k")))
        assert (len(outcome.body), outcome.body_truncated) == (65_536, False)

    def test_that_are_compressed_stay_so(self, client: Client, receiver: Receiver) -> None:
        [outcome] = client(post(receiver.url("/gzip-bomb")))
        assert len(gzip.decompress(outcome.body)) == 20_000_000
        assert receiver.requests[0].headers["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize(("path", "value"), [("utf8", "café"), ("latin1", "caf\ufffd")])
    def test_have_headers_that_a_database_stores(
        self, client: Client, receiver: Receiver, path: str, value: str
    ) -> None:
        [outcome] = client(post(receiver.url(f"/{path}")))
        assert outcome.header("X-Name") == value

    @pytest.mark.parametrize(
        ("path", "body"), [("partial-body", b"ten bytes."), ("drip-body", b"x")]
    )
    def test_keep_what_arrived_before_an_error(
        self, client: Client, receiver: Receiver, path: str, body: bytes
    ) -> None:
        [outcome] = client(post(receiver.url(f"/{path}"), 0.8))
        assert outcome.body.startswith(body)
        assert outcome.status == 200

    def test_to_head_requests_have_no_body(self, client: Client, receiver: Receiver) -> None:
        request = OutboundRequest("HEAD", receiver.url("/not-modified"))
        [outcome] = client(request)
        assert (outcome.status, outcome.body) == (304, b"")

    def test_are_timed(self, client: Client, receiver: Receiver) -> None:
        url = receiver.url("/ok", host="localhost")
        first, second = client(post(url), post(url))
        assert first.timings.dns_ms is not None
        assert first.timings.connect_ms is not None
        assert second.timings.dns_ms is second.timings.connect_ms is None
        assert second.timings.first_byte_ms is not None
        assert 0 < second.timings.first_byte_ms <= second.timings.total_ms


class TestRequests:
    def test_arrive_as_they_were_given(self, client: Client, receiver: Receiver) -> None:
        url = receiver.url("/ok?a=%20b&c=[1]")
        client(post(url, X_Name="“José” 🙂", Content_Type="application/json"))
        [received] = receiver.requests
        assert received.line == "POST /ok?a=%20b&c=%5B1%5D HTTP/1.1"
        assert received.body == b'{"call": 1}'
        assert received.headers == {
            "Host": f"127.0.0.1:{receiver.port}",
            "User-Agent": "Hookline",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "X-Name": "“José” 🙂",
            "Content-Type": "application/json",
            "Content-Length": "11",
        } | {name: value for name, value in received.headers.items() if name == "Connection"}

    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ("/ok//a", "/ok//a"),
            ("/ok/%7Ea/%2f", "/ok/~a/%2F"),
            ("/ok/a/../b/.", "/ok/b/"),
            ("/ok/100%?q=%", "/ok/100%25?q=%25"),
            ("/ok?u=http://x/?a=b&c", "/ok?u=http://x/?a=b&c"),
            ("/ok/é", "/ok/%C3%A9"),
        ],
    )
    def test_have_the_same_target_from_each_client(
        self, client: Client, receiver: Receiver, typed: str, sent: str
    ) -> None:
        client(post(receiver.url(typed)))
        assert receiver.requests[0].line == f"POST {sent} HTTP/1.1"

    def test_may_replace_a_default_header(self, client: Client, receiver: Receiver) -> None:
        client(OutboundRequest("PUT", receiver.url(), {"user-agent": "Mine"}))
        [received] = receiver.requests
        assert received.headers["user-agent"] == "Mine"
        assert "User-Agent" not in received.headers
        assert received.headers["Content-Length"] == "0"

    @pytest.mark.parametrize(
        ("method", "name", "value"),
        [
            ("POST", "X-A", "a\r\nX-Injected: b"),
            ("POST", "X-A", "a\nb"),
            ("POST", "X-A", "a\0b"),
            ("POST", "X-A\r\nX-B", "a"),
            ("POST", "X A", "a"),
            ("POST", "", "a"),
            ("POST", "Host", "other.example"),
            ("POST", "content-length", "5"),
            ("POST", "Transfer-Encoding", "chunked"),
            ("POST /admin HTTP/1.1\r\n", "X-A", "a"),
            ("", "X-A", "a"),
        ],
    )
    def test_that_break_http_never_leave(
        self, client: Client, receiver: Receiver, method: str, name: str, value: str
    ) -> None:
        [outcome] = client(OutboundRequest(method, receiver.url(), {name: value}))
        assert outcome.error_kind is K.PROTOCOL
        assert outcome.error_message.startswith("The request can not be sent: ")
        assert outcome.sends == receiver.connections == 0

    def test_carry_no_cookie_of_an_earlier_answer(self, client: Client, receiver: Receiver) -> None:
        client(post(receiver.url("/cookie")), post(receiver.url("/cookie")))
        assert all("Cookie" not in received.headers for received in receiver.requests)

    def test_take_no_proxy_or_password_from_the_environment(
        self, client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login user password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        [outcome] = client(post(receiver.url()))
        assert outcome.status == 200
        assert "Authorization" not in receiver.requests[0].headers


class TestPool:
    def test_keeps_a_connection(self, client: Client, receiver: Receiver) -> None:
        client(*[post(receiver.url())] * 3)
        assert (len(receiver.requests), receiver.connections) == (3, 1)

    @pytest.mark.parametrize("path", ["chunked", "slow-body", "interim", "body-64k"])
    def test_keeps_it_after_other_answers(
        self, client: Client, receiver: Receiver, path: str
    ) -> None:
        outcomes = client(*[post(receiver.url(f"/{path}"))] * 3)
        assert [outcome.status for outcome in outcomes] == [200] * 3
        assert receiver.connections == 1

    @pytest.mark.parametrize("path", ["gigabyte", "connection-close", "until-close", "twice"])
    def test_drops_it_when_it_is_no_good(
        self, client: Client, receiver: Receiver, path: str
    ) -> None:
        outcomes = client(*[post(receiver.url(f"/{path}"))] * 2)
        assert [outcome.status for outcome in outcomes] == [200] * 2
        assert receiver.connections == 2

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_sends_again_when_a_kept_connection_dies(
        self, client: Client, receiver: Receiver, method: str
    ) -> None:
        request = OutboundRequest(method, receiver.url("/ok-once"), {}, b"x")
        first, second = client(request, request)
        assert (first.status, first.sends) == (200, 1)
        assert (second.status, second.sends) == (200, 2)
        assert len(receiver.requests) == 3

    def test_sends_again_only_once(self, client: Client, receiver: Receiver) -> None:
        _, outcome = client(*[post(receiver.url("/ok-then-never"))] * 2)
        assert (outcome.error_kind, outcome.sends) == (K.CLOSED, 2)
        assert len(receiver.requests) == 3

    @pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
    def test_never_sends_again_over_a_new_connection(
        self, client: Client, receiver: Receiver, method: str
    ) -> None:
        [outcome] = client(OutboundRequest(method, receiver.url("/reset")))
        assert (outcome.sends, len(receiver.requests)) == (1, 1)

    def test_takes_nothing_unasked_for_an_answer(self, client: Client, receiver: Receiver) -> None:
        _, outcome = client(
            post(receiver.url("/unasked-later")),
            post(receiver.url()),
            may_go_on=lambda: receiver.unasked == 1,
        )
        assert (outcome.status, outcome.sends) == (200, 1)

    def test_notices_a_close_in_between(self, client: Client, receiver: Receiver) -> None:
        outcomes = client(
            *[post(receiver.url("/closes-politely"))] * 3,
            may_go_on=lambda: receiver.closed == receiver.connections,
        )
        assert [(outcome.status, outcome.sends) for outcome in outcomes] == [(200, 1)] * 3
