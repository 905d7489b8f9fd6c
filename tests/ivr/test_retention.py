"""Exchanges are forgotten as their account says: bodies first, then all of it."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.calls.erasing import erase_personal_data
from apps.calls.models import Call
from apps.delivery.retention import Purge
from apps.ivr.models import DecidedBy, IvrExchange
from tests.builders import World, event
from tests.common.processes import wait_until
from tests.delivery.receiver import Receiver
from tests.delivery.sending import take
from tests.ivr.conftest import Answer, make_hook, post, post_and_close

pytestmark = pytest.mark.django_db

PERSONAL = "<action><app>transfer</app><parameters><destination>5550123456</destination>"


def exchange(world: World, response_id: str, days: float) -> IvrExchange:
    """Make an exchange of so many days ago."""
    post(world, response_id=response_id, call_id=response_id)
    made = IvrExchange.objects.get(response_id=response_id)
    made.created_at = timezone.now() - dt.timedelta(days=days)
    made.save(update_fields=["created_at"])
    return made


def test_exchanges_are_forgotten_in_two_steps(world: World, answer: Answer) -> None:
    url = answer(f"{PERSONAL}</parameters></action>", "text/xml")
    make_hook(world, f"{url}?key=1", mode="action", authorization="Bearer hush")
    young, older, oldest = (exchange(world, f"r-{days}", days) for days in (29, 31, 91))
    Purge().run_for(60.0)

    young.refresh_from_db()
    assert young.bodies_removed_at is None
    assert "5550123456" in str(young.reply)
    older.refresh_from_db()
    assert older.bodies_removed_at is not None
    assert older.reply["action"]["app"] == "transfer"
    kept = f"{older.tries} {older.reply}"
    for personal in ("5550123456", "7776734736", "4839229", "key=1"):
        assert personal not in kept
    assert older.tries[0]["response_status"] == 200
    assert not IvrExchange.objects.filter(pk=oldest.pk).exists()


def test_an_exchange_without_bodies_is_still_shown(world: World, answer: Answer) -> None:
    make_hook(world, answer("Hello"))
    old = exchange(world, "r-1", 31)
    Purge().run_for(60.0)
    browser = Client()
    browser.force_login(world.owner)
    for link in (
        reverse("admin:ivr_ivrexchange_change", args=[old.pk]),
        reverse("admin:ivr_ivr_exchanges", args=[old.ivr_id]),
    ):
        assert browser.get(link).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "application/xml", "application/twiml+xml"])
def test_what_is_forgotten_is_asked_again(accept: str, world: World, answer: Answer) -> None:
    make_hook(world, answer(f"{PERSONAL}</parameters></action>", "text/xml"), mode="action")
    exchange(world, "r-1", 31)
    Purge().run_for(60.0)
    again = post(world, response_id="r-1", call_id="r-1", accept=accept)
    assert (again.status_code, b"5550123456" in again.content) == (200, True)


def test_nothing_is_kept_of_what_an_erased_call_says(world: World, answer: Answer) -> None:
    make_hook(world, answer(f"{PERSONAL}</parameters></action>", "text/xml"), mode="action")
    take(world, event(world, call_id="call-77"))
    erase_personal_data(call=Call.objects.get())
    assert b"5550123456" in post(world, answers={"1": "4711"}).content
    kept = IvrExchange.objects.get()
    assert kept.bodies_removed_at is not None
    for personal in ("5550123456", "7776734736", "4711"):
        assert personal not in f"{kept.tries} {kept.reply}"


def test_nothing_is_kept_of_what_was_wrong_with_the_answer(world: World, answer: Answer) -> None:
    wrong = PERSONAL.replace("555", "call 555")
    make_hook(world, answer(f"{wrong}</parameters></action>", "text/xml"), mode="action")
    take(world, event(world, call_id="call-77"))
    erase_personal_data(call=Call.objects.get())
    assert b"call 5550123456" in post(world).content
    kept = IvrExchange.objects.get()
    assert kept.decided_by == DecidedBy.DEFAULT
    assert "5550123456" not in f"{kept.reason} {kept.tries} {kept.reply}"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_of_a_call_that_is_erased_while_the_receiver_is_waited_for(
    world: World, receiver: Receiver
) -> None:
    make_hook(world, receiver.url("/gated"))
    take(world, event(world, call_id="call-77"))
    with ThreadPoolExecutor(1) as caller:
        asked = caller.submit(post_and_close, world, answers={"1": "4711"})
        wait_until(lambda: receiver.requests, timeout_s=30)
        erase_personal_data(call=Call.objects.get())
        receiver.gate.set()
        assert asked.result(30)["message"] == "ok"
    kept = IvrExchange.objects.get()
    assert kept.bodies_removed_at is not None
    assert kept.decided_by == DecidedBy.TARGET
    for personal in ("7776734736", "4711"):
        assert personal not in f"{kept.tries} {kept.reply}"
