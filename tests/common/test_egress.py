"""What the egress guard refuses and what it lets through, on save; clients have their own table."""

import ipaddress
import socket
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url
from yarl import URL

from apps.common.egress import (
    MAX_SENT_URL_LENGTH,
    BlockedAddress,
    EgressError,
    EgressPolicy,
    InvalidURL,
    UnresolvableHost,
)
from tests.common.hostile_urls import (
    ALLOWED_URLS,
    BLOCKED_ADDRESSES,
    BLOCKED_URLS,
    INVALID_URLS,
    PUBLIC_ADDRESSES,
)

POLICY = EgressPolicy()
PUBLIC = "93.184.215.14"


def answering(*addresses: str) -> Any:
    """A resolver that gives these addresses for every name."""
    return lambda *_, **__: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses
    ]


def test_the_table_is_as_long_as_promised() -> None:
    assert len(INVALID_URLS) + len(BLOCKED_URLS) + len(BLOCKED_ADDRESSES) >= 120


class TestCheckUrl:
    @pytest.mark.parametrize("url", INVALID_URLS)
    def test_refuses_what_no_webhook_may_have(self, url: str) -> None:
        with pytest.raises(InvalidURL) as caught:
            POLICY.check_url(url)
        assert caught.value.reason.endswith(".")

    @pytest.mark.parametrize("url", BLOCKED_URLS)
    def test_refuses_literal_addresses_that_are_not_public(self, url: str) -> None:
        with pytest.raises(BlockedAddress) as caught:
            POLICY.check_url(url)
        assert caught.value.address in caught.value.reason

    @pytest.mark.parametrize(("url", "sent_as"), ALLOWED_URLS.items())
    def test_returns_the_one_spelling_that_is_sent(self, url: str, sent_as: str) -> None:
        assert POLICY.check_url(url).url == sent_as

    def test_takes_a_longer_one_where_it_is_sent_with_its_payload(self) -> None:
        url = "https://example.com/?name=" + "%F0%9F%98%80" * 10_000
        assert POLICY.check_url(url, longest=MAX_SENT_URL_LENGTH).url == url
        with pytest.raises(InvalidURL):
            POLICY.check_url(url)

    @pytest.mark.parametrize("url", sorted(set(ALLOWED_URLS.values())))
    def test_leaves_that_spelling_alone(self, url: str) -> None:
        assert POLICY.check_url(url).url == url

    @pytest.mark.parametrize("url", sorted(set(ALLOWED_URLS.values())))
    def test_agrees_with_the_clients_about_host_and_port(self, url: str) -> None:
        target = POLICY.check_url(url)
        assert_same_reading(target.url, target.host, target.port)

    @given(st.text(max_size=60))
    @example("http://[")
    @example("http://[]/")
    @example("http://xn--/")
    @example("http://\u2100.example/")
    def test_raises_nothing_but_its_own_errors(self, text: str) -> None:
        for url in (text, f"http://{text}/", f"https://example.com/{text}", f"http://{text}@x/"):
            try:
                target = POLICY.check_url(url)
            except EgressError:
                continue
            assert target.url.isascii()
            assert_same_reading(target.url, target.host, target.port)

    @given(st.from_regex(r"https?://[a-z0-9.\-:@\[\]%\\/?#_]{1,40}", fullmatch=True))
    def test_is_never_read_otherwise_by_a_client(self, url: str) -> None:
        try:
            target = POLICY.check_url(url)
        except EgressError:
            return
        assert_same_reading(target.url, target.host, target.port)
        assert POLICY.check_url(target.url) == target

    def test_says_what_an_odd_spelling_means(self) -> None:
        with pytest.raises(InvalidURL, match=r"It reads as 127\.0\.0\.1\."):
            POLICY.check_url("http://0x7f000001/")

    def test_names_the_place_of_a_bad_character(self) -> None:
        with pytest.raises(InvalidURL, match="at character 12"):
            POLICY.check_url("https://exa\u200bmple.com/")


def assert_same_reading(url: str, host: str, port: int) -> None:
    """Others must read a URL as the guard does: yarl, by which aiohttp connects, and urllib3."""
    by_yarl = URL(url, encoded=True)
    by_urllib3 = parse_url(url)
    assert (by_yarl.raw_host, by_yarl.port) == (host, port)
    assert by_urllib3.host is not None
    assert by_urllib3.host.strip("[]") == host
    assert (by_urllib3.port or {"http": 80, "https": 443}[by_urllib3.scheme or ""]) == port
    assert by_urllib3.auth is by_yarl.user is None
    assert str(by_yarl) == requests.Request("POST", url).prepare().url == url


class TestVetAddress:
    @pytest.mark.parametrize("address", BLOCKED_ADDRESSES)
    def test_refuses_special_addresses_and_says_which(self, address: str) -> None:
        with pytest.raises(BlockedAddress) as caught:
            POLICY.vet_address(ipaddress.ip_address(address))
        assert str(ipaddress.ip_address(address)) in caught.value.reason

    @pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
    def test_passes_public_addresses(self, address: str) -> None:
        POLICY.vet_address(ipaddress.ip_address(address))

    @given(st.ip_addresses())
    def test_refuses_all_that_the_standard_library_calls_not_global(self, address: Any) -> None:
        # The few that the registries call global and Python does, too, may still be refused.
        try:
            POLICY.vet_address(address)
        except BlockedAddress:
            return
        assert address.is_global
        assert not address.is_multicast

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("10.1.2.3", "10.1.2.3 is a private address (10.0.0.0/8)"),
            ("169.254.169.254", "is the internal service of a cloud provider"),
            ("::ffff:127.0.0.1", "which leads to 127.0.0.1"),
            ("64:ff9b::a00:1", "which leads to 10.0.0.1"),
            ("2002:7f00:1::", "which leads to 127.0.0.1"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "which leads to 192.0.2.45"),
        ],
    )
    def test_explains_itself(self, address: str, words: str) -> None:
        with pytest.raises(BlockedAddress) as caught:
            POLICY.vet_address(ipaddress.ip_address(address))
        assert words in caught.value.reason


class TestAllow:
    def test_lifts_the_rule_for_its_networks_only(self) -> None:
        policy = EgressPolicy.from_strings(["10.1.0.0/16", "fd12::/16"])
        policy.vet_address(ipaddress.ip_address("10.1.2.3"))
        policy.vet_address(ipaddress.ip_address("fd12::1"))
        for address in ("10.2.0.1", "127.0.0.1", "fd13::1"):
            with pytest.raises(BlockedAddress):
                policy.vet_address(ipaddress.ip_address(address))

    @pytest.mark.parametrize(
        "url",
        [
            "http://10.0.0.1:22/",
            "ftp://10.0.0.1/",
            "http://user@10.0.0.1/",
            "http://167772161/",
            "http://[::ffff:10.0.0.1]/",
        ],
    )
    def test_lifts_no_other_rule(self, url: str) -> None:
        with pytest.raises(EgressError):
            EgressPolicy.from_strings(["10.0.0.0/8"]).check_url(url)

    def test_of_a_translator_does_not_reach_behind_it(self) -> None:
        policy = EgressPolicy.from_strings(["64:ff9b::/96"])
        policy.vet_address(ipaddress.ip_address("64:ff9b::5db8:d70e"))
        with pytest.raises(BlockedAddress, match=r"leads to 10\.0\.0\.1"):
            policy.vet_address(ipaddress.ip_address("64:ff9b::a00:1"))

    @pytest.mark.parametrize("text", ["10.0.0.1/8", "example.com", "10.0.0.0/33", ""])
    def test_must_be_networks(self, text: str) -> None:
        with pytest.raises(ValueError, match="is not a network"):
            EgressPolicy.from_strings([text])


class TestResolveAndVet:
    def test_returns_public_addresses(self) -> None:
        addresses = POLICY.resolve_and_vet("https://a.example/", resolve=answering(PUBLIC))
        assert addresses == (ipaddress.ip_address(PUBLIC),)

    def test_asks_no_resolver_for_a_literal(self) -> None:
        addresses = POLICY.resolve_and_vet(f"https://{PUBLIC}/", resolve=None)
        assert addresses == (ipaddress.ip_address(PUBLIC),)

    @pytest.mark.parametrize("address", BLOCKED_ADDRESSES)
    @pytest.mark.parametrize("first", [True, False])
    def test_refuses_an_answer_with_one_bad_address(self, address: str, first: bool) -> None:
        addresses = [address, PUBLIC] if first else [PUBLIC, address]
        with pytest.raises(BlockedAddress, match=r"a\.example points to") as caught:
            POLICY.resolve_and_vet("https://a.example/", resolve=answering(*addresses))
        assert caught.value.address == str(ipaddress.ip_address(address))

    def test_tells_an_unknown_name_apart(self) -> None:
        def resolve(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "not known")

        with pytest.raises(UnresolvableHost, match=r"a\.example can not be found"):
            POLICY.resolve_and_vet("https://a.example/", resolve=resolve)

    def test_tells_an_empty_answer_apart(self) -> None:
        with pytest.raises(UnresolvableHost):
            POLICY.resolve_and_vet("https://a.example/", resolve=answering())

    def test_refuses_localhost_with_the_system_resolver(self) -> None:
        with pytest.raises(BlockedAddress, match="localhost points to"):
            POLICY.resolve_and_vet("http://localhost:8000/")
