"""What the engine knows of each webhook and template, read once and kept while it is true."""

import contextlib
import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg import AsyncConnection

from apps.common.fields import UnreadableSecret, decrypt
from apps.delivery.engine.lanes import Lanes
from apps.delivery.retry import RetryPolicy
from apps.delivery.signing import HexScheme
from apps.webhooks.formats import Format
from apps.webhooks.headers import is_secret_header
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import DEFAULT_CONCURRENCY, Webhook
from apps.webhooks.rendering import (
    CompiledTemplate,
    CompiledText,
    compile_template,
    compile_text,
)
from apps.webhooks.schedules import DEFAULT_SCHEDULE
from apps.webhooks.secrets import InvalidSecret, Secret, parse_secret

logger = logging.getLogger(__name__)

_WEBHOOKS = """
SELECT id, revision, name, url, method, success_codes, timeout_s, secret, body_contains,
  retry_waits_s, concurrency, rate_limit IS NOT NULL, signature, signature_header, key_id_header,
  key_id
FROM webhooks_webhook WHERE id = ANY (%s)
"""
_HEADERS = """
SELECT webhook_id, name, value FROM webhooks_webhookheader
WHERE webhook_id = ANY (%s) ORDER BY created_at
"""
_RETIRED = """
SELECT webhook_id, secret, signs_until FROM webhooks_retiredsecret
WHERE webhook_id = ANY (%s) AND signs_until > now() ORDER BY created_at DESC
"""
_VERSIONS = """
SELECT version.id, template.format, version.sample, version.mapping
FROM webhooks_templateversion version
JOIN webhooks_template template ON template.id = version.template_id
WHERE version.id = ANY (%s)
"""
# When there are more, all are dropped but those that are needed; a worker seldom meets as many.
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a webhook, its value compiled; a secret one is masked in the log."""

    name: str
    value: CompiledText
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All that sending to a webhook takes, as of one revision of it."""

    id: uuid.UUID
    revision: int
    name: str
    url: str
    method: str
    timeout_s: int
    policy: RetryPolicy
    secrets: tuple[Secret, ...]
    headers: tuple[Header, ...]
    # Newest first, each with the moment from which it signs no more.
    retired: tuple[tuple[Secret, dt.datetime], ...] = ()
    scheme: HexScheme | None = None
    is_signed: bool = True
    hex_key: str = field(default="", repr=False)
    concurrency: int = DEFAULT_CONCURRENCY
    is_limited: bool = False
    # Its concurrency is one of its own: only one worker at a time sends to it.
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """A webhook or template that can not be used; `reason` is what its deliveries say."""

    reason: str
    revision: int = 0


class EndpointCache:
    """Endpoints by webhook and templates by version.

    An endpoint is read again when a claim brings another revision than the one kept; the database
    raises the revision with every change of a webhook or its headers. Versions never change.
    """

    def __init__(self) -> None:
        self.endpoints: dict[uuid.UUID, Endpoint | Unusable] = {}
        self.templates: dict[uuid.UUID, CompiledTemplate | Unusable] = {}

    def make_room(self, lanes: Lanes) -> None:
        """Drop what nothing in the lanes needs, if there is too much."""
        if max(len(self.endpoints), len(self.templates)) > _MOST_KEPT:
            webhooks, versions = lanes.in_use(), lanes.versions()
            self.endpoints = {key: self.endpoints[key] for key in webhooks & self.endpoints.keys()}
            self.templates = {key: self.templates[key] for key in versions & self.templates.keys()}

    async def learn(
        self,
        connection: AsyncConnection[Any],
        *,
        revisions: Mapping[uuid.UUID, int],
        versions: Iterable[uuid.UUID],
    ) -> None:
        """Read what is missing or stale; a few queries, none when all is known."""
        stale = [
            key
            for key, revision in revisions.items()
            if key not in self.endpoints or self.endpoints[key].revision != revision
        ]
        if stale:
            await self._learn_endpoints(connection, stale)
        unknown = {version for version in versions if version not in self.templates}
        if unknown:
            await self._learn_templates(connection, list(unknown))

    async def _learn_endpoints(
        self, connection: AsyncConnection[Any], keys: list[uuid.UUID]
    ) -> None:
        # The revision is read before the headers: a change in between is then kept under the
        # revision before it, so that the next claim finds it stale.
        webhooks = await _rows(connection, _WEBHOOKS, keys)
        headers: dict[uuid.UUID, list[tuple[str, str]]] = {}
        for webhook_id, name, value in await _rows(connection, _HEADERS, keys):
            headers.setdefault(webhook_id, []).append((name, value))
        retired: dict[uuid.UUID, list[tuple[str, dt.datetime]]] = {}
        for webhook_id, secret, until in await _rows(connection, _RETIRED, keys):
            retired.setdefault(webhook_id, []).append((secret, until))
        for key, revision, *columns in webhooks:
            try:
                endpoint = endpoint_of(headers.get(key, ()), key, revision, *columns)
                old = () if endpoint.scheme else retired.get(key, ())
                self.endpoints[key] = replace(
                    endpoint,
                    retired=tuple(_still_signing(old)),
                )
            # One tenant's row must not stop the others' deliveries.
            except Exception:
                logger.exception("The webhook %s can not be used", key)
                self.endpoints[key] = Unusable("The webhook's settings can not be read.", revision)

    async def _learn_templates(
        self, connection: AsyncConnection[Any], keys: list[uuid.UUID]
    ) -> None:
        for key, form, sample, mapping in await _rows(connection, _VERSIONS, keys):
            try:
                self.templates[key] = compile_template(
                    format=Format(form), sample=sample, mapping=from_plain(mapping)
                )
            except Exception:
                logger.exception("The template version %s can not be used", key)
                self.templates[key] = Unusable("The template can not be read.")


def _still_signing(
    retired: Iterable[tuple[str, dt.datetime]],
) -> Iterator[tuple[Secret, dt.datetime]]:
    """Read old secrets.

    One that was for another scheme does not sign by this one, and one whose key is gone by none.
    """
    for text, until in retired:
        with contextlib.suppress(InvalidSecret, UnreadableSecret):
            yield parse_secret(decrypt(text)), until


def endpoint_of(
    headers: Iterable[tuple[str, str]],
    key: uuid.UUID,
    revision: int,
    name: str,
    url: str,
    method: str,
    codes: list[int],
    timeout_s: int,
    secret: str,
    body_contains: str,
    retry_waits_s: list[int] | None,
    concurrency: int | None,
    is_limited: bool,
    signature: str,
    signature_header: str,
    key_id_header: str,
    key_id: str,
    *,
    read: Callable[[str], str] = decrypt,
) -> Endpoint:
    """Return the endpoint of a row of `_WEBHOOKS`; `read` is how its credentials are read."""
    text = read(secret)
    scheme = None
    if signature in Webhook.HEX_SIGNATURES:
        is_upper = signature == Webhook.Signature.HEX_UPPER
        scheme = HexScheme(signature_header, is_upper, key_id_header, key_id)
    ours = {signature_header.lower(), key_id_header.lower()} if scheme else set()
    return Endpoint(
        id=key,
        revision=revision,
        name=name,
        url=url,
        method=method,
        timeout_s=timeout_s,
        policy=RetryPolicy(
            schedule=DEFAULT_SCHEDULE if retry_waits_s is None else tuple(retry_waits_s),
            success_codes=frozenset(codes),
            body_contains=body_contains,
        ),
        # A key of a system that Hookline replaces may be any text.
        secrets=() if scheme else (parse_secret(text),),
        scheme=scheme,
        is_signed=signature != Webhook.Signature.NONE,
        hex_key=text,
        headers=tuple(
            Header(name, compile_text(read(value) if value else ""), is_secret_header(name))
            for name, value in headers
            if name.lower() not in ours
        ),
        concurrency=concurrency or DEFAULT_CONCURRENCY,
        is_limited=is_limited,
        is_held=concurrency is not None,
    )


async def _rows(
    connection: AsyncConnection[Any], query: Any, keys: list[uuid.UUID]
) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(query, [keys])
    return await cursor.fetchall()
