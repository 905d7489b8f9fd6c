"""Drafts: begun, found again, changed, finished or discarded."""

import json
import uuid
from collections.abc import Mapping as MappingOf
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
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import create_webhook, read_sample, save_template
from apps.webhooks.sharing import templates_for
from apps.webhooks.suggestions import Learned, Suggestion, suggest
from apps.webhooks.wizard.answers import Answers
from apps.webhooks.wizard.rows import changed_paths, mapping_posted, places_of

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
        headers=json.dumps(gallery_headers(answers)),
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
        by_hand=[field.path for field in entry.mapping.fields],
        method=entry.method,
    )


def has_own_sample(answers: Answers) -> bool:
    """Tell whether sample and fields are somebody's work, and not as the gallery has them."""
    made = (answers.sample, answers.mapping)
    return bool(answers.sample) and not any(
        made == (entry.sample, mapping_to_plain(entry.mapping)) for entry in GALLERY.values()
    )


def gallery_headers(
    answers: Answers, headers: Headers = (), before: str = ""
) -> list[tuple[str, str]]:
    """Return headers with those that the built-in template of the answers brings along.

    Those that one before it brought go, if nobody has changed them.
    """
    former, entry = GALLERY.get(before), GALLERY.get(answers.gallery)
    kept = [header for header in headers if former is None or header not in former.headers]
    known = {name.lower() for name, _ in kept}
    brought = entry.headers if entry else ()
    return [*kept, *(header for header in brought if header[0].lower() not in known)]


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


def is_mapped(answers: Answers) -> bool:
    """Tell whether the mapping was made for the sample as it is now; that one can be read, then."""
    return answers.mapped == digest_of(answers.format, answers.sample)


def has_rows(answers: Answers, posted: MappingOf[str, Any]) -> bool:
    """Tell whether the rows that were posted are those of the sample as it is now."""
    return is_mapped(answers) and posted.get("sample") == answers.mapped


def with_mapping(*, draft: WebhookDraft, answers: Answers, sample: Sample) -> Answers:
    """Return the answers with a mapping for the sample as it is now.

    A new sample comes with what its %tokens% say and what is suggested with certainty; a place
    that was mapped before keeps its mapping.
    """
    if is_mapped(answers):
        return answers
    mapping = mapping_of(answers)
    kept = [*(mapping.get(path) for path in answers.by_hand), *mapping.fields]
    return _mapped_anew(draft, answers, sample, kept)


def with_suggestions(*, draft: WebhookDraft, answers: Answers, sample: Sample) -> Answers:
    """Return the answers with what is suggested now, after what a person filled; that stays."""
    mapping = mapping_of(answers)
    return _mapped_anew(draft, answers, sample, [mapping.get(path) for path in answers.by_hand])


def with_rows(
    *, answers: Answers, sample: Sample, posted: MappingOf[str, Any]
) -> tuple[Answers, Mapping]:
    """Return the answers, and their mapping, with what the rows of the Fields step say.

    The rows that say something new are noted as filled by hand.
    """
    before = mapping_of(answers)
    mapping = mapping_posted(posted, places_of(sample), before)
    by_hand = dict.fromkeys([*answers.by_hand, *changed_paths(before, mapping)])
    return replace(answers, mapping=mapping_to_plain(mapping), by_hand=list(by_hand)), mapping


def suggestions_of(
    *, draft: WebhookDraft, answers: Answers, sample: Sample
) -> MappingOf[str, Sequence[Suggestion]]:
    """Return what is suggested for the places that no person filled, by their paths."""
    mapping, by_hand = mapping_of(answers), set(answers.by_hand)
    taught = {(field.path, field.token) for field in mapping.fields if field.path in by_hand}
    here = Learned.from_templates([{pair for pair in taught if pair[1]}])
    found = suggest(sample, learn_mappings(account=draft.account), here)
    return {path: suggestions for path, suggestions in found.items() if path not in by_hand}


def _mapped_anew(
    draft: WebhookDraft, answers: Answers, sample: Sample, kept: Sequence[FieldMapping]
) -> Answers:
    """The answers with a mapping of this sample, in which the kept places are as they were."""
    kept = [field for field in kept if sample.find(field.path) is not None]
    brought = auto_map(sample)
    taken = {field.path for field in (*brought.fields, *kept)}
    sure = [
        _suggested(place, found[0])
        for path, found in suggestions_of(draft=draft, answers=answers, sample=sample).items()
        if path not in taken and found[0].is_sure and (place := _fillable(sample, path))
    ]
    if any(field.kind is Kind.REPEAT for field in (*brought.fields, *kept)):
        sure = [field for field in sure if field.kind is not Kind.REPEAT]
    whole = brought.replaced(sure).replaced(kept)
    return replace(
        answers,
        mapping=mapping_to_plain(whole),
        mapped=digest_of(answers.format, answers.sample),
        by_hand=[path for path in answers.by_hand if sample.find(path) is not None],
    )


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
    try:
        if answers.has_sample:
            return compile_template(
                format=Format(answers.format),
                sample=sample_of(answers),
                mapping=mapping_of(answers),
            )
        return chosen_template(draft=draft, access=access).compiled()
    except MappingError as error:
        raise ValidationError([f"{each.path}: {each.message}" for each in error.problems]) from None


def chosen_template(*, draft: WebhookDraft, access: Access) -> Template:
    """Return the existing template that was chosen. Raises ValidationError if it is gone."""
    rows = templates_for([draft.account_id], access).select_related("current_version")
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
    if answers.has_sample:
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
