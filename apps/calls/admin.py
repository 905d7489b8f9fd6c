"""The admin of calls: they are looked at only."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from apps.calls.erasing import CallUnderWay, erase_personal_data
from apps.calls.models import Call, CallEvent
from apps.calls.timeline import Moment, events_of
from apps.common.access import Role
from apps.common.admin import LogAdmin, access_of, confirmed, labelled, page_context, tone_of


@admin.register(Call)
class CallAdmin(LogAdmin):
    """Calls, newest first."""

    empty_text = "They appear as soon as your phone platform posts its events."
    list_display = [
        "caller_shown",
        "tracking_number",
        "location",
        "shown_status",
        "started_at",
        "duration",
    ]
    list_filter = ["status", "location", "created_at"]
    list_select_related = ["location"]
    search_fields = ["caller", "caller_name", "tracking_number", "external_id"]
    search_help_text = "Caller, number, or the platform's call id"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("caller", "caller_name"),
                    ("tracking_number", "location"),
                    ("shown_status", "direction"),
                    ("started_at", "ended_at"),
                    ("duration", "talk"),
                    ("external_id", "public_id"),
                    "erased_at",
                ]
            },
        )
    ]
    readonly_fields = ["shown_status", "duration", "talk", "public_id"]
    change_form_template = "admin/calls/call/change_form.html"
    # Rooms above add what they know of a call.
    timeline: ClassVar[Sequence[Callable[[Call], Iterable[Moment]]]] = (events_of,)

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the place along, and no documents."""
        return self.without_documents(super().openable(request).select_related("location"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page that erases."""
        erase = path(
            "<path:object_id>/erase/",
            self.admin_site.admin_view(self.erase_view),
            name="calls_call_erase",
        )
        return [erase, *super().get_urls()]

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Erase what is known of the person behind the call, after asking."""
        call: Call = self.row_to_act_on(request, object_id, Role.ADMIN)
        back = reverse("admin:calls_call_change", args=[call.pk])

        def erase() -> HttpResponse:
            try:
                erase_personal_data(call=call)
            except CallUnderWay as error:
                messages.error(request, str(error))
            else:
                messages.success(request, "The personal data of this call is erased.")
            return redirect(back)

        return confirmed(
            request,
            title="Erase the personal data of this call?",
            question="Who called, what was said, and what was sent and answered is forgotten for"
            " good. Times, places and whether deliveries arrived stay. What is not sent yet is not"
            " sent any more.",
            button="Erase for good",
            back=back,
            act=erase,
            context=page_context(self, request, original=call),
            is_dangerous=True,
        )

    def beside_form(self, request: HttpRequest, row: Call) -> dict[str, Any]:
        """Show all that happened to the call."""
        moments = [moment for source in self.timeline for moment in source(row)]
        moments.sort(key=lambda moment: (moment.at, moment.rank))
        may_erase = access_of(request).has_role(Role.ADMIN, row.account_id)
        return {
            "moments": moments,
            "tone": tone_of(self.shown_status, self.shown_status(row)),
            "may_erase": may_erase,
            "shown_status": self.shown_status(row),
            "duration": self.duration(row),
            "talk": self.talk(row),
        }

    @admin.display(description="caller", ordering="caller")
    def caller_shown(self, call: Call) -> str:
        """Return who called."""
        return f"{call.caller or 'unknown'} {call.caller_name}".strip()

    @labelled(
        "status",
        ordering="status",
        labels={
            "Answered": "success",
            "No answer": "danger",
            "Busy": "warning",
            "Failed": "danger",
            "Voicemail": "info",
            "Menu only": "info",
        },
    )
    def shown_status(self, call: Call) -> str:
        """Return how it went."""
        return call.get_status_display() if call.status else "Under way"

    @admin.display(description="duration", ordering="duration_s")
    def duration(self, call: Call) -> str | None:
        """Return minutes and seconds."""
        return minutes(call.duration_s)

    @admin.display(description="talk time", ordering="talk_s")
    def talk(self, call: Call) -> str | None:
        """Return minutes and seconds."""
        return minutes(call.talk_s)

    @admin.display(description="Hookline id")
    def public_id(self, call: Call) -> str:
        """Return the id that deliveries and the API use."""
        return call.public_id


@admin.register(CallEvent)
class CallEventAdmin(LogAdmin):
    """Events; reached from their call."""

    list_display = ["type", "call", "occurred_at"]
    list_filter = ["type"]
    list_select_related = ["call__location"]
    search_fields = ["external_id"]
    fieldsets = [
        (None, {"fields": ["call", "type", "occurred_at", "external_id", "facts", "snapshot"]}),
    ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Nothing to start from."""
        return False


def minutes(seconds: int | None) -> str | None:
    """Return a duration as 1:05."""
    return None if seconds is None else f"{seconds // 60}:{seconds % 60:02}"
