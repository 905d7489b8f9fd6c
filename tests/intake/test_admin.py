"""Setting a platform up: from the list to the first callback, on the pages of a source."""

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.calls.models import Call
from apps.common.access import Role
from apps.intake.models import Callback, Source
from tests.builders import World, lose_key
from tests.conftest import LogIn
from tests.factories import CallbackFactory, SourceFactory
from tests.intake.calling import Twilio, call, path_of
from tests.intake.test_generic import SAMPLE

pytestmark = pytest.mark.django_db


def address(page: str, *args: object) -> str:
    return reverse(f"admin:intake_source_{page}", args=args)


def text_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account)


def add(browser: Client, **fields: str) -> Source:
    answer = browser.post(address("add"), {"is_active": "on", **fields}, follow=True)
    assert answer.status_code == 200
    source: Source = Source.objects.get(name=fields["name"])
    return source


class TestTwilio:
    def test_is_set_up_and_calls(self, browser: Client, world: World) -> None:
        source = add(browser, name="Our Twilio", kind="twilio")
        form = {"name": "Our Twilio", "is_active": "on", "token": "token-of-twilio"}
        shown = text_of(browser.post(address("change", source.pk), form, follow=True))
        assert f"http://127.0.0.1:8000{path_of(source)}" in shown

        source.refresh_from_db()
        answer = Twilio(source, token="token-of-twilio").post(
            CallSid="CA1",
            CallStatus="completed",
            Direction="inbound",
            To=world.number.number,
            From="+17776734736",
        )
        assert answer.status_code == 204
        listed = text_of(browser.get(address("callbacks", source.pk)))
        assert "Call completed" in listed
        assert "Taken" in listed
        assert '<span class="hl-muted hl-id">CA1</span>' in listed
        assert str(Call.objects.get().pk) in listed

    def test_whose_key_is_gone_is_set_up_anew(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        link = path_of(source)
        for name in ("url_key", "auth_token", "second_auth_token"):
            lose_key(source, name)
        called = Client(raise_request_exception=False).post(link)
        assert (called.status_code, called.json()["code"]) == (503, "unavailable")
        assert "can not be read any more" in text_of(browser.get(address("setup", source.pk)))
        asked = text_of(browser.post(address("retire", source.pk), follow=True))
        assert "Enter the second Auth Token first." in asked

        form = {"name": "Renamed", "is_active": "on", "token": "new", "second_token": "next"}
        browser.post(address("change", source.pk), form)
        browser.post(address("renew", source.pk))

        source = Source.objects.get()
        assert (source.name, source.auth_token) == ("Renamed", "new")
        assert path_of(source) in text_of(browser.get(address("setup", source.pk)))

    def test_shows_no_token_again_and_keeps_it(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, auth_token="very-secret-token")
        for page in ("change", "setup", "callbacks", "history"):
            assert "very-secret-token" not in text_of(browser.get(address(page, source.pk)))
        form = {"name": "Renamed", "is_active": "on", "token": ""}
        browser.post(address("change", source.pk), form)
        source.refresh_from_db()
        assert (source.name, source.auth_token) == ("Renamed", "very-secret-token")

    def test_has_no_fields_to_map(self, browser: Client, world: World) -> None:
        twilio = SourceFactory(account=world.account)
        other = SourceFactory(account=world.account, kind="generic", sample=SAMPLE)
        for source, has_fields in ((twilio, False), (other, True)):
            for page in ("change", "setup", "callbacks"):
                shown = text_of(browser.get(address(page, source.pk)))
                assert (address("fields", source.pk) in shown) is has_fields, page

    def test_replaces_its_token_without_a_gap(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, auth_token="first")
        form = {"name": source.name, "is_active": "on", "second_token": "second"}
        browser.post(address("change", source.pk), form)
        assert "Retire the first token" in text_of(browser.get(address("change", source.pk)))
        browser.post(address("retire", source.pk))
        source.refresh_from_db()
        assert (source.auth_token, source.second_auth_token) == ("second", "")
        browser.post(address("retire", source.pk))
        source.refresh_from_db()
        assert source.auth_token == "second"

    def test_gets_another_url(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        old = path_of(source)
        assert browser.get(address("renew", source.pk)).status_code == 200
        browser.post(address("renew", source.pk))
        source.refresh_from_db()
        assert path_of(source) != old
        assert Client().post(old).status_code == 404


class TestAnyOtherPlatform:
    def test_is_set_up_from_a_sample_and_calls(self, browser: Client, world: World) -> None:
        source = add(browser, name="Our PBX", kind="generic")
        sample = SAMPLE.replace("1-777-483-9229", world.number.number)
        form = {"name": "Our PBX", "is_active": "on", "format": "json", "sample": sample}
        page = browser.post(address("change", source.pk), form, follow=True)
        assert "It would be taken." in text_of(page)
        assert not Call.objects.exists()

        fields = {name: field.initial or "" for name, field in page.context["form"].fields.items()}
        fields |= {"place-target": "=", "fixed-target": "+15550009999"}
        fields |= {"word-type-call.started": "new, ring up", "word-type-call.ended": "hangup"}
        page = browser.post(address("fields", source.pk), fields, follow=True)
        assert "+15550009999" in text_of(page)

        source.refresh_from_db()
        body = sample.replace("hangup", "Ring up")
        assert call(source, body, content_type="application/json").status_code == 202
        told = Call.objects.get()
        assert (told.snapshot["target"], told.is_begun) == ("+15550009999", True)

    def test_logs_the_calls_that_were_and_no_trial_of_its_sample(
        self,
        browser: Client,
        world: World,
        caplog: pytest.LogCaptureFixture,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        caplog.set_level(logging.INFO)
        source = add(browser, name="Our PBX", kind="generic")
        sample = SAMPLE.replace("1-777-483-9229", world.number.number)
        form = {"name": "Our PBX", "is_active": "on", "format": "json", "sample": sample}
        with django_capture_on_commit_callbacks(execute=True):
            page = browser.post(address("change", source.pk), form, follow=True)
        assert "It would be taken." in text_of(page)
        assert "planned" not in caplog.text

        source.refresh_from_db()
        with django_capture_on_commit_callbacks(execute=True):
            assert call(source, sample, content_type="application/json").status_code == 202
        assert "call.ended" in caplog.text

    def test_says_what_its_sample_lacks(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, kind="generic", sample='{"a": 1}')
        assert "which call it is about" in text_of(browser.get(address("fields", source.pk)))
        source.sample = ""
        source.save()
        assert "No sample yet" in text_of(browser.get(address("fields", source.pk)))
        assert browser.post(address("fields", source.pk), {}).status_code == 302

    def test_refuses_a_sample_that_can_not_be_read(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, kind="generic")
        form = {"name": "x", "format": "json", "sample": '{"a": '}
        page = browser.post(address("change", source.pk), form)
        assert "Line 1, column" in text_of(page)

    def test_keeps_what_was_mapped_with_a_new_sample(self, browser: Client, world: World) -> None:
        source = SourceFactory(
            account=world.account,
            kind="generic",
            sample='{"a": 1}',
            mapping=[
                {"path": "call_id", "kind": "token", "token": "custom.$.a"},
                {"path": "from", "kind": "token", "token": "custom.$.gone"},
            ],
        )
        form = {"name": source.name, "format": "json", "sample": '{"a": 1, "uuid": 2}'}
        browser.post(address("change", source.pk), form)
        source.refresh_from_db()
        assert source.mapping == [{"path": "call_id", "kind": "token", "token": "custom.$.a"}]

    def test_fills_nothing_that_was_emptied_with_a_new_sample(
        self, browser: Client, world: World
    ) -> None:
        source = add(browser, name="Our PBX", kind="generic")
        form = {"name": "Our PBX", "is_active": "on", "format": "json", "sample": SAMPLE}
        page = browser.post(address("change", source.pk), form, follow=True)
        fields = {name: field.initial or "" for name, field in page.context["form"].fields.items()}
        assert fields["place-direction"] == "$.call.direction"
        assert fields["place-caller.zip"] == ""
        page = browser.post(
            address("fields", source.pk), {**fields, "place-direction": ""}, follow=True
        )
        assert page.context["form"]["place-direction"].value() == ""

        for more in ('"zip": "90210"', '"zip": "90210", "lang": "en"'):
            form["sample"] = SAMPLE.replace('"queue"', f'{more}, "queue"')
            page = browser.post(address("change", source.pk), form, follow=True)
            assert page.context["form"]["place-direction"].value() == ""
            assert page.context["form"]["place-caller.zip"].value() == "$.call.zip"
            fields = {name: page.context["form"][name].value() or "" for name in fields}
            browser.post(address("fields", source.pk), fields)

        browser.post(
            address("fields", source.pk), {**fields, "place-direction": "$.call.direction"}
        )
        event = browser.get(address("fields", source.pk)).context["event"]
        assert '"direction": "inbound"' in event

    def test_needs_a_secret_for_a_signature(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, kind="generic")
        form = {"name": "x", "format": "json", "signature_header": "X-Sig"}
        page = browser.post(address("change", source.pk), form)
        assert "Enter the signing secret" in text_of(page)
        browser.post(address("change", source.pk), {**form, "signing_secret": "s"})
        source.refresh_from_db()
        assert (source.signature_header, source.signature_secret) == ("X-Sig", "s")

    def test_shows_fields_again_that_can_not_be_saved(self, browser: Client, world: World) -> None:
        source = SourceFactory(
            account=world.account,
            kind="generic",
            sample='{"a": 1}',
            mapping=[{"path": "call_id", "kind": "token", "token": "custom.$.a"}],
        )
        typed = {
            "place-call_id": "=",
            "fixed-call_id": "typed before",
            "place-caller.zip": "=",
            "fixed-caller.zip": "9" * 201,
            "place-target": "=",
            "word-type-call.ended": "bye, over",
            "word-status-busy": "bye" * 200,
        }

        page = browser.post(address("fields", source.pk), typed)

        assert page.status_code == 200
        form = page.context["form"]
        assert {name: form[name].value() for name in typed} == typed
        assert form.errors.keys() == {"fixed-caller.zip", "fixed-target", "word-status-busy"}
        shown = text_of(page)
        assert "Nothing was saved." in shown
        for name in form.errors:
            assert f'id="id_{name}_error"' in shown
        source.refresh_from_db()
        assert [each["token"] for each in source.mapping] == ["custom.$.a"]

    def test_lets_a_value_mean_one_thing(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, kind="generic", sample='{"a": 1}')
        typed = {
            "place-type": "$.a",
            "word-type-call.answered": "up, up",
            "word-type-call.ended": "down, Up",
            # Of another field it may mean something else.
            "word-status-answered": "up",
        }
        form = browser.post(address("fields", source.pk), typed).context["form"]
        assert form.errors == {"word-type-call.ended": ["“up” means “Answered” already."]}

    def test_takes_no_place_that_is_not_in_the_sample(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account, kind="generic", sample='{"a": 1}')
        page = browser.post(address("fields", source.pk), {"place-from": "$.b"}, follow=True)
        assert "not one of the available choices" in text_of(page)


class TestRoles:
    def test_says_nothing_of_credentials_to_those_who_only_look(
        self, world: World, log_in: LogIn
    ) -> None:
        viewer = log_in(account=world.account, role=Role.VIEWER)
        for kind in ("twilio", "generic"):
            source = SourceFactory(account=world.account, kind=kind)
            page = text_of(viewer.get(address("change", source.pk)))
            assert source.name in page
            assert "Second token" not in page
            assert "Signing secret" not in page

    def test_only_admins_see_the_url(self, world: World, log_in: LogIn) -> None:
        source = SourceFactory(account=world.account, kind="generic", sample=SAMPLE)
        member = log_in(account=world.account, role=Role.MEMBER)
        for page in ("change", "fields", "callbacks", "changelist"):
            args = [] if page == "changelist" else [source.pk]
            shown = member.get(address(page, *args))
            assert shown.status_code == 200
            assert source.url_key not in text_of(shown)
        for page in ("setup", "renew", "retire"):
            assert member.get(address(page, source.pk)).status_code == 403
        assert member.post(address("fields", source.pk), {}).status_code == 403
        assert member.get(address("add")).status_code == 403


class TestCallbacks:
    def test_tell_of_those_that_were_refused(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        assert "A callback was refused" not in text_of(browser.get(address("callbacks", source.pk)))
        assert Twilio(source, token="of somebody else").post(CallSid="CA1").status_code == 403
        assert "A callback was refused" in text_of(browser.get(address("callbacks", source.pk)))

    def test_say_that_only_the_newest_are_shown(self, browser: Client, world: World) -> None:
        source = SourceFactory(account=world.account)
        CallbackFactory.create_batch(50, source=source)
        assert "Only the newest 50" not in text_of(browser.get(address("callbacks", source.pk)))
        CallbackFactory(source=source)
        shown = text_of(browser.get(address("callbacks", source.pk)))
        assert "Only the newest 50" in shown
        assert shown.count("<details class") == 50


class TestQueries:
    def test_do_not_grow_with_the_callbacks(
        self, browser: Client, world: World, django_assert_max_num_queries: Any
    ) -> None:
        source = SourceFactory(account=world.account)
        CallbackFactory.create_batch(30, source=source)
        with django_assert_max_num_queries(12):
            browser.get(address("callbacks", source.pk))
        assert Callback.objects.count() == 30
