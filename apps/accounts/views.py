"""Pages about oneself: which account to work on, and the own name."""

import uuid
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from apps.accounts.middleware import SESSION_ACCOUNT
from apps.accounts.models import User
from apps.common.admin import SWITCHER_CHOICES, access_of, our_address
from apps.common.admin.theme import TextInput

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
else:
    _UserForm = forms.ModelForm

_ALL = "all"


class ProfileForm(_UserForm):
    """What people change about themselves."""

    class Meta:
        model = User
        fields = ["full_name"]
        widgets = {"full_name": TextInput}


@login_required
@require_http_methods(["GET", "POST"])
def switch_account(request: HttpRequest) -> HttpResponse:
    """Work on one reachable account from now on, or on all at once; 404 for any other.

    A GET answers the switcher's search with the accounts whose name contains `q`.
    """
    access = access_of(request)
    if request.method == "GET":
        wanted = request.GET.get("q", "").strip().lower()
        found = [one for one in access.accounts.values() if wanted in one.name.lower()]
        context = {"choices": found[:SWITCHER_CHOICES], "access": access}
        return TemplateResponse(request, "admin/account_choices.html", context)
    chosen = request.POST.get("account", "")
    if chosen == _ALL:
        request.session.pop(SESSION_ACCOUNT, None)
    else:
        try:
            account = access.accounts[uuid.UUID(chosen)]
        except (KeyError, ValueError):
            raise Http404("There is no such account here.") from None
        request.session[SESSION_ACCOUNT] = str(account.id)
    return redirect(our_address(request, request.POST.get("next", "")) or "admin:index")


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and save the own name."""
    form = ProfileForm(
        request.POST or None, instance=User.objects.get(email=request.user.get_username())
    )
    if request.method == "POST" and form.is_valid():
        form.instance.save(update_fields=["full_name"])
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    context = {**admin.site.each_context(request), "title": "Your profile", "form": form}
    return TemplateResponse(request, "accounts/profile.html", context)


@login_required
def account_settings(request: HttpRequest) -> HttpResponse:
    """Lead to the account that is being worked on; to the list where several are."""
    current = access_of(request).current
    if current is None:
        return redirect("admin:accounts_account_changelist")
    return redirect("admin:accounts_account_change", current.id)
