"""Exchanges are forgotten as their account says: bodies first, then all of it."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.delivery.retention import Purge
from apps.ivr.models import IvrExchange
from tests.builders import World
from tests.ivr.conftest import Answer, make_hook, post

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
