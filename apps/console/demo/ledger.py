"""What the receiver remembers: each webhook id with its tries and its body. Pure, and bounded."""

from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Any

# Entries and bytes of bodies that are kept; the oldest are forgotten first, and counted.
MOST_ENTRIES = 2_000
MOST_BODY_BYTES = 16_000_000


@dataclass(slots=True)
class Entry:
    """The nth webhook id: where it came, how often, what it said. Moments in epoch seconds.

    `accepted` counts the tries that were answered with a success: more than one is a duplicate.
    """

    id: str
    number: int
    path: str
    media_type: str
    body: str
    first_at: float
    tries: int = 0
    accepted: int = 0
    accepted_at: float | None = None


@dataclass(slots=True)
class Counts:
    """What happened at the receiver so far.

    `accepted`, `duplicates` and `refused` count tries. `changed` counts tries whose body differs
    from the first one of the same id, `unchecked` those to paths whose secret is not known.
    """

    requests: int = 0
    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    changed: int = 0
    bad_signatures: int = 0
    unchecked: int = 0
    unparsable: int = 0
    forgotten: int = 0


@dataclass(slots=True)
class Ledger:
    """The receiver's book. `received` counts the ids that were accepted at least once."""

    counts: Counts = field(default_factory=Counts)
    most_entries: int = MOST_ENTRIES
    entries: OrderedDict[str, Entry] = field(default_factory=OrderedDict)
    _kept_bytes: int = 0

    def note_try(
        self, *, message_id: str, path: str, media_type: str, body: str, now: float
    ) -> Entry:
        """Note a request that is genuine and readable, and return the entry of its id."""
        entry = self.entries.get(message_id)
        if entry is None:
            number = len(self.entries) + self.counts.forgotten + 1
            entry = Entry(message_id, number, path, media_type, body, first_at=now)
            self.entries[message_id] = entry
            self._kept_bytes += len(body)
            self._forget_oldest()
        elif (entry.path, entry.body) != (path, body):
            self.counts.changed += 1
        entry.tries += 1
        return entry

    def note_accepted(self, entry: Entry, *, now: float) -> None:
        """Note that a try was answered with a success."""
        self.counts.accepted += 1
        if entry.accepted:
            self.counts.duplicates += 1
        else:
            self.counts.received += 1
            entry.accepted_at = now
        entry.accepted += 1

    def as_plain(self) -> dict[str, Any]:
        """Return counts and entries as plain values."""
        return {
            "counts": asdict(self.counts),
            "entries": [asdict(entry) for entry in self.entries.values()],
        }

    def _forget_oldest(self) -> None:
        while len(self.entries) > 1 and (
            len(self.entries) > self.most_entries or self._kept_bytes > MOST_BODY_BYTES
        ):
            _, oldest = self.entries.popitem(last=False)
            self._kept_bytes -= len(oldest.body)
            self.counts.forgotten += 1
