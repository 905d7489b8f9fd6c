"""The pages of the wizard."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.authentication import person_of
from apps.accounts.models import Account
from apps.common.access import Role
from apps.common.admin import access_of, confirmed, form_accounts, our_address
from apps.common.admin.choosing import answer_choices, ask_at
from apps.webhooks.models import Template, Webhook, WebhookDraft
from apps.webhooks.wizard.answers import Answers, Choice, Step
from apps.webhooks.wizard.drafts import (
    answers_of,
    begin,
    chosen_template,
    drafts_of,
    filled_from_gallery,
    finish,
    gallery_headers,
    has_own_sample,
    headers_of,
    is_mapped,
    keep,
    webhook_of,
)
from apps.webhooks.wizard.edits import begin_edit
from apps.webhooks.wizard.fields import fields_step
from apps.webhooks.wizard.forms import (
    AdvancedStep,
    MoreStep,
    SampleStep,
    TemplateStep,
    WebhookStep,
)
from apps.webhooks.wizard.pages import leads_to, of_draft, show, to_step
from apps.webhooks.wizard.summary import changes_step, summary_step


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Ask what the webhook is called and made with; the answer becomes a draft.

    `?account=` and `?location=` say where it belongs, and with that which templates are offered;
    `?next=` where to return to at the end.
    """
    access = access_of(request)
    possible = form_accounts(request, None, Role.MEMBER)
    user = person_of(request)
    if not possible or user is None:
        raise PermissionDenied
    drafts = list(drafts_of(access).filter(account_id__in=possible))
    if len(possible) > 1:
        accounts = [access.accounts[key] for key in possible]
        context = {
            **admin.site.each_context(request),
            "title": "Add Webhook",
            "accounts": accounts,
            "query": request.GET.urlencode(),
            "drafts": drafts,
        }
        return TemplateResponse(request, "webhooks/wizard/accounts.html", context)
    account = Account.objects.get(pk=possible[0])
    initial = {
        "choice": Choice.EXISTING.value,
        "location": request.GET.get("location", ""),
        "template": request.GET.get("template", ""),
    }
    form = WebhookStep(request.POST or None, account=account, access=access, initial=initial)
    if form.is_valid():
        answers = Answers(back_to=our_address(request, request.GET.get("next", ""))[:500])
        answers = _webhook_answers(answers, form)
        answers = replace(answers, done=answers.marked(Step.WEBHOOK, is_done=True))
        draft = begin(account=account, location=form.chosen_location, user=user, answers=answers)
        return to_step(draft, answers.after(Step.WEBHOOK))
    return _webhook_page(request, None, {"form": form, "drafts": drafts, "account": account})


@require_POST
def edit(request: HttpRequest, template_id: uuid.UUID) -> HttpResponse:
    """Begin to edit a template of one's own accounts, or go on with it."""
    access = access_of(request)
    accounts = [key for key in access.accounts if access.has_role(Role.MEMBER, key)]
    template = get_object_or_404(
        Template.objects.select_related("account", "current_version"),
        pk=template_id,
        account_id__in=accounts,
        current_version__isnull=False,
    )
    user = person_of(request)
    if user is None:
        raise PermissionDenied
    return to_step(begin_edit(template=template, user=user), Step.FIELDS)


@of_draft
def resume(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Go on where the draft was left."""
    return to_step(draft, answers_of(draft).next_open)


@of_draft
def discard(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Forget a draft, after asking."""

    def forget() -> HttpResponse:
        draft.delete()
        messages.success(request, "The draft is discarded.")
        return redirect("admin:webhooks_webhook_changelist")

    return confirmed(
        request,
        title=f"Discard “{draft}”?",
        question="What was entered for this webhook is forgotten. Nothing else changes.",
        button="Discard the draft",
        back=reverse("wizard_resume", args=[draft.pk]),
        act=forget,
        context={**admin.site.each_context(request)},
        is_dangerous=True,
    )


@of_draft
def step(request: HttpRequest, draft: WebhookDraft, step: str) -> HttpResponse:
    """Show a step, or take what it was answered; steps behind an open one are not reached yet."""
    if step not in set(Step):
        raise Http404("There is no such step.")
    wanted, answers = Step(step), answers_of(draft)
    if not answers.may_open(wanted):
        return to_step(draft, answers.next_open)
    return _STEPS[wanted](request, draft)


def _webhook_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    answers = answers_of(draft)
    initial = {
        "choice": answers.choice,
        "name": answers.name,
        "url": answers.url,
        "template": request.GET.get("template", answers.template),
        "gallery": answers.gallery,
        "location": request.GET.get("location", str(draft.location_id or "")),
    }
    form = WebhookStep(
        request.POST or None,
        account=draft.account,
        access=access_of(request),
        saved=headers_of(draft),
        has_own_sample=has_own_sample(answers),
        initial=initial,
    )
    if request.method == "POST":
        is_good = form.is_valid()
        before, headers = answers.gallery, headers_of(draft)
        answers = _webhook_answers(answers, form)
        answers = replace(answers, done=answers.marked(Step.WEBHOOK, is_done=is_good))
        if "location" in form.cleaned_data:
            draft.location = form.chosen_location
        if answers.gallery not in ("", before):
            headers = gallery_headers(answers, headers, before)
        keep(draft=draft, answers=answers, headers=headers)
        if wanted := leads_to(request, answers, Step.WEBHOOK, is_good=is_good):
            return to_step(draft, wanted)
    return _webhook_page(request, draft, {"form": form, "account": draft.account})


def _webhook_page(
    request: HttpRequest, draft: WebhookDraft | None, context: dict[str, Any]
) -> HttpResponse:
    """Show the first step, or answer one of its selects: the location says which templates fit."""
    form = context["form"]
    query = {"account": context["account"].pk, "location": form["location"].value() or ""}
    ask_at(f"{request.path}?{urlencode(query)}", form.fields)
    answer = answer_choices(request, form.fields)
    return answer or show(request, draft, Step.WEBHOOK, context)


def _webhook_answers(answers: Answers, form: WebhookStep) -> Answers:
    """What was entered, as far as it can be kept."""
    given = form.cleaned_data
    choice = given.get("choice", answers.choice)
    changed = replace(
        answers,
        choice=choice,
        name=given.get("name", answers.name),
        url=given.get("url", answers.url),
        template=given.get("template", answers.template) if choice == Choice.EXISTING else "",
        gallery=given.get("gallery", answers.gallery) if choice == Choice.GALLERY else "",
    )
    if changed.gallery and changed.gallery != answers.gallery:
        return filled_from_gallery(changed)
    return changed


def _template_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    answers = answers_of(draft)
    form = _template_form(request, draft, answers)
    if request.method == "POST":
        is_good = form.is_valid()
        # Line ends as they were pasted: browsers send CRLF, whatever they show.
        sample = request.POST.get("sample", "").replace("\r\n", "\n")[:300_000]
        answers = replace(_named(answers, request, form), sample=sample)
        answers = replace(answers, done=answers.marked(Step.TEMPLATE, is_done=is_good))
        if is_good and not is_mapped(answers):
            answers = replace(answers, done=answers.marked(Step.FIELDS, is_done=False))
        keep(draft=draft, answers=answers)
        if wanted := leads_to(request, answers, Step.TEMPLATE, is_good=is_good):
            return to_step(draft, wanted)
    return show(request, draft, Step.TEMPLATE, {"form": form})


def _template_form(request: HttpRequest, draft: WebhookDraft, answers: Answers) -> SampleStep:
    """The form of the Template step; an edit changes the sample only."""
    if answers.is_edit:
        initial = {"sample": answers.sample}
        return SampleStep(request.POST or None, format_=answers.format, initial=initial)
    initial = {
        "title": answers.template_name or answers.name,
        "group": TemplateStep.CLIENTS if answers.is_shared else answers.group,
        "format": answers.format,
        "sample": answers.sample,
    }
    return TemplateStep(
        request.POST or None, account=draft.account, location=draft.location, initial=initial
    )


def _named(answers: Answers, request: HttpRequest, form: SampleStep) -> Answers:
    if answers.is_edit:
        return answers
    group = form.cleaned_data.get("group", "")
    return replace(
        answers,
        template_name=request.POST.get("title", "")[:120],
        group="" if group == TemplateStep.CLIENTS else group,
        is_shared=group == TemplateStep.CLIENTS,
        format=form.cleaned_data.get("format", answers.format),
    )


def _advanced_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    answers = answers_of(draft)
    saved = headers_of(draft)
    try:
        format_ = (
            answers.format
            if answers.has_sample
            else chosen_template(draft=draft, access=access_of(request)).format
        )
    except ValidationError:
        return to_step(draft, Step.WEBHOOK)
    form = AdvancedStep(
        request.POST or None,
        format_=format_,
        saved=saved,
        initial={
            "method": answers.method,
            "success_codes": answers.success_codes,
            "timeout_s": answers.timeout_s,
        },
    )
    more = MoreStep(request.POST or None, instance=webhook_of(draft))
    if request.method == "POST":
        is_good = form.is_valid() & more.is_valid()
        given = form.cleaned_data
        answers = replace(
            answers,
            method=given.get("method", answers.method),
            success_codes=given.get("success_codes", answers.success_codes),
            timeout_s=given.get("timeout_s", answers.timeout_s),
            more=more.answers,
        )
        answers = replace(answers, done=answers.marked(Step.ADVANCED, is_done=is_good))
        keep(draft=draft, answers=answers, headers=form.headers)
        if wanted := leads_to(request, answers, Step.ADVANCED, is_good=is_good):
            return to_step(draft, wanted)
        form.show_credentials_as_saved()
    return show(request, draft, Step.ADVANCED, {"form": form, "more": more})


def _summary_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    if answers_of(draft).is_edit:
        return changes_step(request, draft)
    if request.method != "POST":
        return summary_step(request, draft)
    back_to = answers_of(draft).back_to
    try:
        webhook = finish(draft=draft, access=access_of(request))
    except ValidationError as error:
        return summary_step(request, draft, problems=error.messages)
    messages.success(
        request,
        format_html(
            "The webhook “{}” is saved. It is in every webhook drop-down where it fits, and is sent"
            ' once it is attached. <a class="hl-link" href="{}?webhook={}&amp;account={}">Attach it'
            "</a>",
            webhook,
            reverse("admin:campaigns_attachment_add"),
            webhook.pk,
            webhook.account_id,
        ),
    )
    return redirect(_with_webhook(back_to, webhook) or "admin:webhooks_webhook_changelist")


def _with_webhook(address: str, webhook: Webhook) -> str:
    """The page that led here; the form of an attachment has the new webhook chosen."""
    if not address:
        return ""
    parts = urlsplit(address)
    if not parts.path.endswith("/attachment/add/"):
        return address
    query = dict(parse_qsl(parts.query)) | {"webhook": str(webhook.pk)}
    return urlunsplit(parts._replace(query=urlencode(query)))


_STEPS: dict[Step, Callable[[HttpRequest, WebhookDraft], HttpResponse]] = {
    Step.WEBHOOK: _webhook_step,
    Step.TEMPLATE: _template_step,
    Step.FIELDS: fields_step,
    Step.ADVANCED: _advanced_step,
    Step.SUMMARY: _summary_step,
}
