"""From a claimed delivery to the request that goes out."""

import datetime as dt
from typing import NamedTuple

from apps.common.ids import encode_public_id
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint
from apps.delivery.models import Delivery
from apps.delivery.outcome import OutboundRequest
from apps.delivery.signing import sign, sign_hex
from apps.webhooks.formats import Format
from apps.webhooks.headers import MASK
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import Snapshot


class Prepared(NamedTuple):
    """A request, and its headers as they may be stored: credentials masked.

    `started_at` is the time of the try, whose whole seconds are signed; `endpoint` is the webhook
    as it was then.
    """

    request: OutboundRequest
    masked_headers: dict[str, str]
    started_at: dt.datetime
    endpoint: Endpoint


def prepare(
    held: Claimed,
    snapshot: Snapshot,
    endpoint: Endpoint,
    template: CompiledTemplate,
    *,
    started_at: dt.datetime,
) -> Prepared:
    """Render and sign one try, which begins at that time.

    A header of the webhook replaces one of ours by the same name, in any case, but for the
    signature's. A query goes behind the URL and leaves the body, which is what is signed, empty.
    """
    timestamp = int(started_at.timestamp())
    snapshot = _at_this_try(held, snapshot, timestamp)
    if held.changed_paths is not None:
        template = template.only(held.changed_paths)
    url, body = endpoint.url, template.render(snapshot)
    if template.format is Format.QUERY:
        url, body = with_query(url, body), b""
    shown: dict[str, str] = {}
    headers: dict[str, str] = {}
    own = {header.name.lower() for header in endpoint.headers}
    if template.content_type and "content-type" not in own:
        headers["Content-Type"] = shown["Content-Type"] = template.content_type
    for header in endpoint.headers:
        headers[header.name] = header.value.render(snapshot)
        shown[header.name] = MASK if header.is_secret else headers[header.name]
    message_id = encode_public_id(Delivery.ID_PREFIX, held.id)
    signature = _signature(endpoint, message_id=message_id, timestamp=timestamp, body=body)
    headers |= signature
    shown |= signature
    return Prepared(
        request=OutboundRequest(
            method=endpoint.method,
            url=url,
            headers=headers,
            body=body,
            timeout_s=endpoint.timeout_s,
        ),
        masked_headers=shown,
        started_at=started_at,
        endpoint=endpoint,
    )


def _at_this_try(held: Claimed, snapshot: Snapshot, timestamp: int) -> Snapshot:
    """The call, and which try of which delivery this is: what the delivery tokens read."""
    delivery = {"id": held.id.hex, "attempt": held.attempt_count + 1, "sent_at": timestamp}
    return {**snapshot, "delivery": delivery}


def _signature(
    endpoint: Endpoint, *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Sign as the webhook wants it; id and time go along in any case."""
    if endpoint.is_signed and endpoint.scheme is None:
        secrets = endpoint.secrets
        if endpoint.retired:
            secrets += tuple(
                secret for secret, until in endpoint.retired if timestamp < until.timestamp()
            )
        return sign(secrets, message_id=message_id, timestamp=timestamp, body=body)
    unsigned = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if endpoint.scheme is None:
        return unsigned
    return unsigned | sign_hex(endpoint.scheme, secret=endpoint.hex_key, body=body)


def with_query(url: str, query: bytes) -> str:
    """Return the URL with a rendered query behind what it has already."""
    if not query:
        return url
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{query.decode('ascii')}"
