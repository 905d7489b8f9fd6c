"""Applying a webhook or a template to the locations that were chosen in their list."""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.applying import (
    MOST_LOCATIONS,
    Applied,
    Outcome,
    apply_template,
    apply_webhook,
)
from apps.common.access import Access, Role
from apps.common.admin import access_of, form_accounts, page_context
from apps.common.admin.choosing import RowSelect, answer_choices, ask_at
from apps.common.admin.requests import accounts_with_role
from apps.common.admin.theme import CheckboxSelectMultiple
from apps.webhooks.models import Template, Webhook
from apps.webhooks.sharing import templates_for

_SIGNS = {
    Outcome.CREATED: "good",
    Outcome.ATTACHED: "good",
    Outcome.CHANGED: "good",
    Outcome.UNCHANGED: "wait",
    Outcome.REFUSED: "bad",
}


class ApplyForm(forms.Form):
    """What is applied; one form a kind. `account_ids` are those of the locations."""

    title: ClassVar[str]
    explained: ClassVar[str]

    def __init__(
        self,
        *args: Any,
        access: Access,
        account_ids: Collection[uuid.UUID],
        locations: Sequence[Location] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.access, self.account_ids, self.locations = access, account_ids, locations
        self.offer()

    def offer(self) -> None:
        """Fill the selects with what may be applied to these locations."""
        raise NotImplementedError

    def apply(self) -> list[Applied]:
        """Do it."""
        raise NotImplementedError


class ApplyWebhookForm(ApplyForm):
    """A webhook, and when it is sent."""

    title = "Apply a webhook"
    explained = (
        "Each location gets a copy of its own with the same headers, attached to it. A webhook of"
        " the whole account is attached as it is. What is there already stays, so that this can be"
        " repeated."
    )

    webhook = forms.ModelChoiceField(
        queryset=Webhook.objects.none(), empty_label="Choose a webhook", widget=RowSelect
    )
    timings = forms.MultipleChoiceField(
        label="Sent at",
        choices=Timing.choices,
        required=False,
        widget=CheckboxSelectMultiple,
        help_text="None: as at its own location, else at the end of calls.",
    )

    def offer(self) -> None:
        """Offer the webhooks of accounts that are being worked in."""
        field: Any = self.fields["webhook"]
        accounts = accounts_with_role(self.access, Role.MEMBER)
        rows = Webhook.objects.filter(account_id__in=accounts).defer("secret")
        field.queryset = rows.select_related("location", "account", "template")
        field.label_from_instance = lambda webhook: (
            f"{webhook}, {webhook.location or f'all of {webhook.account}'}"
        )

    def apply(self) -> list[Applied]:
        """Apply the webhook."""
        return apply_webhook(
            webhook=self.cleaned_data["webhook"],
            locations=self.locations,
            by=self.access,
            timings=self.cleaned_data["timings"],
        )


class ApplyTemplateForm(ApplyForm):
    """A template, and the one that it takes the place of."""

    title = "Apply a template"
    explained = (
        "The webhooks of each location send it from now on, if they send another one of its type."
        " Webhooks of the whole account stay as they are."
    )

    template = forms.ModelChoiceField(
        queryset=Template.objects.none(), empty_label="Choose a template", widget=RowSelect
    )
    replaces = forms.ModelChoiceField(
        label="In place of",
        queryset=Template.objects.none(),
        required=False,
        widget=RowSelect,
        help_text="Empty: any template of the same type.",
    )

    def offer(self) -> None:
        """Offer the templates that these locations may use."""
        for name in ("template", "replaces"):
            self.fields[name].queryset = templates_for(self.account_ids, self.access)  # type: ignore[attr-defined]

    def apply(self) -> list[Applied]:
        """Apply the template."""
        return apply_template(
            template=self.cleaned_data["template"],
            replaces=self.cleaned_data["replaces"],
            locations=self.locations,
            by=self.access,
        )


def _action(form_class: type[ApplyForm], name: str) -> Callable[..., Any]:
    def act(
        model_admin: Any, request: HttpRequest, queryset: QuerySet[Location]
    ) -> HttpResponse | None:
        locations = list(queryset.select_related("account", "group")[: MOST_LOCATIONS + 1])
        if len(locations) > MOST_LOCATIONS:
            messages.error(request, f"Choose {MOST_LOCATIONS} locations at most.")
            return None
        is_sent = "apply" in request.POST
        account_ids = {location.account_id for location in locations}
        form = form_class(
            request.POST if is_sent else None,
            access=access_of(request),
            account_ids=account_ids,
            locations=locations,
        )
        ask_at(_choices_address(name, account_ids), form.fields)
        context = page_context(
            model_admin,
            request,
            title=form_class.title,
            form=form,
            locations=locations,
            action=name,
            checkbox_name=ACTION_CHECKBOX_NAME,
        )
        if is_sent and form.is_valid():
            try:
                results = form.apply()
            except PermissionDenied:
                messages.error(request, "You can only look at this webhook's account.")
                return None
            counts = Counter(one.outcome for one in results)
            context["results"] = [(one, _SIGNS[one.outcome]) for one in results]
            context["counts"] = [(outcome, _SIGNS[outcome], counts[outcome]) for outcome in counts]
            return TemplateResponse(request, "admin/campaigns/apply/results.html", context)
        return TemplateResponse(request, "admin/campaigns/apply/form.html", context)

    act.__name__ = name
    described = admin.action(description=f"{form_class.title}…", permissions=["change"])
    return described(act)


def apply_choices(request: HttpRequest, name: str) -> HttpResponse:
    """Answer a select of the page of an action, which knows its locations from a POST alone."""
    account_ids = form_accounts(request, None, Role.MEMBER)
    if name not in _FORMS:
        raise Http404("There is nothing of this kind to apply.")
    if not account_ids:
        raise PermissionDenied
    form = _FORMS[name](access=access_of(request), account_ids=account_ids)
    answer = answer_choices(request, form.fields)
    if answer is None:
        raise Http404("Say which select asks.")
    return answer


def _choices_address(name: str, account_ids: Collection[uuid.UUID]) -> str:
    """Return where the selects of an action ask; of several accounts, all are offered."""
    address = reverse("apply_choices", args=[name])
    return f"{address}?account={next(iter(account_ids))}" if len(account_ids) == 1 else address


_FORMS: dict[str, type[ApplyForm]] = {
    "apply_webhook_to_selected": ApplyWebhookForm,
    "apply_template_to_selected": ApplyTemplateForm,
}
APPLY_ACTIONS = [_action(form_class, name) for name, form_class in _FORMS.items()]
