"""What stands in place of the fields of a form for those who only look."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin

from apps.faces.forms import NOTIFICATIONS
from apps.faces.post_call import Chosen
from apps.webhooks.gallery.parameters import POST_CALL


def answered(name: str, label: str, say: Callable[[Any], Any] = str) -> Any:
    """Return a method that says what a field of the form is filled with.

    `say` makes words of the value, `bool` a sign. The admin that has the method returns the values
    of all fields by `answers`.
    """

    @admin.display(description=label, boolean=say is bool)
    def answer(of: Any, webhook: Any) -> Any:
        return say(of.answers(webhook).get(name, ""))

    return answer


def in_words(chosen: Sequence[Chosen]) -> str:
    """Return each dynamic parameter under its name, in their order."""
    return ", ".join(f"{each.name} = {POST_CALL[each.key].label}" for each in chosen)


def told_of(timings: Sequence[str]) -> str:
    """Return the notifications that are sent."""
    return "; ".join(label for timing, label in NOTIFICATIONS if timing in timings)
