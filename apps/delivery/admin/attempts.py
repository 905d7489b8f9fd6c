"""One try of a delivery, made readable."""

import json
import shlex
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from lxml import etree

from apps.common.access import Access
from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import shown_headers, shown_url
from apps.delivery.models import Attempt
from apps.delivery.outcome import ErrorKind, Timings
from apps.delivery.testing import TestRun

# What an account admin can do about each kind of failure.
EXPLAINED = {
    ErrorKind.DNS: "The name in the URL can not be found. Check its spelling and its DNS records.",
    ErrorKind.REFUSED: "Nothing answers at this address and port: the receiver is down, or a"
    " firewall turns us away.",
    ErrorKind.TLS: "No secure connection: the certificate is expired, for another name, or of an"
    " unknown issuer.",
    ErrorKind.TIMEOUT: "No complete answer in time. The receiver should answer first and work"
    " afterwards, or the webhook needs a longer time-out.",
    ErrorKind.BLOCKED: "The name leads to an address that webhooks may not reach.",
    ErrorKind.CLOSED: "The receiver closed the connection before it had answered.",
    ErrorKind.TOO_LARGE: "The request or the answer is larger than allowed.",
    ErrorKind.PROTOCOL: "What came back is not HTTP.",
    ErrorKind.HTTP: "The receiver answered with a code that does not count as success.",
    ErrorKind.LOCAL: "Hookline itself could not send; it tries again, and no try is spent. What"
    " fails in the same way after it is not kept.",
    ErrorKind.RENDER: "The payload could not be made from the template and this call, and neither"
    " changes. Mend the template, then replay with its current version.",
    ErrorKind.SETTINGS: "The webhook or its template can not be read here, as when the key of its"
    " credentials is missing. It is looked at again every hour, and no try is spent.",
    ErrorKind.LOST: "A worker died while it held the delivery. Whether the receiver got it can not"
    " be known here; it is sent again, with the same webhook-id.",
}

# How deep a body is shown with its structure: at each level a line is indented further, so that
# 64 KB of brackets would become 60 MB.
_MOST_LEVELS = 32


def explained(kind: str) -> str:
    """Return what a kind of failure means; nothing for none."""
    return EXPLAINED[ErrorKind(kind)] if kind in set(ErrorKind) else ""


def pretty(body: str) -> str:
    """Return JSON and XML with their structure shown, anything else as it is."""
    text = body.strip()
    if text[:1] in ("{", "["):
        try:
            read = json.loads(text)
            if not _has_levels(read, _MOST_LEVELS):
                return body
            shown = json.dumps(read, indent=2, ensure_ascii=False)
            shown.encode()
        # Receivers write bodies, and may nest them deeper than the parser can follow, or escape
        # halves of characters, which no page can show.
        except (ValueError, RecursionError):
            return body
        return shown
    if text[:1] == "<":
        parser = etree.XMLParser(
            remove_blank_text=True, resolve_entities=False, no_network=True, load_dtd=False
        )
        try:
            tree = etree.fromstring(text.encode(), parser)
        except etree.XMLSyntaxError:
            return body
        return etree.tostring(tree, pretty_print=True, encoding="unicode")
    return body


def _has_levels(value: Any, most: int) -> bool:
    """Tell whether a value that was read from JSON is nested at most so deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(most > 1 and _has_levels(each, most - 1) for each in inner)


def as_curl(attempt: Attempt, url: str) -> str:
    """Return a shell command that sends the same request; credentials stay masked."""
    parts = [f"curl -X {shlex.quote(attempt.method)} {shlex.quote(url)}"]
    parts += [
        f"-H {shlex.quote(f'{name}: {value}')}" for name, value in attempt.request_headers.items()
    ]
    if attempt.request_body:
        parts.append(f"--data-raw {shlex.quote(attempt.request_body)}")
    return " \\\n  ".join(parts)


def shown_test(run: TestRun) -> dict[str, Any]:
    """Return what a page shows of a test."""
    return {
        "run": run,
        "request_body": pretty(run.request.body.decode("utf-8", "replace")),
        "response_body": pretty(run.outcome.body.decode("utf-8", "replace")),
        "explained": explained(run.verdict.error_kind or ""),
        "timings": _timings(run.outcome.timings),
    }


def _timings(of: Attempt | Timings) -> list[tuple[str, float]]:
    named = (
        ("Name look-up", of.dns_ms),
        ("Connect", of.connect_ms),
        ("First byte", of.first_byte_ms),
        ("In all", of.total_ms),
    )
    return [(name, value) for name, value in named if value is not None]


def shown(attempt: Attempt, access: Access) -> dict[str, Any]:
    """Return what the page shows of a try to this reader."""
    url = shown_url(attempt.url, attempt.account_id, access)
    return {
        "attempt": attempt,
        "url": url,
        "response_headers": shown_headers(attempt.response_headers, attempt.account_id, access),
        "title": f"Try {attempt.number}",
        "explained": explained(attempt.error_kind),
        "request_body": pretty(attempt.request_body),
        "response_body": pretty(attempt.response_body),
        "curl": as_curl(attempt, url),
        "timings": _timings(attempt),
    }


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Tries are shown on the page of their delivery; there is nothing to start from here."""

    list_display = ["number", "delivery", "started_at", "response_status", "error_kind"]
    list_select_related = ["delivery"]
    fieldsets = [
        (None, {"fields": ["delivery", "number", "started_at", "response_status", "error_message"]})
    ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep it out of the index."""
        return False
