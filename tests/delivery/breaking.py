"""Faults of our own in the middle of sending."""

from typing import Any

import pytest

from apps.delivery.models import Attempt, Delivery
from tests.delivery.agreement import assert_log_agrees
from tests.delivery.receiver import Receiver
from tests.delivery.sending import drain, fall_due, states


def break_down_once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    """Let a function of a module or class raise RuntimeError when it is first called."""
    function = getattr(owner, name)
    broken = iter([True])

    def break_down(*arguments: Any, **more: Any) -> Any:
        if next(broken, False):
            raise RuntimeError("a fault of ours")
        return function(*arguments, **more)

    monkeypatch.setattr(owner, name, break_down)


def assert_one_is_sent_later(receiver: Receiver) -> None:
    """Of four that are due, the try that breaks down counts as lost and is made again."""
    drain()

    assert sorted(states()) == ["pending", *["succeeded"] * 3]
    fall_due(*Delivery.objects.all())
    drain()
    assert set(states()) == {"succeeded"}
    assert Attempt.objects.filter(error_kind="lost").count() == 1
    assert_log_agrees(receiver)
