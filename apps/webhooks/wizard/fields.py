"""The Fields step: what fills each place of the sample, with a preview beside it."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.webhooks.extraction import Sample
from apps.webhooks.mapping import FORMATTERS, Mapping, find_problems
from apps.webhooks.models import WebhookDraft
from apps.webhooks.tokens import TOKENS, Category, as_text
from apps.webhooks.wizard.answers import Answers, Step
from apps.webhooks.wizard.drafts import (
    answers_of,
    has_rows,
    is_mapped,
    keep,
    mapping_of,
    sample_of,
    suggestions_of,
    with_mapping,
    with_rows,
    with_suggestions,
)
from apps.webhooks.wizard.edits import use_by_webhooks
from apps.webhooks.wizard.options import TYPE_LABELS, WHEN_EMPTY_LABELS, shown_formatters
from apps.webhooks.wizard.pages import leads_to, of_draft, show, to_step
from apps.webhooks.wizard.preview_pages import preview_context
from apps.webhooks.wizard.rows import ROWS_ON_A_PAGE, changed_paths, places_of, rows_of

_SUGGEST = "suggest"


def fields_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Show the rows, or take what they were changed to."""
    answers = answers_of(draft)
    try:
        sample = sample_of(answers)
    except ValidationError:
        return to_step(draft, Step.TEMPLATE)
    if request.method == "POST" and not has_rows(answers, request.POST):
        messages.warning(
            request,
            "The sample was changed meanwhile, perhaps in another tab. These are its fields now;"
            " what you did to the earlier ones is not kept.",
        )
    elif request.method == "POST":
        answers, mapping = with_rows(answers=answers, sample=sample, posted=request.POST.dict())
        if _SUGGEST in request.POST:
            return _suggested_again(request, draft, answers, sample)
        has_faults = bool(find_problems(mapping, sample))
        answers = replace(answers, done=answers.marked(Step.FIELDS, is_done=not has_faults))
        keep(draft=draft, answers=answers)
        page = _number(request.POST.get("go"))
        wanted = leads_to(request, answers, Step.FIELDS, is_good=page is None and not has_faults)
        if wanted:
            return to_step(draft, wanted)
        return _rows_page(request, draft, sample, mapping, page=page or 0)
    answers = with_mapping(draft=draft, answers=answers, sample=sample)
    if answers.to_json() != draft.answers:
        keep(draft=draft, answers=answers)
    page = _number(request.GET.get("page")) or 0
    return _rows_page(request, draft, sample, mapping_of(answers), page=page)


def _suggested_again(
    request: HttpRequest, draft: WebhookDraft, answers: Answers, sample: Sample
) -> HttpResponse:
    """Fill anew what no person filled, and say what came of it."""
    before = mapping_of(answers)
    answers = with_suggestions(draft=draft, answers=answers, sample=sample)
    keep(draft=draft, answers=answers)
    mapping = mapping_of(answers)
    changed = len(changed_paths(before, mapping))
    news = f"{changed} field{'s' if changed > 1 else ''} filled" if changed else "Nothing new"
    messages.info(request, f"{news}. What you filled yourself is as it was.")
    page = _number(request.POST.get("page")) or 0
    return _rows_page(request, draft, sample, mapping, page=page)


@of_draft
def options(request: HttpRequest, draft: WebhookDraft, index: int) -> HttpResponse:
    """Show the options of a row; a POST keeps the rows first, as when a formatter was added."""
    answers = answers_of(draft)
    if not is_mapped(answers):
        raise Http404("There are no such fields any more.")
    sample, mapping = sample_of(answers), mapping_of(answers)
    if request.method == "POST" and has_rows(answers, request.POST):
        answers, mapping = with_rows(answers=answers, sample=sample, posted=request.POST.dict())
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


def _rows_page(
    request: HttpRequest, draft: WebhookDraft, sample: Sample, mapping: Mapping, *, page: int
) -> HttpResponse:
    """Show rows with what is wrong in them; the preview waits until nothing is."""
    answers = answers_of(draft)
    problems: dict[str, list[str]] = defaultdict(list)
    for problem in find_problems(mapping, sample):
        problems[problem.path].append(problem.message)
    places = places_of(sample)
    pages = max(1, -(-len(places) // ROWS_ON_A_PAGE))
    page = min(page, pages - 1)
    suggestions = suggestions_of(draft=draft, answers=answers, sample=sample)
    rows = list(rows_of(places, sample, mapping, suggestions, problems, page))
    faults = [f"{path}: {text}" for path, texts in problems.items() for text in texts]
    context = {
        "rows": rows,
        "row_faults": faults,
        "total": len(places),
        "page": page,
        "pages": pages,
        "mapped": answers.mapped,
        "tokens": tokens_plain(),
        "use": use_by_webhooks(draft) if answers.is_edit else None,
        **preview_context(request, draft),
    }
    return show(request, draft, Step.FIELDS, context)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else None
