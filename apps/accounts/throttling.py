"""How often somebody may try to log in as the same person, or have mails sent to them."""

import ipaddress
import uuid
from hashlib import sha256
from typing import Final

from django.core.exceptions import ValidationError

from apps.accounts.logins import addresses_of_logins
from apps.common.api.rate_limits import Quota, spend
from apps.common.origin import current_origin

# NIST SP 800-63B allows 100 tries in all. From one network so many in each window are as many as
# a person who has forgotten their password will want. From all networks together more pass: else
# one stranger alone could keep a person out.
MOST_TRIES: Final = 20
MOST_TRIES_FROM_ALL: Final = 100
WINDOW_S: Final = 15 * 60
# Links to set a new password, for one person.
MOST_LINKS: Final = 5
LINKS_WINDOW_S: Final = 60 * 60
# Invitations that an account sends in a day: to one person, and to all.
MOST_INVITATIONS_TO_ONE: Final = 10
MOST_INVITATIONS: Final = 200
INVITATIONS_WINDOW_S: Final = 24 * 60 * 60
# What a provider gives to one customer, who may take any address of it.
_IPV6_NETWORK: Final = 48


def check_login_rate(*, email: str) -> None:
    """Count a try to log in; raise ValidationError if there were too many of late.

    Whether anybody has this e-mail does not matter, so the answer tells nothing. The right password
    is refused, too: else it would show. The bound for all networks together holds for none from
    which the person has logged in lately. Without Redis nothing is counted.
    """
    person, network = _hashed(email), _network(current_origin().ip)
    tries = spend(f"login:{person}:{network}", MOST_TRIES, window_s=WINDOW_S)
    if tries and tries.is_spent:
        raise _too_many(tries)
    from_all = spend(f"login:{person}", MOST_TRIES_FROM_ALL, window_s=WINDOW_S)
    if from_all and from_all.is_spent and network not in _networks_of(email):
        raise _too_many(from_all)


def may_send_link(*, email: str) -> bool:
    """Count a link to set a new password; tell whether it is to be sent."""
    links = spend(f"link:{_hashed(email)}", MOST_LINKS, window_s=LINKS_WINDOW_S)
    return links is None or not links.is_spent


def check_invitation_rate(*, email: str, account_id: uuid.UUID) -> None:
    """Count an invitation; raise ValidationError if the account has sent too many of late."""
    for name, most, whom in (
        (f"invite:{account_id}:{_hashed(email)}", MOST_INVITATIONS_TO_ONE, "this person"),
        (f"invite:{account_id}", MOST_INVITATIONS, "people"),
    ):
        sent = spend(name, most, window_s=INVITATIONS_WINDOW_S)
        if sent and sent.is_spent:
            raise ValidationError(
                {"email": f"An account invites {whom} {most} times a day at most."},
                code="throttled",
            )


def _hashed(email: str) -> str:
    return sha256(email.strip().lower().encode()).hexdigest()


def _network(address: str | None) -> str:
    if address is None:
        return ""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    length = _IPV6_NETWORK if ip.version == 6 else ip.max_prefixlen
    return str(ipaddress.ip_network((ip, length), strict=False))


def _networks_of(email: str) -> set[str]:
    return {_network(address) for address in addresses_of_logins(email=email)}


def _too_many(quota: Quota) -> ValidationError:
    minutes = -(-quota.reset_s // 60)
    return ValidationError(
        f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, or ask for a link"
        " to set a new password.",
        code="throttled",
    )
