"""The tabs of a source: how to set the platform up, what fills an event, what came in."""

from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from apps.common.access import Access, Role
from apps.common.admin import Panel
from apps.common.fields import readable
from apps.intake.adapters import UnreadableCallback
from apps.intake.callbacks import try_event, why_not_again
from apps.intake.forms import MappingForm
from apps.intake.models import Source
from apps.intake.requests import read_sample_callback
from apps.webhooks.mapping import from_plain
from apps.webhooks.services import read_sample

_SHOWN = 50
_TONES = {"taken": "good", "repeated": "good", "held": "wait", "ignored": "", "rejected": "bad"}


def callback_url(source: Source) -> str:
    """Return the address that a source's platform is to call; raise UnreadableSecret."""
    path = reverse("callback", args=[source.public_id, source.url_key])
    return f"{settings.PUBLIC_URL}{path}"


class SetUpPanel(Panel):
    """What to enter at the platform. The URL is a credential."""

    slug = "setup"
    title = "Set up"
    template_name = "admin/intake/source/setup.html"
    view_role = Role.ADMIN

    def context(self, row: Source, access: Access) -> dict[str, Any]:
        """Return the URL, in the spellings that it is entered in; none where its key is gone."""
        if readable(row, "url_key") is None:
            return {"is_lost": True}
        url = callback_url(row)
        return {
            "url": url,
            "url_with_number": f"{url}?number={{{{To}}}}",
            "is_reachable": settings.PUBLIC_URL.startswith("https://"),
        }


class FieldsPanel(Panel):
    """What of a callback fills which field of an event, and what its sample would become."""

    slug = "fields"
    title = "Fields"
    template_name = "admin/intake/source/fields.html"

    def context(self, row: Source, access: Access) -> dict[str, Any]:
        """Return the rows, and the event that the sample is."""
        try:
            sample = read_sample(sample=row.sample, template_format=row.format)
        except ValidationError:
            return {"form": None}
        form = MappingForm(sample, from_plain(row.mapping))
        may_change = access.has_role(Role.ADMIN, row.account_id)
        if not may_change:
            for field in form.fields.values():
                field.disabled = True
                field.widget.attrs.pop("placeholder", None)
        return {"form": form, "may_change": may_change, **_tried(row)}


class CallbacksPanel(Panel):
    """The newest callbacks, and what became of each."""

    slug = "callbacks"
    title = "Callbacks"
    template_name = "admin/intake/source/callbacks.html"

    def context(self, row: Source, access: Access) -> dict[str, Any]:
        """Return the callbacks."""
        newest = row.callbacks.select_related("call__location").order_by("-created_at")
        callbacks = list(newest[: _SHOWN + 1])
        return {
            "callbacks": [
                {
                    "row": each,
                    "tone": _TONES[each.outcome],
                    "event": _pretty(each.event),
                    "why_not_again": why_not_again(each),
                }
                for each in callbacks[:_SHOWN]
            ],
            "shown": _SHOWN,
            "has_more": len(callbacks) > _SHOWN,
            "may_take_again": access.has_role(Role.ADMIN, row.account_id),
        }


def _tried(source: Source) -> dict[str, Any]:
    """Return the event of the source's sample, and whether it would be taken."""
    try:
        reading = read_sample_callback(source, now=timezone.now())
    except UnreadableCallback as error:
        return {"fault": str(error)}
    if reading.event is None:
        return {"fault": reading.ignored}
    event = {**reading.event}
    receipt = try_event(source=source, event=event)
    fault = receipt.rejected[0] if receipt.rejected else None
    return {
        "event": _pretty(event),
        "fault": f"{fault.message} ({fault.pointer or 'the whole event'})" if fault else "",
    }


def _pretty(event: Any) -> str:
    return orjson.dumps(event, option=orjson.OPT_INDENT_2).decode() if event else ""
