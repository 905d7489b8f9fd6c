"""What the admin asks of a request."""

import uuid

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from apps.common.access import NOBODY, Access, Role
from apps.common.models import AccountOwned


def access_of(request: HttpRequest) -> Access:
    """Return what the sender reaches; nothing where the tenancy middleware did not run."""
    access: Access = getattr(request, "access", NOBODY)
    return access


def our_address(request: HttpRequest, address: str) -> str:
    """Return an address to lead to, as a link carried it along; "" unless it is one of ours."""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else ""


def accounts_with_role(access: Access, role: Role) -> list[uuid.UUID]:
    """Return the accounts that are being worked on and in which the role is held."""
    return [key for key in access.active_ids if access.has_role(role, key)]


def form_accounts(request: HttpRequest, row: AccountOwned | None, role: Role) -> list[uuid.UUID]:
    """Return the accounts whose rows a form may offer.

    Of an existing row its own account. For a new one those in which the role is held, narrowed by
    `?account=`, which links from a page of one account carry along.
    """
    if row is not None:
        return [row.account_id]
    allowed = accounts_with_role(access_of(request), role)
    try:
        wanted = uuid.UUID(request.GET.get("account", ""))
    except ValueError:
        return allowed
    return [wanted] if wanted in allowed else allowed
