"""What is shown beside the fields and the summary: the payload, for which call, by which rules."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from apps.common.admin import access_of
from apps.webhooks.mapping import find_problems
from apps.webhooks.models import WebhookDraft
from apps.webhooks.wizard.drafts import (
    answers_of,
    compiled,
    has_rows,
    keep,
    sample_of,
    with_rows,
)
from apps.webhooks.wizard.pages import of_draft
from apps.webhooks.wizard.preview import (
    EXAMPLE,
    entry_of,
    found_calls,
    preview,
    snapshot_of,
    sources_of,
    verdicts,
)


@require_POST
@of_draft
def preview_page(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Keep what the rows say now, and show what would be sent."""
    faults = _keep_rows(request, draft)
    return TemplateResponse(
        request, "webhooks/wizard/preview.html", preview_context(request, draft, faults)
    )


@of_draft
def calls_page(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Offer the calls that are meant by a number, a name, an id or a day; the first is chosen."""
    typed = request.GET.get("find", "")
    found = found_calls(draft, typed)
    context = {
        "typed": typed.strip(),
        "found": found,
        "source": found[0][0] if found else EXAMPLE,
        "sources": sources_of(draft),
    }
    answer = TemplateResponse(request, "webhooks/wizard/call_options.html", context)
    answer["HX-Trigger-After-Swap"] = "call-chosen"
    return answer


@require_POST
@of_draft
def check_page(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Judge what would be sent by the rules of its system, for several calls at once."""
    _keep_rows(request, draft)
    entry, faults, judged = entry_of(answers_of(draft)), list[str](), list[Any]()
    try:
        template = compiled(draft=draft, access=access_of(request))
    except ValidationError as error:
        faults = error.messages
    else:
        judged = verdicts(draft, template, entry, request.POST.get("call", "")) if entry else []
    context = {"rules": entry.name if entry else "", "judged": judged, "faults": faults}
    return TemplateResponse(request, "webhooks/wizard/check.html", context)


def _keep_rows(request: HttpRequest, draft: WebhookDraft) -> list[str]:
    """Keep what the rows say now, and return what is wrong with them."""
    answers = answers_of(draft)
    if not (answers.has_sample and has_rows(answers, request.POST)):
        return []
    sample = sample_of(answers)
    answers, mapping = with_rows(answers=answers, sample=sample, posted=request.POST.dict())
    keep(draft=draft, answers=answers)
    return [f"{problem.path}: {problem.message}" for problem in find_problems(mapping, sample)]


def preview_context(
    request: HttpRequest, draft: WebhookDraft, faults: list[str] | None = None
) -> dict[str, Any]:
    """Return what the preview shows for the call that was picked."""
    source = request.POST.get("call") or request.GET.get("call") or EXAMPLE
    shown, entry = None, entry_of(answers_of(draft))
    if not faults:
        try:
            template = compiled(draft=draft, access=access_of(request))
            shown = preview(template, snapshot_of(draft, source), entry)
        except ValidationError as error:
            faults = error.messages
    return {
        "draft": draft,
        "preview": shown,
        "faults": faults,
        "source": source,
        "sources": sources_of(draft, source),
        "rules": entry.name if entry else "",
    }
