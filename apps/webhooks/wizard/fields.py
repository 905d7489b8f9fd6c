"""The Fields step: what fills each place of the sample, with a preview beside it."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from apps.common.admin import access_of
from apps.webhooks.extraction import Sample
from apps.webhooks.learning import learn_mappings
from apps.webhooks.mapping import FORMATTERS, Mapping, find_problems, to_plain
from apps.webhooks.models import WebhookDraft
from apps.webhooks.suggestions import suggest
from apps.webhooks.tokens import TOKENS, Category, as_text
from apps.webhooks.wizard.answers import Answers, Step
from apps.webhooks.wizard.drafts import (
    answers_of,
    compiled,
    keep,
    mapping_of,
    sample_of,
    with_mapping,
)
from apps.webhooks.wizard.options import TYPE_LABELS, WHEN_EMPTY_LABELS, shown_formatters
from apps.webhooks.wizard.pages import of_draft, show, to_step
from apps.webhooks.wizard.preview import EXAMPLE, entry_of, preview, snapshot_of, sources_of
from apps.webhooks.wizard.rows import ROWS_ON_A_PAGE, mapping_posted, places_of, rows_of

_BACK = "back"


def fields_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Show the rows, or take what they were changed to."""
    answers = answers_of(draft)
    try:
        sample = sample_of(answers)
    except ValidationError:
        return to_step(draft, Step.TEMPLATE)
    if request.method == "POST" and request.POST.get("sample") == answers.mapped:
        answers, mapping = _taken(request, draft, answers, sample)
        has_faults = bool(find_problems(mapping, sample))
        answers = replace(answers, done=answers.marked(Step.FIELDS, is_done=not has_faults))
        keep(draft=draft, answers=answers)
        if _BACK in request.POST:
            return to_step(draft, Step.TEMPLATE)
        page = _number(request.POST.get("go"))
        if page is None and not has_faults:
            return to_step(draft, answers.after(Step.FIELDS))
        return _rows_page(request, draft, sample, page=page or 0, shows_faults=has_faults)
    answers = with_mapping(draft=draft, answers=answers, sample=sample)
    if answers.to_json() != draft.answers:
        keep(draft=draft, answers=answers)
    return _rows_page(request, draft, sample, page=_number(request.GET.get("page")) or 0)


@require_POST
@of_draft
def preview_page(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Keep what the rows say now, and show what would be sent."""
    answers = answers_of(draft)
    faults: list[str] = []
    if answers.makes_template and request.POST.get("sample") == answers.mapped:
        answers, mapping = _taken(request, draft, answers, sample_of(answers))
        keep(draft=draft, answers=answers)
        problems = find_problems(mapping, sample_of(answers))
        faults = [f"{problem.path}: {problem.message}" for problem in problems]
    return TemplateResponse(
        request, "webhooks/wizard/preview.html", preview_context(request, draft, faults)
    )


@of_draft
def options(request: HttpRequest, draft: WebhookDraft, index: int) -> HttpResponse:
    """Show the options of a row; a POST keeps the rows first, as when a formatter was added."""
    answers = answers_of(draft)
    sample = sample_of(answers)
    mapping = mapping_of(answers)
    if request.method == "POST" and request.POST.get("sample") == answers.mapped:
        answers, mapping = _taken(request, draft, answers, sample)
        keep(draft=draft, answers=answers)
    places = places_of(sample)
    if index >= len(places):
        raise Http404("There is no such field.")
    field = mapping.get(places[index][0].path)
    context = {
        "draft": draft,
        "index": index,
        "place": places[index][0],
        "field": field,
        "formatters": shown_formatters(field),
        "all_formatters": FORMATTERS.values(),
        "when_empty_labels": WHEN_EMPTY_LABELS,
        "type_labels": TYPE_LABELS,
        "is_xml_repeat": field.kind == "repeat" and answers.format == "xml",
    }
    return TemplateResponse(request, "webhooks/wizard/options.html", context)


def preview_context(
    request: HttpRequest, draft: WebhookDraft, faults: list[str] | None = None
) -> dict[str, Any]:
    """Return what the preview shows for the call that was picked."""
    source = request.POST.get("call") or request.GET.get("call") or EXAMPLE
    shown = None
    if not faults:
        try:
            template = compiled(draft=draft, access=access_of(request))
            entry = entry_of(answers_of(draft))
            shown = preview(template, snapshot_of(draft, source), entry)
        except ValidationError as error:
            faults = error.messages
    return {
        "draft": draft,
        "preview": shown,
        "faults": faults,
        "source": source,
        "sources": sources_of(draft),
    }


def tokens_plain() -> list[dict[str, Any]]:
    """Return the token list that all rows share, grouped by category when shown."""
    return [
        {
            "name": token.name,
            "label": token.label,
            "group": token.category.label,
            "type": token.type.value,
            "example": as_text(token.example)[:80],
            "badges": _badges(token.category.value, is_personal=token.personal),
            "list": token.narrow is not None,
        }
        for category in Category
        for token in TOKENS.values()
        if token.category is category
    ]


def _badges(category: str, *, is_personal: bool) -> list[str]:
    badge = {"call_begin": "begin", "call_end": "end only", "dni": "DNI only"}.get(category)
    return [*([badge] if badge else []), *(["personal"] if is_personal else [])]


def _taken(
    request: HttpRequest, draft: WebhookDraft, answers: Answers, sample: Sample
) -> tuple[Answers, Mapping]:
    mapping = mapping_posted(request.POST.dict(), places_of(sample), mapping_of(answers))
    return replace(answers, mapping=to_plain(mapping)), mapping


def _rows_page(
    request: HttpRequest,
    draft: WebhookDraft,
    sample: Sample,
    *,
    page: int,
    shows_faults: bool = False,
) -> HttpResponse:
    answers = answers_of(draft)
    mapping = mapping_of(answers)
    problems: dict[str, list[str]] = defaultdict(list)
    if shows_faults:
        for problem in find_problems(mapping, sample):
            problems[problem.path].append(problem.message)
    places = places_of(sample)
    pages = max(1, -(-len(places) // ROWS_ON_A_PAGE))
    page = min(page, pages - 1)
    suggestions = suggest(sample, learn_mappings(account=draft.account))
    rows = list(rows_of(places, sample, mapping, suggestions, problems, page))
    faults = [f"{path}: {text}" for path, texts in problems.items() for text in texts]
    context = {
        "rows": rows,
        "faults": faults,
        "total": len(places),
        "page": page,
        "pages": pages,
        "mapped": answers.mapped,
        "tokens": tokens_plain(),
        **preview_context(request, draft),
    }
    return show(request, draft, Step.FIELDS, {**context, "faults": faults})


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else None
