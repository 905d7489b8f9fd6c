"""The balance of a demo: what was planned against what the receiver and Hookline say. Pure."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.console.demo.expected import Expected, Payload, read_payload

_SHOWN_FAULTS = 10
# Counts of the receiver that must be nought, and what each means.
_FAULTY = {
    "bad_signatures": "requests had a bad signature",
    "unchecked": "requests came to a path whose secret is not known",
    "unparsable": "bodies could not be read",
    "changed": "repeats had another body than the first try",
    "forgotten": "ids were forgotten by the receiver",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A delivery as Hookline has it: public id, state, tries made."""

    id: str
    state: str
    tries: int


@dataclass(slots=True)
class Balance:
    """The totals of a demo, and each fault in words. `is_even` is the verdict.

    `planned` counts what the calls must cause, `received` the ids that the receiver took,
    `succeeded`, `retried` and `failed` are Hookline's. `lost` were planned and did not arrive as
    they should, `unexpected` arrived without being planned: a wrong body is both.
    """

    planned: int = 0
    received: int = 0
    succeeded: int = 0
    retried: int = 0
    failed: int = 0
    lost: int = 0
    unexpected: int = 0
    duplicates: int = 0
    bad_signatures: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_even(self) -> bool:
        """Tell whether everything arrived, once noted and unchanged."""
        return not self.faults


def strike(
    *, expected: Collection[Expected], stored: Sequence[Stored], ledger: Mapping[str, Any]
) -> Balance:
    """Compare; `ledger` is what the receiver answers for `/ledger/entries`."""
    counts = ledger["counts"]
    taken = [entry for entry in ledger["entries"] if entry["accepted"]]
    balance = Balance(
        planned=len(expected),
        received=len(taken),
        succeeded=sum(each.state == "succeeded" for each in stored),
        retried=sum(each.tries > 1 for each in stored),
        failed=sum(each.state == "failed" for each in stored),
        duplicates=counts["duplicates"],
        bad_signatures=counts["bad_signatures"],
    )
    _compare_bodies(balance, expected, taken)
    _compare_ids(balance, stored, taken)
    unfinished = len(stored) - balance.succeeded - balance.failed
    for number, what in (
        (unfinished, "deliveries are not finished"),
        (balance.failed, "deliveries failed"),
        *((counts[name], what) for name, what in _FAULTY.items()),
    ):
        if number:
            balance.faults.append(f"{number} {what}.")
    return balance


def _compare_bodies(
    balance: Balance, expected: Collection[Expected], taken: Sequence[Mapping[str, Any]]
) -> None:
    wanted = Counter(_canonical(each.path, each.payload) for each in expected)
    arrived = Counter(_canonical(entry["path"], _payload(entry)) for entry in taken)
    missing, surplus = wanted - arrived, arrived - wanted
    balance.lost = missing.total()
    balance.unexpected = surplus.total()
    balance.faults += [f"Missing: {text}" for text in list(missing)[:_SHOWN_FAULTS]]
    balance.faults += [f"Not planned: {text}" for text in list(surplus)[:_SHOWN_FAULTS]]


def _compare_ids(
    balance: Balance, stored: Sequence[Stored], taken: Sequence[Mapping[str, Any]]
) -> None:
    succeeded = {each.id for each in stored if each.state == "succeeded"}
    received = {entry["id"] for entry in taken}
    if unseen := succeeded - received:
        balance.faults.append(f"{len(unseen)} succeeded and never arrived: {sorted(unseen)[0]}.")
    if unknown := received - {each.id for each in stored}:
        balance.faults.append(f"{len(unknown)} arrived that Hookline lacks: {sorted(unknown)[0]}.")
    if len(stored) != balance.planned:
        balance.faults.append(f"{balance.planned} were planned, Hookline made {len(stored)}.")


def _payload(entry: Mapping[str, Any]) -> Payload:
    if entry["media_type"] == "application/json":
        payload: Payload = json.loads(entry["body"])
        return payload
    return read_payload(entry["body"])


def _canonical(path: str, payload: Payload) -> str:
    return f"{path} {json.dumps(payload, sort_keys=True, ensure_ascii=False)}"
