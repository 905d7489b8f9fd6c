"""Choosing a new password through a link, in the theme of the admin."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import views

if TYPE_CHECKING:
    from django.views.generic.base import TemplateView

    _Page = TemplateView
else:
    _Page = object


class _ThemedPage(_Page):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}


class PasswordReset(_ThemedPage, views.PasswordResetView):
    """Asks for the e-mail."""


class PasswordResetDone(_ThemedPage, views.PasswordResetDoneView):
    """Says that the link is on its way."""


class PasswordResetConfirm(_ThemedPage, views.PasswordResetConfirmView):
    """Takes the new password; also what an invitation leads to."""


class PasswordResetComplete(_ThemedPage, views.PasswordResetCompleteView):
    """Leads to the login."""
