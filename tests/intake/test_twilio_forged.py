"""Callbacks that Twilio did not sign, for this very URL and body, are refused and store nothing."""

import hashlib
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import Settings

from apps.calls.models import Call
from apps.intake.adapters.twilio_signature import sign
from apps.intake.models import Source
from tests.builders import World, make_world
from tests.factories import SourceFactory
from tests.intake.calling import FORM, Twilio, call, path_of
from tests.intake.twilio_posts import (
    PARENT,
    of_call,
    recording,
    rows,
)

pytestmark = pytest.mark.django_db


class TestAForgedCallback:
    def refused(self, response: Any, before: dict[str, int]) -> None:
        assert response.status_code == 403
        assert response.json()["code"] == "wrong_signature"
        assert rows() == before

    def test_is_refused(self, world: World, source: Source) -> None:
        before = rows()
        body = "CallSid=CA1&CallStatus=ringing"
        self.refused(call(source, body), before)
        self.refused(call(source, body, **{"X-Twilio-Signature": "nonsense"}), before)
        self.refused(Twilio(source, token="of somebody else").post(**recording()), before)

    def test_with_a_signature_of_another_one_is_refused(self, world: World, source: Source) -> None:
        genuine = of_call(world, "ringing", 0)
        url = f"http://127.0.0.1:8000{path_of(source)}"
        signature = sign(url, list(genuine.items()), token=source.auth_token)
        headers = {"X-Twilio-Signature": signature}
        before = rows()
        self.refused(call(source, "CallSid=CA1&CallStatus=completed", **headers), before)
        browser = Client()
        for path in (f"{path_of(source)}?number=1", f"{path_of(SourceFactory())}"):
            before = rows()
            answer = browser.post(path, genuine, content_type=FORM, headers=headers)
            self.refused(answer, before)

    def test_is_noticed_once_a_minute(self, source: Source) -> None:
        call(source, "CallSid=CA1")
        source.refresh_from_db()
        first = source.last_refused_at
        assert first is not None
        call(source, "CallSid=CA1")
        source.refresh_from_db()
        assert source.last_refused_at == first

    def test_of_another_account_reaches_nothing(self, world: World) -> None:
        stranger = make_world("Stranger")
        source = SourceFactory(account=stranger.account)
        answer = Twilio(source).post(**of_call(world, "ringing", 0))
        assert answer.status_code == 422
        assert not Call.objects.exists()

    @pytest.mark.parametrize("change", ["key", "id", "off", "account"])
    def test_finds_no_other_url(self, source: Source, change: str) -> None:
        path = path_of(source)
        if change == "key":
            path += "x"
        elif change == "id":
            path = path.replace("src_", "wh_")
        elif change == "off":
            Source.objects.update(is_active=False)
        else:
            source.account.is_active = False
            source.account.save()
        answer = Client().post(path, "CallSid=CA1", content_type=FORM)
        assert answer.status_code == 404


class TestTheSignature:
    def test_is_of_the_public_url(self, world: World, source: Source, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://hooks.example.com/hookline"
        form = of_call(world, "ringing", 0)
        behind_proxy = Twilio(source, public_url="https://hooks.example.com/hookline")
        assert behind_proxy.post(**form).status_code == 204
        assert Twilio(source, public_url="http://127.0.0.1:8000").post(**form).status_code == 403

    def test_of_json_is_of_its_hash(self, world: World, source: Source) -> None:
        body = orjson.dumps(of_call(world, "ringing", 0))
        path = f"{path_of(source)}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        signature = sign(f"http://127.0.0.1:8000{path}", [], token=source.auth_token)
        headers = {"X-Twilio-Signature": signature}
        kind = "application/json"
        answer = Client().post(path, body + b" ", content_type=kind, headers=headers)
        assert answer.status_code == 403
        assert Client().post(path, body, content_type=kind, headers=headers).status_code == 204
        assert Call.objects.get().external_id == PARENT

    def test_may_be_of_either_token(self, world: World, source: Source) -> None:
        source.second_auth_token = "the-next-one"
        source.save(update_fields=["second_auth_token"])
        form = of_call(world, "ringing", 0)
        assert Twilio(source, token="the-next-one").post(**form).status_code == 204
        assert Twilio(source).post(**form).status_code == 204
