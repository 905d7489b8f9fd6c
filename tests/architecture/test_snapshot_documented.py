"""docs/snapshot.md names every key of a snapshot, and for each the tokens that really read it."""

import re
from typing import Any

import pytest

from apps.accounts.models import Account, Location
from apps.calls.events import EventType
from apps.campaigns.models import Campaign, TrackingNumber, Treatment
from apps.campaigns.placing import Place
from apps.intake.events import _PLACE_FIELDS, _READERS
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, TOKENS
from tests.architecture.image import BASE_DIR

# What the documented rows point to for the tokens of their parts.
ROOMS = (
    "recording",
    "click",
    "survey",
    "analysis",
    "caller",
    "visitor",
    "vehicle",
    "account",
    "number",
    "campaign",
    "location",
    "ivr",
    "delivery",
)
# Put together from several keys; the tables leave them out.
COMPOSED = {
    "all_actions",
    "ani_address",
    "ani_full_name",
    "call_summary",
    "entered_keys",
    "first_action",
    "is_dynamic",
    "last_action",
    "phone_type",
    "recorded_talk_time",
    "request_id",
    "transfer_type",
}
# Read to be folded, not kept under their own name.
NOT_KEPT = {"id", "type", "occurred_at", "sequence", *_PLACE_FIELDS}


def documented() -> dict[str, set[str]]:
    """Return the keys of the document with the tokens that stand in their row."""
    rows: dict[str, set[str]] = {}
    for line in (BASE_DIR / "docs/snapshot.md").read_text().splitlines():
        if match := re.match(r"\| `([a-z0-9_.]+)` \|(?:.*\|)? ?([^|]*)\|$", line):
            rows[match[1]] = set(re.findall(r"`([a-z0-9_]+)`", match[2])) & set(TOKENS)
    return rows


def readers_of(key: str) -> set[str]:
    """Return the tokens that have a value in a call of which only this key is known."""
    room, _, part = key.partition(".")
    known: Any = EXAMPLE_SNAPSHOT.get(room) or {"any": "1"}
    snapshot = {room: {part: known.get(part, "1")} if part else known}
    read = {name for name, token in TOKENS.items() if token.read(snapshot) is not None}
    return read - COMPOSED


class TestSnapshotDocument:
    def test_has_every_key_that_the_code_knows(self) -> None:
        top = set(EXAMPLE_SNAPSHOT) | (set(_READERS) - NOT_KEPT) | {"options"}
        inside = {f"{room}.{part}" for room in ROOMS for part in EXAMPLE_SNAPSHOT[room]}
        assert top | inside <= set(documented())

    def test_has_what_a_place_adds(self) -> None:
        location = Location(name="Main", account=Account(name="Acme"))
        place = Place(
            location=location,
            number=TrackingNumber(number="+15551234567"),
            campaign=Campaign(name="Spring"),
            treatment=Treatment(name="Menu"),
        )
        keys = set(documented())
        for key, value in place.context.items():
            assert key in keys
            if key in ROOMS:
                assert {f"{key}.{part}" for part in value} <= keys

    def test_has_no_key_that_nobody_knows(self) -> None:
        known = set(EXAMPLE_SNAPSHOT)
        assert {key.partition(".")[0] for key in documented()} <= known

    @pytest.mark.parametrize("key", sorted(documented()))
    def test_names_the_tokens_that_read(self, key: str) -> None:
        if key not in ROOMS:
            assert documented()[key] == readers_of(key)

    def test_names_every_token(self) -> None:
        assert set.union(*documented().values()) == set(TOKENS) - COMPOSED
        text = (BASE_DIR / "docs/snapshot.md").read_text()
        assert {name for name in COMPOSED if f"`{name}`" not in text} == set()

    def test_names_the_events_that_change_an_ended_call(self) -> None:
        text = (BASE_DIR / "docs/snapshot.md").read_text()
        for kind in ("ENDED", "UPDATED", "RECORDING_READY", "TRANSCRIPT_READY"):
            assert f"`{EventType[kind].value}`" in text
