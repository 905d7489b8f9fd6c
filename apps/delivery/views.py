"""Trying a webhook, or a draft of the wizard, whose room lies below: a test, and a backtest."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.calls.events import Timing
from apps.calls.models import Call
from apps.campaigns.backtest import MOST_CALLS, backtest
from apps.campaigns.models import Attachment
from apps.common.access import Access, Role
from apps.common.admin import access_of
from apps.common.tenancy import opens_scopes, tenant_scope
from apps.delivery.testing import PreparedTest, prepare_test
from apps.delivery.trying import answer_test
from apps.webhooks.models import Webhook, WebhookDraft
from apps.webhooks.wizard.answers import Step
from apps.webhooks.wizard.drafts import answers_of, compiled, drafts_of, headers_of, webhook_of
from apps.webhooks.wizard.edits import senders_of
from apps.webhooks.wizard.pages import of_draft, show, to_step
from apps.webhooks.wizard.preview import snapshot_of

_BACKTESTED_CALLS = (20, 10, MOST_CALLS)


@require_POST
@opens_scopes
def wizard_test(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """Send what the draft would send for the call that was picked, and show what came back.

    A template that is edited is sent as one of its webhooks would send it, which the person picks.
    """
    access = access_of(request)
    with tenant_scope(access):
        draft = drafts_of(access).filter(pk=draft_id).first()
        if draft is None:
            raise Http404("There is no such draft here.")
        test = _test_of(draft, access, request.POST)
    if not isinstance(test, PreparedTest):
        return to_step(draft, test)

    def page(context: dict[str, Any]) -> TemplateResponse:
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "webhooks/wizard/test.html", context)
        return show(request, draft, Step.SUMMARY, context, "webhooks/wizard/test_page.html")

    return answer_test(test, access=access, page=page)


@require_POST
@opens_scopes
def webhook_test(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """Send what a webhook would send for the call that was picked, and show what came back."""
    access = access_of(request)
    with tenant_scope(access):
        webhooks = Webhook.objects.filter(account_id__in=access.account_ids)
        webhook = get_object_or_404(webhooks.select_related("template"), pk=webhook_id)
        if not access.has_role(Role.MEMBER, webhook.account_id):
            raise PermissionDenied
        test = prepare_test(
            webhook=webhook,
            headers=[(header.name, header.value) for header in webhook.headers.all()],
            template=webhook.template.compiled(),
            snapshot=snapshot_of(webhook, request.POST.get("call", "")),
            now=timezone.now(),
        )

    def page(context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(request, "webhooks/wizard/test.html", context)

    return answer_test(test, access=access, page=page)


def _test_of(draft: WebhookDraft, access: Access, asked: QueryDict) -> PreparedTest | Step:
    """Return the test of a draft, or the step that has to be answered first."""
    answers = answers_of(draft)
    if not answers.may_open(Step.SUMMARY):
        return answers.next_open
    try:
        template = compiled(draft=draft, access=access)
    except ValidationError:
        return Step.SUMMARY
    webhook, headers = _sender(draft, access, asked.get("webhook", ""))
    return prepare_test(
        webhook=webhook,
        headers=headers,
        template=template,
        snapshot=snapshot_of(draft, asked.get("call", "")),
        now=timezone.now(),
    )


def _sender(
    draft: WebhookDraft, access: Access, wanted: str
) -> tuple[Webhook, list[tuple[str, str]]]:
    """The webhook that a test is sent as, and its headers."""
    if not answers_of(draft).is_edit:
        return webhook_of(draft), headers_of(draft)
    for webhook in senders_of(draft, access):
        if str(webhook.pk) == wanted:
            return webhook, [(header.name, header.value) for header in webhook.headers.all()]
    raise Http404("No such webhook sends this template.")


@of_draft
def wizard_backtest(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Show what the draft would have sent for the newest calls, attached to all of them."""
    answers = answers_of(draft)
    if not answers.may_open(Step.SUMMARY):
        return to_step(draft, answers.next_open)
    asked = request.GET.get("timing", "")
    timing = Timing(asked) if asked in Timing.values else Timing.END
    limits = {str(limit): limit for limit in _BACKTESTED_CALLS}
    limit = limits.get(request.GET.get("calls", ""), _BACKTESTED_CALLS[0])
    try:
        template = compiled(draft=draft, access=access_of(request))
    except ValidationError:
        return to_step(draft, Step.SUMMARY)
    attachment = Attachment(account_id=draft.account_id, webhook=webhook_of(draft), timing=timing)
    tested = backtest(
        calls=Call.objects.filter(account_id=draft.account_id),
        attachments=[attachment],
        template=template,
        limit=limit,
    )
    context = {
        "tested": tested,
        "timing": timing,
        "timings": Timing.choices,
        "limit": limit,
        "limits": _BACKTESTED_CALLS,
    }
    return show(request, draft, Step.SUMMARY, context, "webhooks/wizard/backtest.html")
