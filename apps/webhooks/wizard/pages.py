"""What the pages of the wizard share: whose draft it is, and what surrounds each step."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from apps.common.admin import access_of
from apps.webhooks.models import WebhookDraft
from apps.webhooks.wizard.answers import Answers, Step
from apps.webhooks.wizard.drafts import answers_of, drafts_of

_Page = Callable[..., HttpResponse]


def of_draft(view: _Page) -> _Page:
    """Give a page the draft behind its address, if it is the person's own; else it is a 404.

    A POST holds the draft until it is answered: the preview saves rows, too, and one that is under
    way while somebody presses Next must not undo what that saves.
    """

    @wraps(view)
    def page(request: HttpRequest, draft_id: uuid.UUID, **kwargs: Any) -> HttpResponse:
        drafts = drafts_of(access_of(request)).filter(pk=draft_id)
        if request.method == "POST":
            drafts = drafts.select_for_update(of=("self",))
        draft = drafts.first()
        if draft is None:
            raise Http404("There is no such draft here.")
        return view(request, draft, **kwargs)

    return page


def show(
    request: HttpRequest,
    draft: WebhookDraft | None,
    step: Step,
    context: dict[str, Any],
    template_name: str = "",
) -> TemplateResponse:
    """Answer with the page of a step, or with another in its place.

    What was typed is not to be kept by browsers.
    """
    answers = answers_of(draft) if draft else None
    progress = [
        {
            "step": each,
            "is_current": each is step,
            "is_done": answers is not None and each in answers.done,
            "may_open": answers is not None and answers.may_open(each),
        }
        for each in (answers.steps if answers else tuple(Step))
    ]
    return TemplateResponse(
        request,
        template_name or f"webhooks/wizard/{step}.html",
        {
            **admin.site.each_context(request),
            "title": answers.name if answers and answers.is_edit else "Add Webhook",
            "draft": draft,
            "answers": answers,
            "step": step,
            "progress": progress,
            "has_form": answers is not None and step is not Step.SUMMARY,
            "before": answers.before(step) if answers else None,
            **context,
        },
        headers={"Cache-Control": "no-store"},
    )


def leads_to(request: HttpRequest, answers: Answers, step: Step, *, is_good: bool) -> Step | None:
    """Return where an answered step leads: where the person asked to go, or on; None to stay.

    What is behind a step that is not answered well can not be asked for.
    """
    asked = request.POST.get("to", "")
    if asked in set(Step) and answers.may_open(Step(asked)):
        return Step(asked)
    return answers.after(step) if is_good else None


def to_step(draft: WebhookDraft, step: Step) -> HttpResponse:
    """Lead to a step of the draft."""
    return redirect("wizard_step", draft.pk, step.value)
