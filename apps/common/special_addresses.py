"""Which IP addresses are not public, and which IPv6 addresses lead to an IPv4 one. Pure.

Source: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and successors),
and the addresses at which cloud providers serve credentials to their machines.
"""

import ipaddress
from typing import Final

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA: Final = {
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google, Azure, and most others
        "169.254.170.2",  # AWS container credentials
        "169.254.169.123",  # AWS time
        "192.0.0.192",  # Oracle
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure host channel, in public space
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
    )
}

_SPECIAL: Final[tuple[tuple[IPNetwork, str], ...]] = tuple(
    (ipaddress.ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/32", "the unspecified address"),
        ("0.0.0.0/8", "an address of “this network” (0.0.0.0/8)"),
        ("10.0.0.0/8", "a private address (10.0.0.0/8)"),
        ("100.64.0.0/10", "a carrier's internal address (100.64.0.0/10)"),
        ("127.0.0.0/8", "a loopback address, this server itself (127.0.0.0/8)"),
        ("169.254.0.0/16", "a link-local address (169.254.0.0/16)"),
        ("172.16.0.0/12", "a private address (172.16.0.0/12)"),
        ("192.0.0.0/24", "reserved for protocols (192.0.0.0/24)"),
        ("192.0.2.0/24", "an address for documentation (192.0.2.0/24)"),
        ("192.88.99.0/24", "a retired 6to4 relay address (192.88.99.0/24)"),
        ("192.168.0.0/16", "a private address (192.168.0.0/16)"),
        ("198.18.0.0/15", "an address for benchmarks (198.18.0.0/15)"),
        ("198.51.100.0/24", "an address for documentation (198.51.100.0/24)"),
        ("203.0.113.0/24", "an address for documentation (203.0.113.0/24)"),
        ("224.0.0.0/4", "a multicast address (224.0.0.0/4)"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address (240.0.0.0/4)"),
        ("::/128", "the unspecified address"),
        ("::1/128", "the loopback address, this server itself"),
        ("::ffff:0:0/96", "an IPv4 address written as IPv6 (::ffff:0:0/96)"),
        ("::/8", "a reserved address (::/8)"),
        ("64:ff9b::/96", "a NAT64 address (64:ff9b::/96)"),
        ("64:ff9b:1::/48", "a local NAT64 address (64:ff9b:1::/48)"),
        ("100::/64", "a discard-only address (100::/64)"),
        ("2001::/32", "a Teredo address (2001::/32)"),
        ("2001:2::/48", "an address for benchmarks (2001:2::/48)"),
        ("2001::/23", "reserved for protocols (2001::/23)"),
        ("2001:db8::/32", "an address for documentation (2001:db8::/32)"),
        ("2002::/16", "a 6to4 address (2002::/16)"),
        ("3fff::/20", "an address for documentation (3fff::/20)"),
        ("fc00::/7", "a private address (fc00::/7)"),
        ("fe80::/10", "a link-local address (fe80::/10)"),
        ("fec0::/10", "a private, site-local address (fec0::/10)"),
        ("ff00::/8", "a multicast address (ff00::/8)"),
    )
)
_GLOBAL_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_V4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_ISATAP_MARKS: Final = (0x00005EFE, 0x02005EFE)


def special_kind(address: IPAddress) -> str | None:
    """What keeps the address from being a public one, as it reads after “is”; None if public."""
    if address in _METADATA:
        return "the internal service of a cloud provider"
    for network, kind in _SPECIAL:
        if address in network:
            return kind
    # Of IPv6 only 2000::/3 is handed out; the rest is reserved for what may come.
    if address.version == 6 and address not in _GLOBAL_UNICAST_V6:
        return "a reserved address (outside 2000::/3)"
    return None


def embedded_ipv4(address: IPAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address to which a translator or tunnel would carry packets for this IPv6 address.

    Knows v4-mapped, v4-compatible, NAT64 (RFC 6052, RFC 8215 read as /96), 6to4, Teredo's client
    and ISATAP.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return None
    number = int(address)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    # :: and ::1 sit in ::/96 without being v4-compatible.
    compatible = address in _V4_COMPATIBLE and number > 1
    isatap = (number >> 32) & 0xFFFFFFFF in _ISATAP_MARKS
    if compatible or isatap or address in _NAT64 or address in _NAT64_LOCAL:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None
