"""The demo's comparison notices what is missing, altered, repeated or made up."""

import json

import pytest

from apps.console.demo.balance import Balance, Stored, strike
from apps.console.demo.expected import Expected, read_payload
from apps.console.demo.ledger import Ledger

JSON_PAYLOAD = {"call_id": "c1", "caller": 'Zoë "Z" & <co>\n🎉'}
XML_BODY = '<?xml version="1.0"?><job><call id="c2"/><who part="first">A &amp; B</who></job>'
XML_PAYLOAD = {"/job/call@id": "c2", "/job/call": "", "/job/who[first]": "A & B"}
EXPECTED = [Expected("/json", "c1", JSON_PAYLOAD), Expected("/xml", "c2", XML_PAYLOAD)]
STORED = [Stored("msg_1", "succeeded", 1), Stored("msg_2", "succeeded", 2)]


def full_ledger() -> Ledger:
    """Return the book of a receiver that got both deliveries, the second at the second try."""
    ledger = Ledger()
    take(ledger, "msg_1", "/json", json.dumps(JSON_PAYLOAD))
    take(ledger, "msg_2", "/xml", XML_BODY, tries=2)
    return ledger


def take(ledger: Ledger, message_id: str, path: str, body: str, *, tries: int = 1) -> None:
    media_type = "application/json" if path == "/json" else "application/xml"
    for _ in range(tries):
        entry = ledger.note_try(
            message_id=message_id, path=path, media_type=media_type, body=body, now=1.0
        )
    ledger.note_accepted(entry, now=2.0)


def balance_of(ledger: Ledger, stored: list[Stored] | None = None) -> Balance:
    return strike(
        expected=EXPECTED,
        stored=STORED if stored is None else stored,
        ledger=json.loads(json.dumps(ledger.as_plain())),
    )


class TestStrike:
    def test_is_even_when_all_arrived_as_it_should(self) -> None:
        balance = balance_of(full_ledger())
        assert balance.faults == []
        assert balance.is_even
        assert (balance.planned, balance.received, balance.succeeded) == (2, 2, 2)
        assert (balance.retried, balance.lost, balance.duplicates) == (1, 0, 0)

    def test_notices_a_delivery_that_never_arrived(self) -> None:
        ledger = full_ledger()
        del ledger.entries["msg_2"]
        balance = balance_of(ledger)
        assert balance.lost == 1
        assert balance.faults[0].startswith("Missing: /xml")
        assert "1 succeeded and never arrived: msg_2." in balance.faults

    def test_notices_one_that_was_only_ever_refused(self) -> None:
        ledger = full_ledger()
        ledger.entries["msg_2"].accepted = 0
        assert balance_of(ledger).lost == 1

    @pytest.mark.parametrize(
        ("message_id", "before", "after"),
        [
            ("msg_1", "c1", "c9"),
            ("msg_1", "\\n", " "),
            ("msg_1", '"caller"', '"name"'),
            ("msg_2", "A &amp; B", "A &amp;amp; B"),
            ("msg_2", "A &amp; B", "A &amp; B "),
            ("msg_2", "<call", "<extra/><call"),
        ],
    )
    def test_notices_an_altered_body(self, message_id: str, before: str, after: str) -> None:
        ledger = full_ledger()
        entry = ledger.entries[message_id]
        assert before in entry.body
        entry.body = entry.body.replace(before, after)
        balance = balance_of(ledger)
        assert (balance.lost, balance.unexpected) == (1, 1)
        assert not balance.is_even

    def test_notices_one_at_the_wrong_address(self) -> None:
        ledger = full_ledger()
        ledger.entries["msg_1"].path = "/elsewhere"
        assert (balance_of(ledger).lost, balance_of(ledger).unexpected) == (1, 1)

    def test_notices_the_same_payload_under_two_ids(self) -> None:
        ledger = full_ledger()
        take(ledger, "msg_3", "/json", json.dumps(JSON_PAYLOAD))
        balance = balance_of(ledger, [*STORED, Stored("msg_3", "succeeded", 1)])
        assert (balance.unexpected, balance.lost) == (1, 0)
        assert "2 were planned, Hookline made 3." in balance.faults

    def test_notices_an_id_that_hookline_does_not_have(self) -> None:
        balance = balance_of(full_ledger(), STORED[:1])
        assert "1 arrived that Hookline lacks: msg_2." in balance.faults

    @pytest.mark.parametrize(
        ("state", "fault"),
        [("failed", "1 deliveries failed."), ("pending", "1 deliveries are not finished.")],
    )
    def test_notices_what_did_not_succeed(self, state: str, fault: str) -> None:
        balance = balance_of(full_ledger(), [STORED[0], Stored("msg_2", state, 2)])
        assert fault in balance.faults

    @pytest.mark.parametrize(
        "name", ["bad_signatures", "unchecked", "unparsable", "changed", "forgotten"]
    )
    def test_notices_what_the_receiver_complains_of(self, name: str) -> None:
        ledger = full_ledger()
        setattr(ledger.counts, name, 1)
        assert len(balance_of(ledger).faults) == 1

    def test_allows_a_repeat_of_the_same_id(self) -> None:
        ledger = full_ledger()
        take(ledger, "msg_1", "/json", json.dumps(JSON_PAYLOAD))
        balance = balance_of(ledger)
        assert balance.is_even
        assert (balance.duplicates, balance.received) == (1, 2)


class TestLedger:
    def test_notes_a_repeat_with_another_body(self) -> None:
        ledger = full_ledger()
        take(ledger, "msg_1", "/json", "{}")
        assert ledger.counts.changed == 1

    def test_forgets_the_oldest_and_says_so(self) -> None:
        ledger = Ledger(most_entries=2)
        for number in range(5):
            take(ledger, f"msg_{number}", "/json", "{}")
        assert list(ledger.entries) == ["msg_3", "msg_4"]
        assert ledger.counts.forgotten == 3
        assert ledger.entries["msg_4"].number == 5

    def test_keeps_no_more_than_so_many_bytes(self) -> None:
        ledger = Ledger()
        for number in range(20):
            take(ledger, f"msg_{number}", "/json", "x" * 1_500_000)
        assert sum(len(entry.body) for entry in ledger.entries.values()) <= 16_000_000


class TestReadPayload:
    def test_flattens_texts_and_attributes(self) -> None:
        assert read_payload(XML_BODY) == XML_PAYLOAD

    def test_refuses_a_place_that_comes_twice(self) -> None:
        with pytest.raises(ValueError, match="comes twice"):
            read_payload("<job><a>1</a><a>1</a></job>")
