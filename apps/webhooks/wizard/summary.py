"""The Summary step: everything that was chosen, before it is saved."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from apps.accounts.models import Group
from apps.common.admin import access_of
from apps.webhooks.forms import SCHEDULES, chosen_schedule
from apps.webhooks.headers import MASK, is_secret_header
from apps.webhooks.mapping import Kind
from apps.webhooks.models import TemplateFormat, Webhook, WebhookDraft
from apps.webhooks.versions import differences, use_of
from apps.webhooks.wizard.answers import Answers, Step
from apps.webhooks.wizard.drafts import (
    answers_of,
    chosen_template,
    headers_of,
    mapping_of,
    webhook_of,
)
from apps.webhooks.wizard.edits import (
    edited_template,
    finish_edit,
    know_newest,
    senders_of,
    version_of,
)
from apps.webhooks.wizard.pages import show
from apps.webhooks.wizard.preview import entry_of
from apps.webhooks.wizard.preview_pages import preview_context
from apps.webhooks.wizard.rows import value_of

_SHOWN_FIELDS = 40
_CHANGES = "webhooks/wizard/changes.html"


def summary_step(
    request: HttpRequest, draft: WebhookDraft, problems: Sequence[str] = ()
) -> HttpResponse:
    """Show all selections, the payload, and the way to a test and to the end."""
    answers = answers_of(draft)
    template, faults = None, list(problems)
    if not answers.has_sample:
        try:
            template = chosen_template(draft=draft, access=access_of(request))
        except ValidationError as error:
            faults += error.messages
    headers = [
        (name, MASK if is_secret_header(name) else value) for name, value in headers_of(draft)
    ]
    entry = entry_of(answers)
    texts = [answers.sample, answers.url, *(value for _, value in headers_of(draft))]
    blanks = entry.unfilled(*texts) if entry and answers.gallery else []
    fields = mapped_fields(answers) if answers.has_sample else []
    context = {
        **preview_context(request, draft),
        "problems": faults,
        "template": template,
        "group": Group.objects.filter(pk=answers.group).first() if answers.group else None,
        "format": TemplateFormat(answers.format).label,
        "headers": headers,
        "rarer": rarer_settings(webhook_of(draft)),
        "blanks": blanks,
        "notes": entry.notes if entry and answers.gallery else (),
        "fields": fields[:_SHOWN_FIELDS],
        "more_fields": max(0, len(fields) - _SHOWN_FIELDS),
    }
    return show(request, draft, Step.SUMMARY, context)


def changes_step(request: HttpRequest, draft: WebhookDraft) -> HttpResponse:
    """Show what an edit changes and for whom, or make it the template's new version."""
    problems: list[str] = []
    if request.method == "POST":
        try:
            version = finish_edit(draft=draft)
        except ValidationError as error:
            problems = error.messages
        else:
            is_new = version.number != answers_of(draft).version
            news = f"Version {version.number} of “{version.template}” is saved."
            messages.success(request, news if is_new else "Nothing has changed.")
            return redirect("admin:webhooks_template_versions", version.template_id)
    try:
        template = edited_template(draft)
    except ValidationError as error:
        return show(request, draft, Step.SUMMARY, {"problems": error.messages}, _CHANGES)
    know_newest(draft=draft)
    current = template.current_version
    context = {
        **preview_context(request, draft),
        "problems": problems,
        "template": template,
        "current": current,
        "use": use_of(template),
        "senders": senders_of(draft, access_of(request)),
        "lines": list(differences(current, version_of(draft))) if current else [],
    }
    return show(request, draft, Step.SUMMARY, context, _CHANGES)


def rarer_settings(webhook: Webhook) -> list[tuple[str, str]]:
    """Return the rarer settings in words, without those that say nothing."""
    schedule, waits = chosen_schedule(webhook.retry_waits_s)
    limit = f"{webhook.rate_limit} requests in each {webhook.rate_unit}"
    at_once = f"{webhook.concurrency} requests of all workers together"
    settings = [
        ("Signed by", f"{webhook.get_signature_display()} {webhook.signature_header}".strip()),
        ("Key id", f"{webhook.key_id_header} {webhook.key_id}".strip()),
        ("Tries after a failure", waits or dict(SCHEDULES)[schedule]),
        ("Text in the answer", webhook.body_contains),
        ("Limit", limit if webhook.rate_limit else ""),
        ("At the same time", at_once if webhook.concurrency else ""),
    ]
    return [(name, value) for name, value in settings if value]


def mapped_fields(answers: Answers) -> list[tuple[str, str, str]]:
    """Return path, kind and content of every field that is not as in the sample."""
    return [
        (field.path, field.kind.value, value_of(field))
        for field in mapping_of(answers).fields
        if field.kind is not Kind.CONSTANT or field.constant is not None
    ]
