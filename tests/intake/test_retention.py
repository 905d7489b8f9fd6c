"""Callbacks are forgotten as their account says, and keep no call from being so."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.calls.models import Call
from apps.delivery.retention import Purge
from apps.intake.models import Callback, Source
from tests.factories import CallbackFactory, CallFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def days_ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def source() -> Source:
    return SourceFactory()


def kept(source: Source, days: float) -> Callback:
    """A callback of so many days ago, and its call, both kept still."""
    at = days_ago(days)
    made: Callback = CallbackFactory(
        source=source,
        created_at=at,
        call=CallFactory(account=source.account, created_at=at),
        body="From=%2B17776734736",
        event={"from": "+17776734736"},
        detail="“Freddy” is no number.",
    )
    return made


def test_what_they_say_goes_first_and_then_all_of_them(source: Source) -> None:
    young, older, oldest = (kept(source, days) for days in (29, 31, 91))

    Purge().run_for(60.0)

    young.refresh_from_db()
    assert (young.body, young.detail) == ("From=%2B17776734736", "“Freddy” is no number.")
    older.refresh_from_db()
    assert (older.body, older.event, older.detail) == ("", None, "")
    assert not Callback.objects.filter(pk=oldest.pk).exists()
    assert set(Call.objects.all()) == {young.call, older.call}


def test_one_that_is_younger_than_its_call_lets_it_go(source: Source) -> None:
    late = kept(source, 91)
    Callback.objects.update(created_at=days_ago(1))

    Purge().run_for(60.0)

    late.refresh_from_db()
    assert late.call is None
    assert not Call.objects.exists()
