"""Where a webhook may go: public addresses over http or https, and networks the operator allows.

Two questions, asked at different times. `check_url` and `resolve_and_vet` answer when a URL is
saved, so that an admin hears at once. `vet_answer` and `vet_address` answer again for every
connection that is made, because a name may point elsewhere by then; only an address that they
passed is connected to.
"""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import idna

from apps.common.egress_proxy import EgressProxy
from apps.common.special_addresses import IPAddress, IPNetwork, embedded_ipv4, special_kind

MAX_URL_LENGTH: Final = 2048
# A payload that is a query makes the URL longer when it is sent.
MAX_SENT_URL_LENGTH: Final = 1_000_000
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class EgressError(Exception):
    """A destination is refused. `reason` is one sentence for an account admin."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidURL(EgressError):
    """The URL itself is not one that a webhook may have, whatever it resolves to."""


class BlockedAddress(EgressError):
    """The address, or an address of the name, is not a public one.

    `address` is the offending address, in the form it was found.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(reason)
        self.address = address


class UnresolvableHost(EgressError):
    """The name has no address just now; a caller may accept the URL all the same."""


@dataclass(frozen=True, slots=True)
class ParsedTarget:
    """A URL that passed `check_url`, in the one spelling that the clients send.

    `url` is ASCII: host lower-case and in punycode, path and query percent-encoded, no fragment,
    default port left out. `address` is set when the host is a literal address.
    """

    url: str
    scheme: str
    host: str
    port: int
    address: IPAddress | None


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be connected to. Immutable; one per process, made of the settings.

    `allow` networks lift the address rules for their addresses, and nothing else: scheme, userinfo
    and port rules stay. An IPv4 address inside an allowed IPv6 one (NAT64 and the like) is vetted
    on its own. Where there is a `proxy`, connections lead through it.
    """

    allow: tuple[IPNetwork, ...] = ()
    proxy: EgressProxy | None = None

    @classmethod
    def from_strings(cls, networks: Iterable[str], proxy: str = "") -> "EgressPolicy":
        """Read `10.1.0.0/16`, `fd00::/8` or single addresses; ValueError names the bad one.

        `proxy` is the URL of one, or "".
        """
        allowed = []
        for text in networks:
            try:
                allowed.append(ipaddress.ip_network(text.strip()))
            except ValueError as error:
                raise ValueError(f"“{text}” is not a network: {error}.") from None
        return cls(tuple(allowed), EgressProxy.from_url(proxy) if proxy else None)

    def check_url(self, url: str, *, longest: int = MAX_URL_LENGTH) -> ParsedTarget:
        """Take a URL apart and judge all that can be judged without asking the network.

        `longest` is in characters. Raises InvalidURL for its form and BlockedAddress for a literal
        address.
        """
        _check_characters(url, longest)
        match = _URL.match(url)
        if match is None:
            raise InvalidURL("The URL must begin with https:// or http:// and a host name.")
        scheme = match["scheme"].lower()
        if scheme not in DEFAULT_PORTS:
            raise InvalidURL(f"Webhooks go over https or http; “{scheme}” is neither.")
        if "@" in match["authority"]:
            raise InvalidURL(
                "A URL may not carry a user name or password; use the webhook's credentials."
            )
        if match["fragment"] is not None:
            raise InvalidURL("The part after # is never sent; remove it from the URL.")
        host_text, port_text = _split_authority(match["authority"])
        port = _read_port(port_text, scheme)
        address: IPAddress | None
        if host_text.startswith("["):
            address = _read_bracketed(host_text)
            host = str(address)
        else:
            host = _read_name(host_text)
            address = _read_ipv4(host)
        if address is not None:
            self.vet_address(address)
        netloc = f"[{host}]" if isinstance(address, ipaddress.IPv6Address) else host
        if port != DEFAULT_PORTS[scheme]:
            netloc = f"{netloc}:{port}"
        path = _without_dot_segments(_encode(match["path"] or "/"))
        # Clients disagree about an empty query, so it goes.
        query = "?" + _encode(match["query"]) if match["query"] else ""
        return ParsedTarget(
            url=f"{scheme}://{netloc}{path}{query}",
            scheme=scheme,
            host=host,
            port=port,
            address=address,
        )

    def resolve_and_vet(
        self, url: str, *, resolve: Callable[..., Sequence[Any]] = socket.getaddrinfo
    ) -> tuple[IPAddress, ...]:
        """Check the URL, look its host up and vet every address; used when a URL is saved.

        Returns the addresses. Raises InvalidURL, BlockedAddress, or UnresolvableHost when the name
        has no address now. Blocks for as long as the system resolver does.
        """
        target = self.check_url(url)
        if target.address is not None:
            return (target.address,)
        try:
            answer = resolve(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnresolvableHost(f"The name {target.host} can not be found.") from error
        return self.vet_answer(target.host, [info[4][0] for info in answer])

    def vet_answer(self, host: str, addresses: Iterable[str]) -> tuple[IPAddress, ...]:
        """Vet all addresses that a name resolved to; one bad address refuses the whole answer.

        Raises BlockedAddress naming host and address, or UnresolvableHost for an empty answer.
        """
        vetted = []
        for text in addresses:
            address = ipaddress.ip_address(text)
            try:
                self.vet_address(address)
            except BlockedAddress as error:
                raise BlockedAddress(
                    error.address, f"{host} points to {text}. {error.reason}"
                ) from None
            vetted.append(address)
        if not vetted:
            raise UnresolvableHost(f"The name {host} has no address.")
        return tuple(vetted)

    def vet_address(self, address: IPAddress) -> None:
        """Raise BlockedAddress unless the address is public or allowed."""
        embedded = embedded_ipv4(address)
        allowed = any(address in network for network in self.allow)
        kind = None if allowed else special_kind(address)
        if kind is not None:
            leads = f", which leads to {embedded}" if embedded else ""
            raise BlockedAddress(
                str(address), f"{address} is {kind}{leads}; webhooks only go to public addresses."
            )
        if embedded is None:
            return
        try:
            self.vet_address(embedded)
        except BlockedAddress as error:
            raise BlockedAddress(
                str(address), f"{address} leads to {embedded}. {error.reason}"
            ) from None


# --- Reading a URL -----------------------------------------------------------------------------

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]+)(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?\Z"
)
_SAFE: Final = "/?%:@!$&'()*+,;=~-._"
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]\Z")
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")


def _check_characters(url: str, longest: int) -> None:
    if not url:
        raise InvalidURL("The URL is empty.")
    if len(url) > longest:
        raise InvalidURL(f"The URL is longer than {longest} characters.")
    if _PLAIN.fullmatch(url):
        return
    for place, character in enumerate(url, start=1):
        if character == "\\":
            raise InvalidURL(f"The URL has a backslash at character {place}; use /.")
        # C: control, format, surrogate, unassigned; Z: every kind of space.
        if unicodedata.category(character)[0] in "CZ":
            raise InvalidURL(f"The URL has a space or an invisible character at character {place}.")


def _split_authority(authority: str) -> tuple[str, str | None]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port`; the port is None when absent."""
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidURL("The IPv6 address in the URL must stand in [brackets].")
        return host + bracket, rest[1:] if rest else None
    if authority.count(":") > 1:
        raise InvalidURL("An IPv6 address in a URL must stand in [brackets].")
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _read_port(text: str | None, scheme: str) -> int:
    if text is None:
        return DEFAULT_PORTS[scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise InvalidURL("The port in the URL must be a number up to 65535.")
    port = int(text)
    if port not in DEFAULT_PORTS.values() and port < 1024:
        raise InvalidURL(f"Port {port} is not open to webhooks: use 80, 443, or 1024 and above.")
    return port


def _read_bracketed(text: str) -> ipaddress.IPv6Address:
    inner = text[1:-1]
    if "%" in inner:
        raise InvalidURL("An IPv6 address in a URL may not carry a zone (the part after %).")
    try:
        return ipaddress.IPv6Address(inner)
    except ValueError:
        raise InvalidURL(f"[{inner}] is not an IPv6 address.") from None


def _read_name(text: str) -> str:
    """The host name in lower-case ASCII, without the final dot of a fully qualified name."""
    name = text
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise InvalidURL(f"“{text}” is not a valid host name.") from None
    name = name.lower().removesuffix(".")
    if len(name) > 253 or not all(_LABEL.match(label) for label in name.split(".")):
        raise InvalidURL(f"“{text}” is not a valid host name.")
    return name


def _read_ipv4(host: str) -> ipaddress.IPv4Address | None:
    """The address when the host is dotted-quad IPv4; None for a name.

    A host whose last part is a number is never a name (WHATWG URL, “ends in a number”). Other
    spellings of an address (decimal, octal, hexadecimal, short) are refused: resolvers disagree
    about them.
    """
    if not _NUMBER.match(host.rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        pass
    try:
        meant = f" It reads as {socket.inet_ntoa(socket.inet_aton(host))}."
    except OSError:
        meant = ""
    raise InvalidURL(
        f"“{host}” is not a plain IPv4 address; write four numbers from 0 to 255.{meant}"
    )


def _encode(text: str) -> str:
    """Percent-encode what a request line can not carry, in the normal form of RFC 3986, 6.2.2.

    Escapes already there stay, in upper case, unless they were never needed: clients differ in
    what they make of `%7e`.
    """
    return _ESCAPE.sub(_normal_escape, quote(_LONE_PERCENT.sub("%25", text), safe=_SAFE))


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if _UNRESERVED.match(character) else match[0].upper()


def _without_dot_segments(path: str) -> str:
    """`/a/../b/.` as `/b/` (RFC 3986, 5.2.4), as every browser sends it."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
