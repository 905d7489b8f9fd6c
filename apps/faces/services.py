"""Saving what the screens of the other systems say: a webhook, its templates, its attachments."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.accounts.models import User
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.mapping import Mapping as FieldMappings
from apps.webhooks.models import MADE_BY_SCREEN, Template, Webhook, WebhookHeader
from apps.webhooks.services import create_webhook, save_template
from apps.webhooks.versions import free_name

# What a screen says of an attachment; people may set more of it elsewhere.
_SET_BY_SCREEN = ("location", "own_template", "is_active")


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent: the content of a template, and what to call it if there is none yet.

    `is_start_only` is content that only begins a template, which people go on with.
    """

    name: str
    format: Format
    sample: str
    mapping: FieldMappings
    is_start_only: bool = False


def built_in(key: str, *, name: str) -> Payload:
    """Return a built-in template, to be copied once."""
    entry = GALLERY[key]
    return Payload(name, entry.format, entry.sample, entry.mapping, is_start_only=True)


@transaction.atomic
def save_face(
    *,
    webhook: Webhook,
    sent: Mapping[Timing, Payload],
    by: User | None,
    active: Collection[Timing] = tuple(Timing),
    headers: Sequence[tuple[str, str]] = (),
) -> Webhook:
    """Save a webhook with what it sends at which moments of a call, for its location or for all.

    A payload that has changed becomes a new version of its template, and a new template where its
    format has changed. Of the moments, those that are not `active` are switched off. A new webhook
    gets a secret unless it has one. `headers` replace those of the same names. Raises
    ValidationError, and saves nothing, for what does not fit.
    """
    is_new = webhook._state.adding
    # Held until the end: its headers and attachments are as they are found.
    list(Webhook.objects.select_for_update(no_key=True).filter(pk=webhook.pk).values("pk"))
    places = {} if is_new else {each.timing: each for each in _attachments(webhook)}
    templates = {
        timing: _saved(webhook, _template_of(webhook, places.get(timing)), payload, by)
        for timing, payload in sent.items()
    }
    webhook.template = templates[next(iter(sent))]
    if is_new:
        create_webhook(webhook=webhook, headers=headers, secret=webhook.secret)
    else:
        webhook.full_clean()
        webhook.save_changed()
        _replace_headers(webhook, headers)
    for timing, template in templates.items():
        place = places.get(timing) or Attachment(
            account_id=webhook.account_id, webhook_id=webhook.pk, timing=timing
        )
        place.location = webhook.location
        place.own_template = None if template == webhook.template else template
        place.is_active = timing in active
        place.full_clean()
        place.save(update_fields=None if place._state.adding else _SET_BY_SCREEN)
    return webhook


def active_moments(webhook: Webhook) -> list[str]:
    """Return the moments at which the webhook sends."""
    return [each.timing for each in _attachments(webhook) if each.is_active]


def _attachments(webhook: Webhook) -> list[Attachment]:
    """The attachments that the screen made; those that somebody added elsewhere are theirs."""
    rows = Attachment.objects.filter(MADE_BY_SCREEN, webhook_id=webhook.pk)
    return list(rows.select_related("own_template"))


def _template_of(webhook: Webhook, place: Attachment | None) -> Template | None:
    if place is not None and place.own_template is not None:
        return place.own_template
    return webhook.template if place is not None and webhook.template_id else None


def _saved(
    webhook: Webhook, template: Template | None, payload: Payload, by: User | None
) -> Template:
    is_kept = (
        template is not None
        and template.account_id == webhook.account_id
        and template.format == payload.format
    )
    if template is not None and is_kept and payload.is_start_only:
        return template
    if template is None or not is_kept or _is_sent_by_others(template, webhook):
        template = Template(
            account_id=webhook.account_id,
            name=free_name(account=webhook.account, wanted=payload.name),
            format=payload.format.value,
        )
    else:
        # Only its version is changed here.
        template.keep_as_read()
    save_template(template=template, sample=payload.sample, by=by, mapping=payload.mapping)
    return template


def _is_sent_by_others(template: Template, webhook: Webhook) -> bool:
    """Tell whether a change would reach other webhooks, as the copies of this one."""
    return template.webhooks.exclude(pk=webhook.pk).exists()


def _replace_headers(webhook: Webhook, headers: Sequence[tuple[str, str]]) -> None:
    known = {header.name.lower(): header for header in webhook.headers.all()}
    for name, value in headers:
        header = known.get(name.lower()) or WebhookHeader(
            account_id=webhook.account_id, webhook_id=webhook.pk, name=name
        )
        header.value = value
        header.full_clean()
        header.save(update_fields=None if header._state.adding else ["value"])
