"""Going through the wizard as a browser posts it."""

from typing import Any

from django.test import Client
from django.urls import reverse

from apps.webhooks.models import WebhookDraft
from apps.webhooks.wizard.drafts import answers_of, sample_of
from apps.webhooks.wizard.rows import places_of

URL = "https://93.184.216.34/leads"
SAMPLE = '{"first": "Ann", "last": "Lee", "phone": "5551234567"}'


def text_of(page: Any) -> str:
    """Return what a page says."""
    return str(page.content.decode())


def at(draft: WebhookDraft, step: str) -> str:
    """Return the address of a step."""
    return reverse("wizard_step", args=[draft.pk, step])


def begun(browser: Client, query: str = "", **changes: object) -> WebhookDraft:
    """Answer the first step and return the draft."""
    form = {"choice": "create", "name": "Leads", "url": URL, "location": "", **changes}
    page = browser.post(reverse("wizard") + query, form)
    assert page.status_code == 302, page.context["form"].errors
    return WebhookDraft.objects.order_by("-created_at")[0]


def templated(browser: Client, draft: WebhookDraft, **changes: object) -> Any:
    """Answer the Template step."""
    form = {"title": "CRM lead", "group": "", "format": "json", "sample": SAMPLE, **changes}
    return browser.post(at(draft, "template"), form)


def mapped(browser: Client, draft: WebhookDraft, **tokens: str) -> Any:
    """Answer the Fields step; `tokens` name what fills fields, by their names."""
    browser.get(at(draft, "fields"))
    draft.refresh_from_db()
    answers = answers_of(draft)
    form = {"sample": answers.mapped}
    for index, (place, _) in enumerate(places_of(sample_of(answers))):
        if place.name in tokens:
            form |= {f"kind-{index}": "token", f"value-{index}": tokens[place.name]}
    return browser.post(at(draft, "fields"), form)


def advanced(browser: Client, draft: WebhookDraft, **changes: object) -> Any:
    """Answer the Advanced step."""
    form = {
        "method": "POST",
        "success_codes_usual": ["200", "201", "202", "203", "204"],
        "success_codes_others": "",
        "timeout_s": "15",
        "auth": "none",
        **changes,
    }
    return browser.post(at(draft, "advanced"), form)


def at_summary(browser: Client, **changes: object) -> WebhookDraft:
    """Go through all steps to the summary."""
    draft = begun(browser, **changes)
    templated(browser, draft)
    mapped(browser, draft, first="ani_first_name", last="ani_last_name", phone="ani")
    page = advanced(browser, draft)
    assert page.headers["Location"] == at(draft, "summary")
    draft.refresh_from_db()
    return draft
