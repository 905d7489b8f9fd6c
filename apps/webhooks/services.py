"""Saving templates and webhooks."""

import contextlib
import datetime as dt
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.accounts.models import User
from apps.common.egress import EgressError, EgressPolicy, UnresolvableHost
from apps.common.faults import faults_at
from apps.common.fields import readable
from apps.webhooks.extraction import Sample, SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.headers import MOST_HEADERS, TOO_MANY, InvalidHeader, check_is_new
from apps.webhooks.mapping import (
    Mapping,
    MappingError,
    auto_map,
    check,
    find_problems,
    from_plain,
    to_plain,
)
from apps.webhooks.models import RetiredSecret, Template, TemplateVersion, Webhook, WebhookHeader
from apps.webhooks.secrets import InvalidSecret, check_text, new_signing_secret, parse_secret

Resolve = Callable[..., Sequence[Any]]

# Somebody waits meanwhile, in a transaction, as all that is saved is judged together; and a name
# server may hang, or belong to somebody who wants it to. So many at once hold a quarter of the
# threads of a web process.
LOOKUP_TIMEOUT_S = 2.0
MOST_LOOKUPS = 4
_lookups = ThreadPoolExecutor(max_workers=MOST_LOOKUPS, thread_name_prefix="look-up")
_free_lookups = BoundedSemaphore(MOST_LOOKUPS)

DEFAULT_KEEP = dt.timedelta(hours=24)
MAX_KEEP = dt.timedelta(days=7)
MOST_RETIRED = 10
# What is no version's.
_OWN_FIELDS = ("name", "group", "is_shared_with_clients")


@transaction.atomic
def save_template(
    *, template: Template, sample: str, by: User | None, mapping: Mapping | None = None
) -> TemplateVersion:
    """Save a template together with its sample, and return its current version.

    A new or changed sample or mapping becomes a new version; without a mapping it is what the
    %tokens% of the sample say, and what was mapped by hand at places that are still there; the
    same sample again makes no version. Raises
    ValidationError, and saves nothing, for a sample that can not be used: `sample` tells line and
    column, or each unknown token with its place; `mapping` tells each place that does not fit.
    """
    wanted = (
        check_sample(sample=sample, template_format=template.format)
        if mapping is None
        else check_mapping(sample=sample, template_format=template.format, mapping=mapping)
    )
    is_new = template._state.adding
    current = None if is_new else _current_held(template)
    if current is not None and mapping is None:
        wanted = _with_what_was_mapped(current, wanted, sample, template.format)
    template.full_clean(exclude=["current_version"])
    template.save_changed(None if is_new else _OWN_FIELDS)
    if current and current.sample == sample and mapping in (None, from_plain(current.mapping)):
        return current
    last = template.versions.aggregate(last=Max("number"))["last"] or 0
    version = TemplateVersion.objects.create(
        account_id=template.account_id,
        template=template,
        number=last + 1,
        sample=sample,
        mapping=to_plain(wanted),
        created_by=by,
    )
    template.current_version = version
    template.save(update_fields=["current_version"])
    return version


def _current_held(template: Template) -> TemplateVersion | None:
    """Hold a template until the end, so that two people who save at once get two numbers.

    Returns the version that is current now, which somebody may have saved meanwhile.
    """
    held = Template.objects.select_for_update(no_key=True).filter(pk=template.pk).first()
    if held is None:
        raise ValidationError("This template does not exist any more.")
    if held.format != template.format:
        raise ValidationError({"format": "The type is fixed; make another template."})
    if held.current_version_id != template.current_version_id:
        template.current_version = held.current_version
    return template.current_version


@transaction.atomic
def delete_template(*, template: Template) -> None:
    """Delete a template with its versions. Raises ProtectedError while something needs it."""
    template.delete()


def check_sample(*, sample: str, template_format: str) -> Mapping:
    """Return the mapping that a sample brings along.

    Raises ValidationError with line and column of what can not be read, or with every unknown
    token and its place.
    """
    extracted = read_sample(sample=sample, template_format=template_format)
    try:
        return auto_map(extracted)
    except MappingError as error:
        raise ValidationError(
            {"sample": [f"{fault.message} (at {fault.path})" for fault in error.problems]}
        ) from None


def _with_what_was_mapped(
    current: TemplateVersion, brought: Mapping, sample: str, template_format: str
) -> Mapping:
    """The mapping of a changed sample, with what was mapped by hand before and still fits."""
    try:
        by_sample = auto_map(read_sample(sample=current.sample, template_format=template_format))
    except MappingError:
        # It came with a mapping, which knows better what in it are no tokens.
        by_sample = Mapping()
    by_hand = [
        field
        for field in from_plain(current.mapping).fields
        if field != by_sample.get(field.path) and brought.get(field.path).is_as_sample
    ]
    whole = brought.replaced(by_hand)
    misfits = {
        problem.path
        for problem in find_problems(
            whole, read_sample(sample=sample, template_format=template_format)
        )
    }
    return Mapping(tuple(field for field in whole.fields if field.path not in misfits))


def check_mapping(*, sample: str, template_format: str, mapping: Mapping) -> Mapping:
    """Return the mapping; raise ValidationError with each place where it does not fit."""
    try:
        check(mapping, read_sample(sample=sample, template_format=template_format))
    except MappingError as error:
        raise ValidationError(
            {"mapping": [f"{fault.message} (at {fault.path})" for fault in error.problems]}
        ) from None
    return mapping


@transaction.atomic
def create_webhook(
    *, webhook: Webhook, headers: Sequence[tuple[str, str]], secret: str = ""
) -> Webhook:
    """Save a new webhook with its headers and signing secret, which is made unless given.

    Raises ValidationError, and saves nothing, for what does not fit: an address that webhooks may
    not reach (`url`), a template of another group or account (`template`), the second header
    (`headers/1/value`).
    """
    with faults_at("url"):
        webhook.url = check_receiver(url=webhook.url)
    webhook.secret = secret or new_signing_secret()
    webhook.full_clean()
    webhook.save()
    add_headers(webhook, headers)
    return webhook


def add_headers(webhook: Webhook, headers: Sequence[tuple[str, str]]) -> None:
    """Give headers to a webhook that has none.

    Raises ValidationError for too many (`headers`), or for one that can not be (`headers/1/value`).
    """
    if len(headers) > MOST_HEADERS:
        raise ValidationError({"headers": TOO_MANY})
    for index, (name, value) in enumerate(headers):
        header = WebhookHeader(
            account_id=webhook.account_id, webhook=webhook, name=name, value=value
        )
        with faults_at(f"headers/{index}"):
            header.full_clean()
            try:
                check_is_new(name, (other for other, _ in headers[:index]))
            except InvalidHeader as error:
                fault = ValidationError(str(error), code="not_unique")
                raise ValidationError({error.field: fault}) from None
        header.save()


def read_sample(*, sample: str, template_format: str) -> Sample:
    """Return the sample's fields; raise ValidationError with line and column if it has none."""
    try:
        return extract(sample, Format(template_format))
    except SampleError as error:
        place = f"Line {error.line}, column {error.column}: {error.message}"
        near = f" Near: {error.snippet}" if error.snippet else ""
        raise ValidationError({"sample": place + near}) from None


def check_receiver(*, url: str, resolve: Resolve = socket.getaddrinfo) -> str:
    """Return the URL in the spelling that is sent.

    Raises ValidationError that names the address and why webhooks may not go there. A name that
    can not be found just now, not within 2 s, or not while `MOST_LOOKUPS` others are looked up, is
    fine: it is judged again before each request.
    """
    policy = EgressPolicy.from_strings(settings.EGRESS_ALLOW)
    try:
        target = policy.check_url(url)
        if target.address is None:
            _look_up(policy, target.url, resolve)
    except EgressError as error:
        raise ValidationError(error.reason, code="blocked_url") from None
    return target.url


def _look_up(policy: EgressPolicy, url: str, resolve: Resolve) -> None:
    if not _free_lookups.acquire(blocking=False):
        return
    lookup = _lookups.submit(policy.resolve_and_vet, url, resolve=resolve)
    lookup.add_done_callback(lambda _: _free_lookups.release())
    with contextlib.suppress(UnresolvableHost, TimeoutError):
        lookup.result(LOOKUP_TIMEOUT_S)


@transaction.atomic
def rotate_secret(
    *,
    webhook: Webhook,
    keep: dt.timedelta = DEFAULT_KEEP,
    key_id: str | None = None,
    secret: str = "",
) -> None:
    """Give a webhook a new secret; the old one signs along for as long as `keep` says.

    0 to 7 days. 0 is for a secret that others may know: earlier ones stop signing at once, too. A
    `sha256=` signature is made with the new one alone; `key_id` is the new name of the key. The
    secret is made unless one is given. One that can not be read, as its key is gone, does not sign
    along. Raises ValidationError by field for what does not fit.
    """
    if not dt.timedelta() <= keep <= MAX_KEEP:
        raise ValidationError({"keep": "An old secret may sign for 0 to 7 days more."})
    # Read under the lock: somebody may have replaced it, or changed how it signs, just now.
    webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
    if secret:
        try:
            secret = own_secret(webhook.signature, secret)
        except InvalidSecret as error:
            raise ValidationError({"secret": str(error)}) from None
    if keep and readable(webhook, "secret") is not None:
        RetiredSecret.objects.create(
            account_id=webhook.account_id,
            webhook=webhook,
            secret=webhook.secret,
            signs_until=timezone.now() + keep,
        )
    retired = webhook.retired_secrets.order_by("-created_at") if keep else ()
    can_sign = [each.pk for each in retired if readable(each, "secret") is not None]
    webhook.retired_secrets.exclude(pk__in=can_sign[:MOST_RETIRED]).delete()
    webhook.secret = secret or new_signing_secret()
    if key_id is not None:
        webhook.key_id = key_id
        webhook.clean_fields(exclude=["secret"])
        webhook.check_signature()
    webhook.save(update_fields=["secret", "key_id"])


def own_secret(signature: str, text: str) -> str:
    """Return a secret that somebody brings along, as it is stored; raise InvalidSecret.

    One of Standard Webhooks, or any text where the whole of it is the key of a `sha256=`.
    """
    if signature in Webhook.HEX_SIGNATURES:
        return check_text(text)
    return parse_secret(text).text


def purge_retired_secrets() -> int:
    """Delete secrets that sign no more, in every account; return how many there were."""
    deleted, _ = RetiredSecret.objects.filter(signs_until__lte=timezone.now()).delete()
    return deleted
