"""Rows written in bulk are the rows that Django would have written."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import access_of_key
from apps.calls.events import CallStatus
from apps.calls.models import Call
from apps.common.bulk import insert_rows, update_rows
from apps.common.tenancy import tenant_scope
from tests.builders import World, make_world

pytestmark = pytest.mark.django_db

HOSTILE = {"a": 'it\'s "quoted" \\ \n \u2028 🙂 %s $1', "n": [1.5, -0.0, 10**30, None, True, {}]}


def call_of(world: World, name: str, **fields: Any) -> Call:
    return Call(account=world.account, location=world.location, external_id=name, **fields)


class TestInsertedRows:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"caller_name": HOSTILE["a"], "snapshot": HOSTILE, "context": {"": [[]]}},
            {"treatment_keys": [uuid.uuid4(), uuid.uuid4()], "campaign_key": uuid.uuid4()},
            {"status": CallStatus.ANSWERED, "is_begun": True, "duration_s": 0, "last_sequence": -1},
            {"started_at": dt.datetime(2026, 3, 28, 0, 5, 36, 123456, tzinfo=dt.UTC)},
            {"ended_at": dt.datetime.fromisoformat("2026-03-28T00:05:36+05:30")},
        ],
        ids=["nothing", "documents", "keys", "plain", "microseconds", "offset"],
    )
    def test_are_stored_as_django_stores_them(self, world: World, fields: dict[str, Any]) -> None:
        ours, other = call_of(world, "ours", **fields), call_of(world, "other", **fields)
        insert_rows([ours])
        other.save()

        def stored(call: Call) -> dict[str, Any]:
            row = Call.objects.values().get(pk=call.pk)
            return {key: row[key] for key in row.keys() - {"id", "created_at", "external_id"}}

        assert stored(ours) == stored(other)
        assert Call.objects.get(pk=ours.pk).created_at == ours.created_at

    def test_are_known_as_stored(self, world: World) -> None:
        call = call_of(world, "c")
        insert_rows([call])
        call.status = CallStatus.BUSY
        call.save(update_fields=["status"])
        assert Call.objects.get().status == "busy"

    def test_are_one_query_however_many(self, world: World) -> None:
        with CaptureQueriesContext(connection) as asked:
            insert_rows([call_of(world, f"c{number}") for number in range(300)])
            insert_rows([])
        assert (len(asked), Call.objects.count()) == (1, 300)

    def test_that_are_there_already_are_an_error(self, world: World) -> None:
        insert_rows([call_of(world, "c")])
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows([call_of(world, "d"), call_of(world, "c")])
        assert Call.objects.count() == 1

    def test_stay_within_the_scope(self, world: World) -> None:
        stranger = make_world("Stranger")
        with tenant_scope(access_of_key(world.key)):
            insert_rows([call_of(world, "c")])
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                insert_rows([call_of(stranger, "c")])


class TestUpdatedRows:
    def test_change_in_these_fields_only(self, world: World) -> None:
        calls = [call_of(world, f"c{number}", talk_s=5, caller="+15550001111") for number in (1, 2)]
        bystander = call_of(world, "c3", talk_s=5)
        insert_rows([*calls, bystander])
        for call in calls:
            call.talk_s, call.snapshot, call.caller = None, HOSTILE, "+15550002222"
        with CaptureQueriesContext(connection) as asked:
            update_rows(calls, ["talk_s", "snapshot"])
            update_rows([], ["talk_s"])

        assert len(asked) == 1
        for call in calls:
            row = Call.objects.get(pk=call.pk)
            assert (row.talk_s, row.snapshot, row.caller) == (None, HOSTILE, "+15550001111")
        assert Call.objects.get(pk=bystander.pk).talk_s == 5

    def test_are_none_of_other_accounts(self, world: World) -> None:
        call = call_of(make_world("Stranger"), "c", talk_s=5)
        insert_rows([call])
        call.talk_s = 9
        with tenant_scope(access_of_key(world.key)):
            update_rows([call], ["talk_s"])
        assert Call.objects.get().talk_s == 5
