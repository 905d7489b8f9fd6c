"""What the event API is sent by those who mean no good: no body makes it fail."""

import datetime as dt
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.access import access_of_key
from apps.calls.events import CallStatus, EventType
from apps.calls.models import Call
from apps.intake.services import accept_events
from tests.builders import World, attach, event, make_webhook
from tests.intake.calling import post_events as post

pytestmark = pytest.mark.django_db

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(
    dt.datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    dt.datetime(2199, 12, 30),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
).map(dt.datetime.isoformat)
BODIES = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(EventType.values),
            "call_id": st.sampled_from(["c1", "c2"]),
            "occurred_at": MOMENTS,
        },
        optional={
            **dict.fromkeys(("started_at", "answered_at", "ended_at"), MOMENTS),
            **{name: st.dictionaries(NAMES, VALUES) for name in ("caller", "tags", "custom")},
            **{name: st.integers(0, 2**31 - 1) for name in ("duration_s", "talk_s")},
            "status": st.sampled_from(CallStatus.values),
            "sequence": st.integers(0, 2**63 - 1),
            "option": st.text(),
            "transcript": st.text(),
            "recording": st.dictionaries(NAMES, VALUES),
            "responses": st.lists(st.dictionaries(NAMES, VALUES), max_size=3),
            "surprise": VALUES,
        },
    ),
    max_size=4,
)
NASTY: list[bytes] = [
    *(b"null", b"true", b"7", b'"text"', b"1.5", b"{}", b"[]", b"[[]]", b"[null]", b"[{}]"),
    b"{" + b'"a":{' * 1000 + b"}" * 1001,
    b'{"id": 123456789012345678901234567890}',
    b'{"\\u0000": "\\u0000"}',
    b'{"id":"e","id":"f"}',
    b"\x00",
    b"\x1f\x8b\x08\x00",
    b"<?xml version='1.0'?><a/>",
    b"[" + b"{}," * 499 + b"{}]",
    b"'" * 1000,
]


class TestNoBody:
    @pytest.mark.parametrize("body", NASTY)
    def test_makes_the_api_fail(self, world: World, body: bytes) -> None:
        assert post(world, body).status_code in {400, 413, 422}

    @pytest.mark.parametrize(
        "fields",
        [
            {"id": "\U0001f98a\u202e\u0000"[:2], "call_id": "'; DROP TABLE calls_call; --"},
            {"id": 18446744073709551615, "call_id": -1},
            {"caller": {"full_name": {"a": ["x" * 5000]}, "first_name": 7, "last_name": [1]}},
            {"caller": {"": "", "__proto__": {}, "$ne": 1}},
            {"custom": {"n": 18446744073709551615, "f": 1e308, "tiny": 5e-324}},
            {"started_at": "1970-01-01T00:00:00Z", "ended_at": "2199-12-31T23:59:59Z"},
            {"type": "call.ended", "started_at": "1970-01-01T00:00:00Z"},
            {"sequence": 9_223_372_036_854_775_807, "duration_s": 2_147_483_647},
            {"transcript": "\U0001f98a" * 60_000},
            {"option": "%", "treatment": None, "campaign": ""},
            {"location": "loc_" + "z" * 26},
            {"location": "loc_" + "7" * 26},
            {"tags": {"%ani%": "%tags.%ani%%"}},
        ],
    )
    def test_of_strange_values_makes_it_fail(self, world: World, fields: dict[str, Any]) -> None:
        for name in ("", "xml"):
            attach(make_webhook(world, "http://127.0.0.1/" + name, template=world.json))
        body = {**event(world), **fields}

        assert post(world, body).status_code in {202, 422}
        assert post(world, [body, event(world)]).status_code == 202

    @given(bodies=BODIES)
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_of_any_values_makes_it_fail(self, world: World, bodies: list[dict[str, Any]]) -> None:
        named = [{**event(world), **body} for body in orjson.loads(orjson.dumps(bodies))]

        receipt = accept_events(access=access_of_key(world.key), bodies=named)

        assert len(receipt.accepted) + len(receipt.rejected) == len(named)
        json.dumps([call.snapshot for call in Call.objects.all()], allow_nan=False)
