"""Drafts: begun, found again, changed, finished or discarded."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import Account, Location, User
from apps.common.access import Access, Role
from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.learning import learn_mappings
from apps.webhooks.mapping import FieldMapping, Kind, Mapping, MappingError, auto_map, from_plain
from apps.webhooks.mapping import to_plain as mapping_to_plain
from apps.webhooks.models import Template, Webhook, WebhookDraft
from apps.webhooks.rendering import CompiledTemplate, compile_template
from apps.webhooks.services import (
    create_webhook,
    new_signing_secret,
    read_sample,
    save_template,
)
from apps.webhooks.sharing import templates_for
from apps.webhooks.suggestions import Suggestion, suggest
from apps.webhooks.wizard.answers import Answers, Choice

MOST_DRAFTS = 20
MORE_FIELDS = (
    "body_contains",
    "retry_waits_s",
    "rate_limit",
    "rate_unit",
    "concurrency",
    "signature",
    "signature_header",
    "key_id_header",
    "key_id",
)

Headers = Sequence[tuple[str, str]]


def drafts_of(access: Access) -> QuerySet[WebhookDraft]:
    """Return a person's own drafts, where they may still finish them, newest first."""
    if access.user_id is None:
        return WebhookDraft.objects.none()
    accounts = [key for key in access.accounts if access.has_role(Role.MEMBER, key)]
    return WebhookDraft.objects.filter(
        account_id__in=accounts, user_id=access.user_id
    ).select_related("account", "location")


@transaction.atomic
def begin(
    *, account: Account, location: Location | None, user: User, answers: Answers
) -> WebhookDraft:
    """Store a new draft; a person's oldest ones make room for it."""
    own = WebhookDraft.objects.filter(account=account, user=user).order_by("-updated_at")
    too_old = list(own.values_list("pk", flat=True)[MOST_DRAFTS - 1 :])
    WebhookDraft.objects.filter(pk__in=too_old).delete()
    return WebhookDraft.objects.create(
        account=account,
        location=location,
        user=user,
        answers=answers.to_json(),
        headers=json.dumps(_gallery_headers(answers)),
        secret=new_signing_secret(),
    )


def keep(*, draft: WebhookDraft, answers: Answers, headers: Headers | None = None) -> None:
    """Store what a step was answered."""
    draft.answers = _storable(answers.to_json())
    changed = ["answers", "location", "updated_at"]
    if headers is not None:
        draft.headers = json.dumps([list(header) for header in headers])
        changed.append("headers")
    draft.save(update_fields=changed)


def _storable(plain: Any) -> Any:
    """Replace NUL, which PostgreSQL keeps in no text; what holds one is refused anyway."""
    if isinstance(plain, str):
        return plain.replace("\0", "\ufffd")
    if isinstance(plain, dict):
        return {_storable(key): _storable(value) for key, value in plain.items()}
    return [_storable(each) for each in plain] if isinstance(plain, list) else plain


def answers_of(draft: WebhookDraft) -> Answers:
    """Return what the steps were answered so far."""
    return Answers.from_json(draft.answers)


def headers_of(draft: WebhookDraft) -> list[tuple[str, str]]:
    """Return the headers with their values."""
    return [(name, value) for name, value in json.loads(draft.headers or "[]")]


def filled_from_gallery(answers: Answers) -> Answers:
    """Return the answers with what a built-in template brings along."""
    entry = GALLERY[answers.gallery]
    return replace(
        answers,
        template_name=entry.name,
        format=entry.format.value,
        sample=entry.sample,
        mapping=mapping_to_plain(entry.mapping),
        mapped=digest_of(entry.format.value, entry.sample),
        method=entry.method,
    )


def _gallery_headers(answers: Answers) -> list[list[str]]:
    if answers.choice != Choice.GALLERY:
        return []
    return [list(header) for header in GALLERY[answers.gallery].headers]


def webhook_of(draft: WebhookDraft) -> Webhook:
    """Return the webhook that the draft describes, not stored and without its template."""
    answers = answers_of(draft)
    return Webhook(
        account=draft.account,
        location=draft.location,
        name=answers.name,
        url=answers.url,
        method=answers.method,
        success_codes=answers.success_codes,
        timeout_s=answers.timeout_s,
        secret=draft.secret,
        **{name: value for name, value in answers.more.items() if name in MORE_FIELDS},
    )


# --- The sample and its mapping ------------------------------------------------------------------


def digest_of(format_: str, sample: str) -> str:
    """Return what tells one sample from another."""
    return sha256(f"{format_}\n{sample}".encode()).hexdigest()


def sample_of(answers: Answers) -> Sample:
    """Return the fields of the draft's sample. Raises ValidationError."""
    return read_sample(sample=answers.sample, template_format=answers.format)


def mapping_of(answers: Answers) -> Mapping:
    """Return the mapping as it was stored."""
    return from_plain(answers.mapping)


def with_mapping(*, draft: WebhookDraft, answers: Answers, sample: Sample) -> Answers:
    """Return the answers with a mapping for the sample as it is now.

    A new sample comes with what its %tokens% say and what is suggested with certainty; a place
    that was mapped before keeps its mapping.
    """
    digest = digest_of(answers.format, answers.sample)
    if answers.mapped == digest:
        return answers
    brought = auto_map(sample)
    suggestions = suggest(sample, learn_mappings(account=draft.account))
    taken = {field.path for field in brought.fields}
    sure = [
        _suggested(place, found[0])
        for path, found in suggestions.items()
        if path not in taken and found[0].is_sure and (place := _fillable(sample, path))
    ]
    if any(field.kind is Kind.REPEAT for field in brought.fields):
        sure = [field for field in sure if field.kind is not Kind.REPEAT]
    kept = [field for field in mapping_of(answers).fields if sample.find(field.path) is not None]
    whole = brought.replaced(sure).replaced(kept)
    return replace(answers, mapping=mapping_to_plain(whole), mapped=digest)


def _fillable(sample: Sample, path: str) -> Field | None:
    """The place to fill beforehand; not one that holds others, unless it repeats them."""
    place = sample.find(path)
    is_container = place is not None and place in sample.containers
    return None if place is not None and is_container and not _is_list(place) else place


def _is_list(place: Field) -> bool:
    return place.type is FieldType.ARRAY and not place.sample


def _suggested(place: Field, found: Suggestion) -> FieldMapping:
    if _is_list(place):
        return FieldMapping(place.path, Kind.REPEAT, token=found.token)
    return FieldMapping(place.path, Kind.TOKEN, token=found.token, formatters=found.formatters)


# --- What it will send ---------------------------------------------------------------------------


def compiled(*, draft: WebhookDraft, access: Access) -> CompiledTemplate:
    """Return the template of the draft, ready to render.

    Raises ValidationError for a sample, a mapping or a chosen template that can not be used.
    """
    answers = answers_of(draft)
    if not answers.makes_template:
        version = chosen_template(draft=draft, access=access).current_version
        if version is None:
            raise ValidationError("The template has no version.")
        return compile_template(
            format=Format(version.template.format),
            sample=version.sample,
            mapping=from_plain(version.mapping),
        )
    try:
        return compile_template(
            format=Format(answers.format), sample=sample_of(answers), mapping=mapping_of(answers)
        )
    except MappingError as error:
        raise ValidationError([f"{each.path}: {each.message}" for each in error.problems]) from None


def chosen_template(*, draft: WebhookDraft, access: Access) -> Template:
    """Return the existing template that was chosen. Raises ValidationError if it is gone."""
    rows = templates_for([draft.account_id], access).select_related("current_version__template")
    try:
        return rows.get(pk=uuid.UUID(answers_of(draft).template))
    except (Template.DoesNotExist, ValueError):
        raise ValidationError({"template": "This template does not exist any more."}) from None


@transaction.atomic
def finish(*, draft: WebhookDraft, access: Access) -> Webhook:
    """Make the webhook, and the template if one is created, and let the draft go.

    Raises ValidationError, and changes nothing, for what no longer fits: a name that was taken
    meanwhile, an address, a template that is gone.
    """
    answers = answers_of(draft)
    if answers.makes_template:
        template = Template(
            account=draft.account,
            name=answers.template_name,
            format=answers.format,
            group_id=uuid.UUID(answers.group) if answers.group else None,
            is_shared_with_clients=answers.is_shared and draft.account.is_agency,
        )
        save_template(
            template=template,
            sample=answers.sample,
            by=draft.user,
            mapping=mapping_of(answers),
        )
    else:
        template = chosen_template(draft=draft, access=access)
    webhook = webhook_of(draft)
    webhook.template = template
    create_webhook(webhook=webhook, headers=headers_of(draft), secret=draft.secret)
    draft.delete()
    return webhook
