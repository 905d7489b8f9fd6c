"""What a draft would send for a call, before it sends anything."""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from django.db.models import QuerySet
from django.utils.timesince import timesince

from apps.calls.models import Call
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY, Entry
from apps.webhooks.models import WebhookDraft
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, Snapshot, end_only, web_session_only
from apps.webhooks.wizard.answers import Answers, Choice
from apps.webhooks.wizard.worst_case import WORST_SNAPSHOT

EXAMPLE = "example"
WORST = "worst"
_RECENT_CALLS = 10
_SHOWN_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class Preview:
    """A payload as it would be sent, made readable, and what to know about it.

    `rules` names the system of the gallery by whose own rules it was judged, "" for none, and
    `faults` is what breaks them.
    """

    payload: str
    size: int
    warnings: Sequence[str]
    rules: str = ""
    faults: Sequence[str] = ()


def sources_of(draft: WebhookDraft) -> list[tuple[str, str]]:
    """Return what a payload can be shown for: the examples, and the newest calls."""
    calls = _calls_of(draft).only("caller", "caller_name", "status", "created_at")[:_RECENT_CALLS]
    return [
        (EXAMPLE, "The example call"),
        (WORST, "The worst case"),
        *((str(call.pk), _label(call)) for call in calls),
    ]


def snapshot_of(draft: WebhookDraft, source: str) -> Snapshot:
    """Return the call behind a choice; the example for any that there is not."""
    if source == WORST:
        return WORST_SNAPSHOT
    try:
        key = uuid.UUID(source)
    except ValueError:
        return EXAMPLE_SNAPSHOT
    call = _calls_of(draft).filter(pk=key).first()
    return EXAMPLE_SNAPSHOT if call is None else call.snapshot


def preview(template: CompiledTemplate, snapshot: Snapshot, entry: Entry | None = None) -> Preview:
    """Render the payload of a call; say what may be missing, and whether it fits the rules."""
    payload = template.render(snapshot)
    problems = entry.validate(payload) if entry else []
    return Preview(
        payload=readable(payload, template.format)[:_SHOWN_CHARACTERS],
        size=len(payload),
        warnings=_warnings(template, snapshot),
        rules=entry.name if entry else "",
        faults=[f"{problem.path}: {problem.message}" for problem in problems],
    )


def entry_of(answers: Answers) -> Entry | None:
    """Return the gallery's template whose rules a new template should keep.

    It is the one that was chosen, or ADF for a sample that is one.
    """
    if not answers.makes_template:
        return None
    if answers.choice == Choice.GALLERY:
        return GALLERY.get(answers.gallery)
    is_adf = answers.format == Format.XML and re.search(r"<adf[\s>]", answers.sample[:2000])
    return GALLERY["adf"] if is_adf else None


def readable(payload: bytes, format_: Format) -> str:
    """Return JSON indented, parameters one a line and decoded, XML as it is."""
    text = payload.decode("utf-8", "replace")
    if format_ is Format.JSON:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    if format_ is Format.XML:
        return text
    return "\n".join(
        " = ".join(unquote_plus(part) for part in pair.split("=", 1)) for pair in text.split("&")
    )


def _warnings(template: CompiledTemplate, snapshot: Snapshot) -> list[str]:
    warnings = []
    if late := end_only(template.tokens):
        warnings.append(
            f"Known only at the end of a call: {_named(late)}. Attach this webhook at the end of"
            " calls; at their begin these are empty."
        )
    if web := web_session_only(template.tokens):
        has_session = bool(snapshot.get("visitor"))
        warnings.append(
            f"Only calls that come from a website (a digital campaign) have {_named(web)}."
            + ("" if has_session else " This call has no web session.")
        )
    return warnings


def _named(names: frozenset[str]) -> str:
    shown = [f"%{name}%" for name in sorted(names)]
    rest = len(shown) - 8
    return ", ".join(shown[:8]) + (f" and {rest} more" if rest > 0 else "")


def _calls_of(draft: WebhookDraft) -> QuerySet[Call]:
    return Call.objects.filter(account_id=draft.account_id).order_by("-created_at")


def _label(call: Call) -> str:
    who = call.caller_name or call.caller or "Unknown caller"
    return f"{who}, {timesince(call.created_at, depth=1)} ago"
