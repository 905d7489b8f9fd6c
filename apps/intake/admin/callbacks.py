"""Callbacks beside the page of their source."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.common.access import Role
from apps.common.admin import confirmed, page_context
from apps.common.admin.dependent import DependentAdmin
from apps.intake.callbacks import NotTakenAgain, take_again
from apps.intake.models import Callback

_LEVELS = {
    Callback.Outcome.REJECTED: messages.ERROR,
    Callback.Outcome.IGNORED: messages.WARNING,
}


@admin.register(Callback)
class CallbackAdmin(DependentAdmin):
    """Callbacks are shown on the page of their source."""

    list_display = ["about", "source", "outcome", "created_at"]
    list_select_related = ["source"]
    fieldsets = [(None, {"fields": ["source", "about", "outcome", "detail", "created_at"]})]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that takes one again."""
        again = path(
            "<path:object_id>/again/",
            self.admin_site.admin_view(self.again_view),
            name="intake_callback_again",
        )
        return [again, *super().get_urls()]

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a rejected or ignored callback again, after asking."""
        callback: Callback = self.row_to_act_on(request, object_id, Role.ADMIN)
        there = reverse("admin:intake_source_callbacks", args=[callback.source_id])

        def take() -> HttpResponse:
            try:
                taken = take_again(callback=callback)
            except NotTakenAgain as error:
                messages.error(request, f"It was not taken again. {error}")
                return redirect(there)
            outcome = taken.get_outcome_display()
            note = f"Took callback {taken.public_id} again: {outcome}."
            self.log_change(request, taken.source, note)
            level = _LEVELS.get(Callback.Outcome(taken.outcome), messages.SUCCESS)
            messages.add_message(request, level, _told(taken))
            return redirect(there)

        return confirmed(
            request,
            title=f"Take “{callback.about or 'the callback'}” again?",
            question="It is read as the platform is set up now, as if it had just come. Webhooks"
            " are told of it, however long ago it happened.",
            button="Take it again",
            back=there,
            act=take,
            context=page_context(self, request, original=callback),
        )


def _told(callback: Callback) -> str:
    """Return what became of a callback, with a link to the call that it is part of now."""
    said = f"{callback.get_outcome_display()}. {callback.detail}".strip()
    if callback.call_id is None or callback.is_open:
        return said
    link = reverse("admin:calls_call_change", args=[callback.call_id])
    return format_html('{} <a class="hl-link" href="{}">Open the call</a>', said, link)
