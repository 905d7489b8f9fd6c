"""A state has one colour, in lists and on pages."""

import re
from collections.abc import Iterator

import pytest
from django.db.models import Model
from django.urls import reverse

from apps.calls.events import CallStatus
from apps.campaigns.models import Import
from apps.common.access import Role
from apps.delivery.models import DeliveryState, Replay
from apps.ivr.models import DecidedBy
from tests.conftest import LogIn
from tests.factories import (
    CallFactory,
    DeliveryFactory,
    ImportFactory,
    IvrExchangeFactory,
    ReplayFactory,
)

# The theme's colours of labels, and what our pages call them.
TONES = {"green": "good", "blue": "info", "orange": "wait", "red": "bad", "base": "muted"}
IN_LIST = re.compile(r'uppercase whitespace-nowrap[^"]* text-([a-z]+)-700[^>]*>\s*(.*?)\s*</span>')
ON_PAGE = re.compile(r'class="hl-tag hl-tag-(\w+)">([^<]*)</span>')
IN_TIMELINE = re.compile(r'<br><span class="hl-(\w+)">(\w+)')


def in_every_state() -> Iterator[Model]:
    """Make a row of each kind in each state that it may have."""
    for state in DeliveryState:
        yield DeliveryFactory(state=state)
    for state in Replay.State:
        yield ReplayFactory(state=state)
    for state in Import.State:
        yield ImportFactory(state=state)
    for status in ("", *CallStatus):
        yield CallFactory(status=status)
    for step in DecidedBy:
        yield IvrExchangeFactory(decided_by=step)


@pytest.mark.django_db
def test_a_page_has_the_colour_of_the_list(log_in: LogIn) -> None:
    for row in in_every_state():
        browser = log_in(row.account, role=Role.MEMBER)  # type: ignore[attr-defined]
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        listed = browser.get(reverse(f"{name}_changelist")).content.decode()
        page = browser.get(reverse(f"{name}_change", args=[row.pk])).content.decode()
        colour, text = IN_LIST.findall(listed)[0]
        assert (TONES[colour], text) in ON_PAGE.findall(page), text


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(DeliveryState))
def test_a_call_has_the_colour_of_the_list(log_in: LogIn, state: DeliveryState) -> None:
    delivery = DeliveryFactory(state=state)
    browser = log_in(delivery.account)
    listed = browser.get(reverse("admin:delivery_delivery_changelist")).content.decode()
    page = browser.get(reverse("admin:calls_call_change", args=[delivery.call.pk])).content.decode()
    colour, text = IN_LIST.findall(listed)[0]
    assert (TONES[colour], text) in IN_TIMELINE.findall(page)
    assert f"hl-dot hl-dot-{TONES[colour]}" in page
