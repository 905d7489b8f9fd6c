"""Conditions, waits and business hours over the API."""

from typing import Any

import pytest

from apps.accounts.models import Scope
from apps.campaigns.models import Attachment
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World, make_webhook

pytestmark = pytest.mark.django_db

RULE = {"field": "talk_s", "op": "at_least", "value": 60}


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account, Scope.READ, Scope.WRITE)


def body(world: World, **fields: Any) -> dict[str, Any]:
    webhook = make_webhook(world, "https://93.184.216.34/")
    return {"webhook": webhook.public_id, "timing": "end", **fields}


class TestAnAttachment:
    def test_takes_conditions_and_says_them_in_words(self, api: Api, world: World) -> None:
        wait = {"wait_for": "recording", "wait_min": 5}
        made = good(api.post("/attachments", body(world, conditions={"all": [RULE]}, **wait)), 201)
        assert made["conditions"] == {"all": [RULE]}
        assert made["in_words"] == (
            "Only calls with at least 1 min of talk;"
            " once the recording is there, sent anyway after 5 min"
        )
        assert Attachment.objects.get().conditions == {"all": [RULE]}

    @pytest.mark.parametrize(
        ("conditions", "place"),
        [
            ([], ""),
            (7, ""),
            ("all", ""),
            ({"all": []}, ""),
            ({"field": "mood"}, ""),
            ({"all": [RULE] * 31}, ""),
            ({"all": [RULE, {"field": "mood"}]}, "/all/1"),
            ({"all": [RULE, {"any": [7]}]}, "/all/1/any/0"),
            ({"any": [{"all": [RULE, {**RULE, "value": -1}]}]}, "/any/0/all/1"),
            ({"any": [{"any": [{"any": [{"any": [RULE]}]}]}]}, "/any/0/any/0/any/0/any/0"),
        ],
    )
    def test_refuses_conditions_that_can_not_be_read(
        self, api: Api, world: World, conditions: Any, place: str
    ) -> None:
        told = problem(api.post("/attachments", body(world, conditions=conditions)), 422, "invalid")
        assert [pointer for pointer, _ in faults(told)] == [f"/conditions{place}"]
        assert not Attachment.objects.exists()

    def test_refuses_at_the_begin_what_is_known_at_the_end(self, api: Api, world: World) -> None:
        early = {"field": "repeat_caller", "op": "is", "value": True}
        conditions = {"all": [early, {"any": [early, RULE]}]}
        given = body(world, timing="begin", conditions=conditions)
        told = problem(api.post("/attachments", given), 422, "invalid")
        assert [pointer for pointer, _ in faults(told)] == ["/conditions/all/1/any/1"]


class TestALocation:
    def test_takes_business_hours(self, api: Api, world: World) -> None:
        path = f"/locations/{world.location.public_id}"
        hours = {"mon": [[540, 1020]]}
        assert good(api.patch(path, {"business_hours": hours}))["business_hours"] == hours
        told = problem(api.patch(path, {"business_hours": {"mon": [[9]]}}), 422, "invalid")
        assert [pointer for pointer, _ in faults(told)] == ["/business_hours"]
