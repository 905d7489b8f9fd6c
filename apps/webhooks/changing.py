"""Changing a webhook that exists."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.common.access import Access, Role
from apps.common.faults import faults_at
from apps.common.fields import readable
from apps.webhooks.models import Webhook
from apps.webhooks.services import add_headers, check_receiver

# A header without a value keeps the one that is saved under its name, in capitals or not.
Headers = Sequence[tuple[str, str | None]]


@transaction.atomic
def change_webhook(
    *, webhook: Webhook, changes: Mapping[str, Any], headers: Headers | None, by: Access
) -> Webhook:
    """Save changes of columns, and the list of headers if one is given.

    Raises ValidationError, and saves nothing, for what does not fit; and for an address at another
    host or port, or without TLS, to which saved header values would go, unless `by` is an admin.
    """
    changes = dict(changes)
    if (url := changes.get("url")) is not None:
        with faults_at("url"):
            changes["url"] = checked_url(url, webhook=webhook, before=webhook.url, access=by)
    if changes.get("is_active"):
        changes["disabled_reason"] = ""
    changed = [name for name, value in changes.items() if getattr(webhook, name) != value]
    for name in changed:
        setattr(webhook, name, changes[name])
    webhook.full_clean()
    if changed:
        webhook.save(update_fields=changed)
    if headers is not None:
        _replace_headers(webhook, headers)
    return webhook


def checked_url(url: str, *, webhook: Webhook, before: str, access: Access) -> str:
    """Return the URL in the spelling that is sent; `before` is the saved one.

    Raises ValidationError for one that Hookline may not send to, and where somebody who is no admin
    would send saved credentials elsewhere.
    """
    url = check_receiver(url=url.strip())
    if webhook._state.adding or not (where := less_safe(url, before)):
        return url
    has_secrets = any(header.is_secret for header in webhook.headers.all())
    if has_secrets and not access.has_role(Role.ADMIN, webhook.account_id):
        raise ValidationError(f"Saved header values would go {where}; only an admin may do that.")
    return url


def less_safe(url: str, before: str) -> str:
    """Say where credentials would go that were saved for the address before; "" for no worse.

    Both are in the spelling that is sent.
    """
    scheme, host = urlsplit(url)[:2]
    scheme_before, host_before = urlsplit(before)[:2]
    if host != host_before:
        return "to another host or port"
    return "without TLS" if scheme == "http" != scheme_before else ""


def _replace_headers(webhook: Webhook, headers: Headers) -> None:
    saved = {header.name.lower(): readable(header, "value") for header in webhook.headers.all()}
    webhook.headers.all().delete()
    for index, (name, value) in enumerate(headers):
        if value is None and saved.get(name.lower()) is None:
            raise ValidationError(
                {f"headers/{index}/value": "No value is saved under this name that can be read."}
            )
    add_headers(
        webhook,
        [(name, saved[name.lower()] or "" if value is None else value) for name, value in headers],
    )
