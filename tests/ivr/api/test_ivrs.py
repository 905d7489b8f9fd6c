"""IVRs over the API: made with their questions, their web hooks set, and exchanges read."""

from typing import Any

import pytest

from apps.accounts.models import Scope
from apps.ivr.models import Ivr, IvrHook
from apps.webhooks.models import Webhook
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World
from tests.delivery.receiver import Receiver
from tests.ivr.conftest import Answer, make_hook, post

pytestmark = pytest.mark.django_db

TARGET = "https://93.184.216.34/ivr"


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account)


def at_hook(hook: IvrHook) -> str:
    return f"/ivrs/{hook.ivr.public_id}/hook"


class TestAnIvr:
    def test_is_made_with_its_questions_and_a_web_hook_that_is_off(
        self, api: Api, world: World
    ) -> None:
        body = {
            "number": 75,
            "name": "Balance",
            "location": world.location.public_id,
            "questions": [
                {"number": 1, "prompt": "Your account number?"},
                {"number": 2, "audio": "@greeting.wav", "is_recorded": True},
            ],
        }
        made = good(api.post("/ivrs", body), 201)
        assert [each["is_recorded"] for each in made["questions"]] == [False, True]
        hook = good(api.get(f"/ivrs/{made['id']}/hook"))
        assert (hook["is_active"], hook["ivr"]) == (False, made["id"])

    def test_is_not_made_in_part(self, api: Api, world: World) -> None:
        body = {"number": 75, "name": "Balance", "questions": [{"number": 1}]}
        told = problem(api.post("/ivrs", body), 422, "invalid")
        assert faults(told) == [("/questions/0/prompt", "invalid")]
        assert not Ivr.objects.exists()

    def test_has_a_number_of_its_own(self, api: Api, world: World) -> None:
        make_hook(world, TARGET)
        told = problem(api.post("/ivrs", {"number": 75, "name": "Again"}), 422, "invalid")
        assert told["errors"][0]["message"] == "Another IVR has this ID."

    def test_gets_and_loses_questions(self, api: Api, world: World) -> None:
        at = f"/ivrs/{make_hook(world, TARGET).ivr.public_id}/questions"
        made = good(api.post(at, {"number": 1, "prompt": "Press 1."}), 201)
        changed = good(api.patch(f"{at}/{made['id']}", {"prompt": "Press 2."}))
        assert changed["prompt"] == "Press 2."
        good(api.delete(f"{at}/{made['id']}"), 204)
        assert good(api.get(at))["data"] == []


class TestItsWebHook:
    def test_is_set(self, api: Api, world: World) -> None:
        hook = make_hook(world, "")
        good(api.post(f"/ivrs/{hook.ivr.public_id}/questions", {"number": 1, "prompt": "?"}), 201)
        body: dict[str, Any] = {
            "is_active": True,
            "mode": "action",
            "method": "POST",
            "target_url": "https://93.184.216.34",
            "parameters": [
                {"name": "caller", "token": "ani"},
                {"name": "pin", "token": "answer.1"},
            ],
            "authorization": "Bearer x",
            "budget_s": 7,
        }
        shown = good(api.patch(at_hook(hook), body))
        assert "authorization" not in shown
        assert shown["has_authorization"]
        assert shown["target_url"] == "https://93.184.216.34/"
        assert shown["parameters"] == body["parameters"]
        hook.refresh_from_db()
        assert (hook.authorization, hook.budget_s, hook.mode) == ("Bearer x", 7, "action")

    def test_replaces_the_list_of_parameters(self, api: Api, world: World) -> None:
        hook = make_hook(world, TARGET)
        for tokens in ({"a": "ani", "b": "ani"}, {"b": "ani_full_name", "c": "ani"}, {}):
            parameters = [{"name": name, "token": token} for name, token in tokens.items()]
            shown = good(api.patch(at_hook(hook), {"parameters": parameters}))
            assert {each["name"]: each["token"] for each in shown["parameters"]} == tokens

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"is_active": True, "target_url": ""}, "/target_url"),
            ({"target_url": "ftp://x"}, "/target_url"),
            ({"fallback_url": "http://169.254.169.254/"}, "/fallback_url"),
            ({"transcription_url": "http://10.0.0.1/"}, "/transcription_url"),
            ({"redirect_url": "javascript:alert(1)"}, "/redirect_url"),
            (
                {"reply_form": "twiml", "default_app": "vr", "default_value": "3"},
                "/redirect_url",
            ),
            ({"budget_s": 11}, "/budget_s"),
            ({"default_value": ""}, "/default_value"),
            ({"authorization": "a\nb"}, "/authorization"),
            ({"target_url": "https://93.184.216.35/"}, "/authorization"),
            ({"parameters": [{"name": "a", "token": "nothing"}]}, "/parameters/0/token"),
            ({"parameters": [{"name": "a", "token": "answer.9"}]}, "/parameters/0/token"),
            ({"parameters": [{"name": "ivr_id", "token": "ani"}]}, "/parameters/0/name"),
            ({"parameters": [{"name": "a", "token": "ani"}] * 2}, "/parameters"),
        ],
        ids=str,
    )
    def test_refuses_what_would_not_work(
        self, api: Api, world: World, body: dict[str, Any], pointer: str
    ) -> None:
        hook = make_hook(world, TARGET, authorization="Bearer x")
        told = problem(api.patch(at_hook(hook), body), 422, "invalid")
        assert faults(told)[0][0] == pointer
        assert IvrHook.objects.get().target_url == TARGET

    def test_keeps_its_authorization_for_the_same_host(self, api: Api, world: World) -> None:
        hook = make_hook(world, TARGET, authorization="Bearer x")
        good(api.patch(at_hook(hook), {"target_url": f"{TARGET}/2"}))
        assert IvrHook.objects.get().authorization == "Bearer x"
        assert not good(api.patch(at_hook(hook), {"authorization": ""}))["has_authorization"]

    def test_has_transcripts_sent(self, api: Api, world: World) -> None:
        hook = make_hook(world, TARGET)
        shown = good(api.patch(at_hook(hook), {"transcription_url": f"{TARGET}/text"}))
        assert shown["transcription_url"] == f"{TARGET}/text"
        assert Webhook.objects.get().url == f"{TARGET}/text"
        assert good(api.patch(at_hook(hook), {"transcription_url": ""}))["transcription_url"] == ""

    def test_is_changed_only_as_it_was_seen(self, api: Api, world: World) -> None:
        hook = make_hook(world, TARGET)
        seen = api.get(at_hook(hook))["ETag"]
        assert api.get(at_hook(hook), **{"If-None-Match": seen}).status_code == 304
        good(api.patch(at_hook(hook), {"budget_s": 3}, **{"If-Match": seen}))
        response = api.patch(at_hook(hook), {"budget_s": 4}, **{"If-Match": seen})
        problem(response, 412, "precondition_failed")


@pytest.mark.django_db(transaction=True)
def test_exchanges_are_read_with_every_try(
    world: World, receiver: Receiver, answer: Answer
) -> None:
    hook = make_hook(world, answer(b"Hello there"))
    assert post(world).status_code == 200
    api = api_for(world.account, Scope.READ)
    at = f"/ivrs/{hook.ivr.public_id}/exchanges"
    (listed,) = good(api.get(f"{at}?decided_by=target&call_id=call-77"))["data"]
    assert "tries" not in listed
    shown = good(api.get(f"{at}/{listed['id']}"))
    assert [each["response_body"] for each in shown["tries"]] == ["Hello there"]
    assert shown["reply"]["message"] == "Hello there"
    assert good(api.get(f"{at}?decided_by=default"))["data"] == []
    (figures,) = good(api.get(f"/ivrs/{hook.ivr.public_id}/stats"))["data"]
    assert (figures["asked"], figures["decided"]) == (1, 1)
