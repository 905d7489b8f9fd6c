"""What a draft would send for a call, before it sends anything."""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime

from apps.calls.finding import find_calls
from apps.calls.models import Call
from apps.common.models import AccountOwned
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
_FOUND_CALLS = 20
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


EXAMPLES = ((EXAMPLE, "The example call"), (WORST, "The worst case"))


def sources_of(row: AccountOwned, chosen: str = "") -> list[tuple[str, str]]:
    """Return what a payload can be shown for: the examples, the newest calls, and the chosen.

    `row` is a draft or a webhook, whose account's calls these are.
    """
    sources = [*EXAMPLES, *_choices(_calls_of(row)[:_RECENT_CALLS])]
    if chosen not in dict(sources) and (call := _call(row, chosen)) is not None:
        sources += _choices([call])
    return sources


def found_calls(draft: WebhookDraft, typed: str) -> list[tuple[str, str]]:
    """Return the calls that somebody means by a number, a name, an id or a day, newest first."""
    return _choices(find_calls(_calls_of(draft), typed)[:_FOUND_CALLS])


def snapshot_of(row: AccountOwned, source: str) -> Snapshot:
    """Return the call behind a choice; the example for any that there is not."""
    if source == WORST:
        return WORST_SNAPSHOT
    call = _call(row, source)
    return EXAMPLE_SNAPSHOT if call is None else call.snapshot


def preview(template: CompiledTemplate, snapshot: Snapshot, entry: Entry | None = None) -> Preview:
    """Render the payload of a call; say what may be missing, and whether it fits the rules."""
    payload = template.render(snapshot)
    return Preview(
        payload=readable(payload, template.format)[:_SHOWN_CHARACTERS],
        size=len(payload),
        warnings=_warnings(template, snapshot),
        rules=entry.name if entry else "",
        faults=faults_of(entry, payload) if entry else (),
    )


def verdicts(
    draft: WebhookDraft, template: CompiledTemplate, entry: Entry, source: str
) -> list[tuple[str, list[str]]]:
    """Return for each example, and a call that was picked, what breaks the rules of a system."""
    shown = [
        *EXAMPLES,
        *((key, label) for key, label in sources_of(draft, source) if key == source),
    ]
    return [
        (label, faults_of(entry, template.render(snapshot_of(draft, key))))
        for key, label in dict(shown).items()
    ]


def faults_of(entry: Entry, payload: bytes) -> list[str]:
    """Return what breaks the rules of the system that a payload is for, with its place."""
    return [f"{problem.path}: {problem.message}" for problem in entry.validate(payload)]


def entry_of(answers: Answers) -> Entry | None:
    """Return the gallery's template whose rules a new template should keep.

    It is the one that was chosen, or ADF for a sample that is one.
    """
    if not answers.has_sample:
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


def _calls_of(row: AccountOwned) -> QuerySet[Call]:
    return Call.objects.filter(account_id=row.account_id).order_by("-created_at")


def _call(row: AccountOwned, source: str) -> Call | None:
    try:
        return _calls_of(row).filter(pk=uuid.UUID(source)).first()
    except ValueError:
        return None


def _choices(calls: QuerySet[Call] | Sequence[Call]) -> list[tuple[str, str]]:
    if isinstance(calls, QuerySet):
        calls = calls.only("caller", "caller_name", "created_at")
    return [(str(call.pk), _label(call)) for call in calls]


def _label(call: Call) -> str:
    who = " ".join(filter(None, (call.caller_name, call.caller))) or "Unknown caller"
    return f"{who}, {date_format(localtime(call.created_at), 'SHORT_DATETIME_FORMAT')}"
