"""Choosing a new password through a link, in the theme of the admin."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.throttling import may_send_link

if TYPE_CHECKING:
    from django.views.generic.base import TemplateView

    _Page = TemplateView
else:
    _Page = object


class ResetForm(PasswordResetForm):
    """Finds who gets the link, and sends it."""

    def get_users(self, email: str) -> Iterable[User]:
        """Return whoever is active, also those who were invited and never chose a password."""
        return User.objects.filter(email=email.strip().lower(), is_active=True)

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send it when the transaction is over: a mail server may be slow.

        The page says the same when somebody has asked for too many.
        """
        if may_send_link(email=self.cleaned_data["email"]):
            transaction.on_commit(lambda: super(ResetForm, self).send_mail(*args, **kwargs))


class _ThemedPage(_Page):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}


class PasswordReset(_ThemedPage, views.PasswordResetView):
    """Asks for the e-mail."""

    form_class = ResetForm


class PasswordResetDone(_ThemedPage, views.PasswordResetDoneView):
    """Says that the link is on its way."""


class PasswordResetConfirm(_ThemedPage, views.PasswordResetConfirmView):
    """Takes the new password; also what an invitation leads to."""


class PasswordResetComplete(_ThemedPage, views.PasswordResetCompleteView):
    """Leads to the login."""
