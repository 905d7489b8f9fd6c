"""Bodies that bring a sample along: what is found in it, suggested for it, and made of it."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.calls.models import Call
from apps.common.api.fields import AccountKey
from apps.common.api.serializers import StrictSerializer
from apps.common.ids import InvalidPublicId
from apps.common.problems import NOT_FOUND, FieldProblem, Problem
from apps.webhooks.extraction import MAX_BYTES, Sample, SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.mapping import (
    Mapping,
    MappingError,
    auto_map,
    find_problems,
    from_plain,
    to_plain,
)
from apps.webhooks.models import TemplateFormat
from apps.webhooks.rendering import CompiledTemplate, compile_template
from apps.webhooks.suggestions import Learned, suggest
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, Snapshot
from apps.webhooks.wizard.preview import EXAMPLE, WORST, preview
from apps.webhooks.wizard.worst_case import WORST_SNAPSHOT

BUILT_IN = [(key, each.name) for key, each in GALLERY.items()]


@extend_schema_field(
    {
        "type": "array",
        "description": "What fills each place of the sample; a place that is not named stays as it"
        " is there.",
        "items": {
            "type": "object",
            "required": ["path", "kind"],
            "properties": {
                "path": {"type": "string", "example": "$.phone"},
                "kind": {"enum": ["token", "constant", "text", "repeat", "omit"]},
                "token": {"type": "string", "example": "ani"},
                "text": {"type": "string"},
                "constant": {"type": ["string", "null"]},
                "formatters": {"type": "array", "items": {"type": "object"}},
                "default": {"type": ["string", "null"]},
                "when_empty": {"enum": ["keep", "null", "omit"]},
                "type": {"enum": ["sample", "string", "number", "boolean", "json"]},
            },
        },
    }
)
class MappingField(serializers.JSONField):
    """A mapping in its plain form."""


class SampleField(serializers.CharField):
    """A sample as it was pasted."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=MAX_BYTES, **kwargs)


class SampleBody(StrictSerializer):
    """A sample of a format."""

    format = serializers.ChoiceField(TemplateFormat.choices)
    sample = SampleField()


class SuggestBody(SampleBody):
    """A sample, and the account whose earlier mappings teach."""

    account = AccountKey(source="account_id", required=False)


class TemplateBody(SampleBody):
    """A sample with its mapping; without one, what the %tokens% of the sample say."""

    mapping = MappingField(required=False)


class CheckBody(TemplateBody):
    """A template, and the built-in one whose rules its payload should keep."""

    rules = serializers.ChoiceField(BUILT_IN, required=False)


class DuplicateBody(StrictSerializer):
    """The account that gets the copy."""

    account = AccountKey(source="account_id", required=False)


class GalleryBody(DuplicateBody):
    """The built-in template to copy, and what the copy is called."""

    key = serializers.ChoiceField(BUILT_IN)
    name = serializers.CharField(
        max_length=120, default="", allow_blank=True, help_text="Empty: as it is called there."
    )


class RenderBody(StrictSerializer):
    """The call to render for."""

    call = serializers.CharField(
        default=EXAMPLE,
        max_length=64,
        help_text="`example`, `worst` (anonymous, unanswered, with quotes and markup), or an id"
        " `call_…`.",
    )


class PreviewBody(CheckBody, RenderBody):
    """A template that is not saved, and the call to render it for."""


def read_sample(sample: str, template_format: str) -> Sample:
    """Return the fields of a sample; a Problem 422 that says where it can not be read."""
    try:
        return extract(sample, Format(template_format))
    except SampleError as error:
        place = f"Line {error.line}, column {error.column}: {error.message}"
        raise invalid([FieldProblem("/sample", "invalid_sample", place)]) from None


def read_mapping(plain: object, sample: Sample) -> Mapping:
    """Return the mapping; a Problem 422 with a pointer to each place that does not fit."""
    try:
        mapping = from_plain(plain)
        faults = find_problems(mapping, sample)
    except MappingError as error:
        faults = list(error.problems)
    if faults:
        places = _places_in(plain)
        raise invalid(
            [
                FieldProblem(places.get(fault.path, "/mapping"), "invalid", fault.message)
                for fault in faults
            ]
        )
    return mapping


def brought_mapping(sample: Sample) -> Mapping:
    """Return the mapping that a sample brings along; a Problem 422 for tokens nobody knows."""
    try:
        return auto_map(sample)
    except MappingError as error:
        raise invalid(
            [
                FieldProblem("/sample", "unknown_token", f"{fault.message} (at {fault.path})")
                for fault in error.problems
            ]
        ) from None


def mapping_of(body: dict[str, Any], sample: Sample) -> Mapping:
    """Return the mapping of a body, or what its sample brings along."""
    if body.get("mapping") is None:
        return brought_mapping(sample)
    return read_mapping(body["mapping"], sample)


def compiled(body: dict[str, Any]) -> CompiledTemplate:
    """Return the template of a body, ready to render."""
    sample = read_sample(body["sample"], body["format"])
    return compile_template(format=sample.format, sample=sample, mapping=mapping_of(body, sample))


def rendered(template: CompiledTemplate, snapshot: Snapshot, rules: str | None) -> dict[str, Any]:
    """Return the payload for a call, and what to know about it."""
    payload = template.render(snapshot)
    entry = GALLERY[rules] if rules else None
    shown = preview(template, snapshot, entry)
    return {
        "payload": payload.decode("utf-8", "replace"),
        "content_type": template.content_type,
        "size": len(payload),
        "tokens": sorted(template.tokens),
        "warnings": list(shown.warnings),
        "faults": list(shown.faults),
    }


def invalid(errors: Sequence[FieldProblem]) -> Problem:
    """Return the problem of a body."""
    return Problem(422, "invalid", "The request is not valid.", errors=errors)


def fields_of(sample: Sample) -> dict[str, Any]:
    """Return what was found in a sample."""

    def shown(places: Any) -> list[dict[str, Any]]:
        return [
            {"path": each.path, "name": each.name, "sample": each.sample, "type": each.type.value}
            for each in places
        ]

    return {
        "format": sample.format.value,
        "fields": shown(sample.fields),
        "containers": shown(sample.containers),
        "mapping": to_plain(brought_mapping(sample)),
    }


def suggestions_for(sample: Sample, learned: Learned) -> list[dict[str, Any]]:
    """Return what is suggested for each place of a sample, best first."""
    return [
        {
            "path": path,
            "suggestions": [
                {
                    "token": each.token,
                    "score": each.score,
                    "is_sure": each.is_sure,
                    "reason": each.reason,
                    "formatters": [{"name": step.name, **step.options} for step in each.formatters],
                }
                for each in found
            ],
        }
        for path, found in suggest(sample, learned).items()
    ]


def snapshot_for(named: str, account_ids: Sequence[Any]) -> Snapshot:
    """Return the call that is named; a Problem 404 for one that is not here."""
    if named in (EXAMPLE, WORST):
        return EXAMPLE_SNAPSHOT if named == EXAMPLE else WORST_SNAPSHOT
    try:
        key = Call.key_of(named)
    except InvalidPublicId:
        known = f"This is {EXAMPLE}, {WORST}, or an id that starts with call_."
        raise invalid([FieldProblem("/call", "invalid_id", known)]) from None
    call = Call.objects.filter(account_id__in=account_ids, pk=key).only("snapshot").first()
    if call is None:
        fault = FieldProblem("/call", NOT_FOUND, "There is no such call here.")
        raise Problem(404, NOT_FOUND, fault.message, errors=[fault])
    snapshot: Snapshot = call.snapshot
    return snapshot


def _places_in(plain: object) -> dict[str, str]:
    """Return where each field mapping is in a body, by its path, or by `[3]`, its place."""
    places: dict[str, str] = {}
    for index, item in enumerate(plain if isinstance(plain, list) else ()):
        pointer = f"/mapping/{index}"
        places[f"[{index}]"] = pointer
        if isinstance(item, dict) and isinstance(path := item.get("path"), str):
            places.setdefault(path, pointer)
    return places
