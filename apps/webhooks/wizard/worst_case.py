"""The worst case: a call that a template must survive."""

from typing import Final

from apps.webhooks.tokens import Snapshot

_HOSTILE: Final = 'O\'Neil "Ann" & <Sons> \\ %ani% 😀\nline two'

WORST_SNAPSHOT: Snapshot = {
    "call_id": "worst-case",
    "status": "no_answer",
    "direction": "inbound",
    "from": "anonymous",
    "tracking_number": "+12135550101",
    "to": "+12135550101",
    "started_at": "2026-01-01T00:00:00.000Z",
    "ended_at": "2026-01-01T00:00:20.000Z",
    "duration_s": 20,
    "talk_s": 0,
    "ring_count": 4,
    "repeat_caller": False,
    "responses": [],
    "survey": {},
    "tags": {},
    "caller": {
        "is_valid": False,
        "full_name": _HOSTILE,
        "first_name": "   ",
        "last_name": _HOSTILE,
        "city": "São Paulo & “Zürich”",
        "zip": "",
    },
    "campaign": {"id": "1", "name": "50% off — <b>now</b>", "kind": "offline", "domain": ""},
    "options": [],
    "location": {"id": "1", "name": _HOSTILE, "country": "US", "time_zone": "America/New_York"},
    "custom": {},
}
"""Anonymous, unanswered, without a web session, with quotes, markup, emoji and blanks."""
