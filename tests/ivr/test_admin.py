"""The screens of IVRs: what may be saved, who sees what, and what the log shows."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from apps.calls.models import Call
from apps.common.access import Role
from apps.ivr.models import Ivr, IvrExchange, IvrHook, IvrParameter
from tests.builders import World, event, lose_key
from tests.common.hostile_urls import BLOCKED_URLS
from tests.conftest import LogIn
from tests.delivery.receiver import Receiver
from tests.delivery.sending import take
from tests.factories import IvrExchangeFactory, IvrParameterFactory, IvrQuestionFactory
from tests.ivr.conftest import Answer, make_hook, post

pytestmark = pytest.mark.django_db

URLS = ("target_url", "fallback_url", "transcription_url")


@pytest.fixture
def browser(world: World, log_in: LogIn) -> Client:
    return log_in(account=world.account, role=Role.MEMBER)


def formset(prefix: str, *rows: dict[str, Any]) -> dict[str, Any]:
    """Return what the browser posts for rows inside a page."""
    posted = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    for index, row in enumerate(rows):
        posted |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return posted


def settings_of(hook: IvrHook, **changes: Any) -> dict[str, Any]:
    """Return what the browser posts on the tab Webhook Settings."""
    parameters = changes.pop("parameters", [])
    form = {
        "is_active": "on",
        "mode": "message",
        "method": "GET",
        "target_url": hook.target_url,
        "budget_s": "5",
        "fallback_url": "",
        "default_app": "message",
        "default_value": "Goodbye.",
        "transcription_url": "",
        "new_authorization": "",
        "reply_form": "json",
        "redirect_url": "",
        **formset("parameters", *parameters),
        **changes,
    }
    return {name: value for name, value in form.items() if value is not None}


def save(browser: Client, hook: IvrHook, **changes: Any) -> Any:
    link = reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])
    return browser.post(link, settings_of(hook, **changes))


def faults(response: Any) -> dict[str, Any]:
    """Return the errors of a form that was not saved."""
    assert response.status_code == 200, response.headers
    errors: dict[str, Any] = response.context["adminform"].form.errors
    return errors


class TestAnIvr:
    def test_is_made_with_questions_and_a_web_hook_that_is_off(
        self, browser: Client, world: World
    ) -> None:
        response = browser.post(
            reverse("admin:ivr_ivr_add"),
            {
                "number": "75",
                "name": "Balance",
                "location": str(world.location.pk),
                **formset(
                    "questions",
                    {"number": "1", "prompt": "Your account number, @firstName?"},
                    {"number": "2", "audio": "@greeting.wav", "is_recorded": "on"},
                ),
            },
        )
        assert response.status_code == 302, faults(response)
        ivr = Ivr.objects.get()
        assert [(each.number, each.is_recorded) for each in ivr.questions.all()] == [
            (1, False),
            (2, True),
        ]
        assert not ivr.hook.is_active
        assert response["Location"] == reverse("admin:ivr_ivr_webhook", args=[ivr.pk])

    def test_has_a_number_of_its_own(self, browser: Client, world: World) -> None:
        make_hook(world, "https://93.184.216.34/")
        response = browser.post(
            reverse("admin:ivr_ivr_add"), {"number": "75", "name": "Again", **formset("questions")}
        )
        assert "Another IVR has this ID." in str(faults(response))

    def test_asks_nothing_without_a_prompt(self, browser: Client) -> None:
        response = browser.post(
            reverse("admin:ivr_ivr_add"),
            {"number": "7", "name": "A", **formset("questions", {"number": "1", "audio": ""})},
        )
        assert "Write a prompt, or name an audio file." in response.content.decode()

    def test_goes_with_its_web_hook_and_its_exchanges(self, world: World, log_in: LogIn) -> None:
        ivr = IvrExchangeFactory(ivr=make_hook(world, "https://93.184.216.34/").ivr).ivr
        link = reverse("admin:ivr_ivr_delete", args=[ivr.pk])
        admin = log_in(account=world.account, role=Role.ADMIN)
        assert "with its questions, its web hook" in admin.get(link).content.decode()
        assert admin.post(link, {"post": "yes"}).status_code == 302
        assert not Ivr.objects.exists()
        assert not IvrExchange.objects.exists()


class TestWebhookSettings:
    def test_are_saved_with_parameters(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        IvrQuestionFactory(ivr=hook.ivr)
        response = save(
            browser,
            hook,
            mode="action",
            method="POST",
            target_url="https://93.184.216.34/b?key=1",
            includes_attribution="on",
            fallback_url="https://93.184.216.34/c",
            parameters=[
                {"name": "account_no", "token": "answer.1"},
                {"name": "caller", "token": "ani_full_name"},
            ],
        )
        assert response.status_code == 302, faults(response)
        assert response["Location"] == reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])
        hook.refresh_from_db()
        assert (hook.mode, hook.method, hook.includes_attribution) == ("action", "POST", True)
        assert hook.target_url == "https://93.184.216.34/b?key=1"
        assert list(hook.parameters.values_list("name", "token")) == [
            ("account_no", "answer.1"),
            ("caller", "ani_full_name"),
        ]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"target_url": ""}, "target_url"),
            ({"budget_s": "0"}, "budget_s"),
            ({"budget_s": "11"}, "budget_s"),
            ({"default_value": ""}, "default_value"),
            ({"default_app": "voicemail"}, "default_value"),
            (
                {"reply_form": "twiml", "default_app": "vr", "default_value": "3"},
                "redirect_url",
            ),
            ({"redirect_url": "javascript:alert(1)"}, "redirect_url"),
            ({"new_authorization": "Bearer ä"}, "new_authorization"),
        ],
    )
    def test_say_what_is_wrong(
        self, changes: dict[str, Any], field: str, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        assert list(faults(save(browser, hook, **changes))) == [field]

    def test_refuse_what_webhooks_may_not_reach(
        self, browser: Client, world: World, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        hook = make_hook(world, "https://93.184.216.34/a")
        for url in (*BLOCKED_URLS, "http://", "ftp://example.com/", "http://u:p@93.184.216.34/"):
            response = save(browser, hook, **dict.fromkeys(URLS, url))
            assert set(faults(response)) == set(URLS), url

    @pytest.mark.parametrize("field", URLS)
    def test_refuse_it_where_the_others_are_good(
        self, field: str, browser: Client, world: World, settings: Settings
    ) -> None:
        settings.EGRESS_ALLOW = []
        hook = make_hook(world, "https://93.184.216.34/a")
        assert list(faults(save(browser, hook, **{field: BLOCKED_URLS[0]}))) == [field]

    @pytest.mark.parametrize("name", ["ivr_id", "ST_rank", "a b", "a&b", ""])
    def test_keep_names_of_parameters_usable(
        self, name: str, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        response = save(browser, hook, parameters=[{"name": name, "token": "ani"}])
        assert response.status_code == 200
        assert not IvrParameter.objects.exists()

    def test_offer_answers_to_questions_that_are_not_recorded(
        self, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        IvrQuestionFactory(ivr=hook.ivr, number=1, prompt="Say your number")
        IvrQuestionFactory(ivr=hook.ivr, number=2, prompt="Leave a word", is_recorded=True)
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id]))
        offered = set(re.findall(r'<option value="([^"]*)"', page.content.decode()))
        assert {"answer.1", "ani", "campaign_name", "gclid", "location_name"} <= offered
        assert not {"answer.2", "dialed_time", "delivery_id", "ivr_question_text"} & offered

    def test_are_a_tab_of_the_ivr(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id]))
        shown = page.content.decode()
        assert reverse("admin:ivr_ivr_exchanges", args=[hook.ivr_id]) in shown

    def test_never_show_the_credential(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a", authorization="Bearer hush")
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id]))
        assert "hush" not in page.content.decode()
        assert "•••••••• saved" in page.content.decode()

    def test_keep_replace_and_forget_the_credential(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a", authorization="Bearer hush")
        for changes, kept in (
            ({"target_url": "https://93.184.216.34/other"}, "Bearer hush"),
            ({"new_authorization": "Bearer new"}, "Bearer new"),
            ({"forgets_authorization": "on"}, ""),
        ):
            assert save(browser, hook, **changes).status_code == 302
            hook.refresh_from_db()
            assert hook.authorization == kept

    def test_forget_a_credential_whose_key_is_gone(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a", authorization="Bearer hush")
        lose_key(hook, "authorization")
        assert save(browser, hook, budget_s="4").status_code == 302
        assert IvrHook.objects.get().budget_s == 4
        save(browser, hook, forgets_authorization="on")
        assert IvrHook.objects.get().authorization == ""

    @pytest.mark.parametrize("url", ["https://93.184.216.35/a", "http://93.184.216.34/a"])
    def test_send_a_saved_credential_nowhere_else(
        self, url: str, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "https://93.184.216.34/a", authorization="Bearer hush")
        assert list(faults(save(browser, hook, target_url=url))) == ["new_authorization"]

    def test_send_a_saved_credential_by_tls_from_now_on(
        self, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "http://93.184.216.34/a", authorization="Bearer hush")
        assert save(browser, hook, target_url="https://93.184.216.34/a").status_code == 302

    def test_offer_to_forget_only_a_credential_that_there_is(
        self, browser: Client, world: World
    ) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        link = reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])
        assert "forgets_authorization" not in browser.get(link).content.decode()
        save(browser, hook, new_authorization="Bearer hush")
        assert "forgets_authorization" in browser.get(link).content.decode()

    def test_lead_back_to_the_list_of_ivrs(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/a")
        page = browser.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id])).content.decode()
        assert reverse("admin:ivr_ivr_changelist") in page
        assert reverse("admin:ivr_ivrhook_changelist") not in page

    def test_are_read_only_for_viewers(self, world: World, log_in: LogIn) -> None:
        viewer = log_in(account=world.account, role=Role.VIEWER)
        hook = make_hook(world, "https://93.184.216.34/a", authorization="Bearer hush")
        IvrParameterFactory(hook=hook, name="account_no", token="answer.1")
        page = viewer.get(reverse("admin:ivr_ivr_webhook", args=[hook.ivr_id]))
        assert page.status_code == 200
        assert "hush" not in page.content.decode()
        assert "Answer to question 1" in page.content.decode()
        assert save(viewer, hook, target_url="https://93.184.216.34/b").status_code == 403


class TestTheLog:
    def test_shows_an_exchange(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        body = "<action><app>hangup</app><p_t>x</p_t></action>"
        make_hook(
            world,
            answer(body, "text/xml"),
            mode="action",
            fallback_url=receiver.url("/error"),
            authorization="Bearer hush",
        )
        post(world)
        exchange = IvrExchange.objects.get()
        listed = browser.get(reverse("admin:ivr_ivrexchange_changelist")).content.decode()
        assert "Default action" in listed
        page = browser.get(reverse("admin:ivr_ivrexchange_change", args=[exchange.pk]))
        shown = page.content.decode()
        for text in (
            "&lt;action&gt; has an unknown element &lt;p_t&gt;",
            "The receiver answered 500.",
            "Target URL, try 1",
            "Fallback URL, try 2",
            "Answer not used",
            "ivr_session_id=call-77",
        ):
            assert text in shown, text
        assert "hush" not in shown

    def test_shows_how_long_each_endpoint_takes(
        self, browser: Client, world: World, receiver: Receiver, answer: Answer
    ) -> None:
        hook = make_hook(world, receiver.url("/error"), fallback_url=answer("Hello"))
        for number in range(3):
            post(world, response_id=f"r-{number}")
        IvrExchange.objects.update(target_ms=40.0, fallback_ms=7.0, total_ms=50.0)
        page = browser.get(reverse("admin:ivr_ivr_exchanges", args=[hook.ivr_id]))
        target, fallback = page.context["endpoints"]
        assert (target.asked, target.decided, target.p95_ms) == (3, 0, 40.0)
        assert (fallback.asked, fallback.decided, fallback.p95_ms) == (3, 3, 7.0)
        assert fallback.overhead_p95_ms == 3.0
        assert "40 ms" in page.content.decode()

    def test_is_empty_at_first(self, browser: Client, world: World) -> None:
        hook = make_hook(world, "https://93.184.216.34/")
        page = browser.get(reverse("admin:ivr_ivr_exchanges", args=[hook.ivr_id]))
        assert f"/api/v1/ivr/{hook.ivr.number}/results" in page.content.decode()

    def test_shows_on_the_page_of_the_call(
        self, browser: Client, world: World, answer: Answer
    ) -> None:
        make_hook(world, answer("<b>Hello</b> you"))
        take(world, event(world, call_id="call-77"))
        post(world)
        page = browser.get(reverse("admin:calls_call_change", args=[Call.objects.get().pk]))
        assert escape("Target URL: “Hello you”") in page.content.decode()
