"""The screens of the systems that Hookline replaces, under their own names."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from apps.accounts.authentication import person_of
from apps.calls.events import Timing
from apps.common.access import Role
from apps.common.admin import access_of, form_accounts
from apps.common.masking import masked_query, masked_url
from apps.common.tenancy import opens_scopes, tenant_scope
from apps.delivery.engine.requests import with_query
from apps.delivery.testing import PreparedTest, prepare_test
from apps.delivery.trying import answer_test
from apps.faces.answers import answered, in_words, told_of
from apps.faces.forms import (
    ANALYTICS,
    OPTIONS,
    SOURCE_HEADER,
    CallCompleteForm,
    CallNotificationForm,
    PostCallActionForm,
)
from apps.faces.models import CallComplete, CallNotification, PostCallAction
from apps.faces.post_call import InvalidParameters
from apps.faces.services import built_in, save_face
from apps.faces.widgets import rearranged
from apps.webhooks.admin.pages import WebhookPages
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import CompiledTemplate, compile_template
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import check_receiver
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT

_ADD = "add"


class FaceAdmin(WebhookPages):
    """Webhooks of one system; they are in the list of webhooks, too."""

    list_display = ["shown_name", "shown_url", "shown_location", "submitted_by", "state"]
    list_filter = ["location", "is_active"]
    list_select_related = ["location", "template"]
    search_fields = ["name", "location__name"]
    search_of_members = ["url"]
    search_help_text = "Name or location"
    change_form_template = "faces/change_form.html"

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Open webhooks of this face only."""
        faced = super().openable(request).filter(face=self.model.FACE)
        return faced.select_related("location", "template__current_version")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Tell the form who saves."""
        form = super().get_form(request, obj, change, **kwargs)
        form.access = access_of(request)
        return form

    def beside_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Lead those who may see it to the signing secret."""
        return {"shows_secret": access_of(request).has_role(Role.ADMIN, row.account_id)}

    def answers(self, webhook: Any) -> dict[str, Any]:
        """Return what the form is filled with, for those who only look."""
        return dict(self.form(instance=webhook).initial)

    @admin.display(description="name", ordering="name")
    def shown_name(self, webhook: Webhook) -> str:
        """Return the name."""
        return webhook.name

    @admin.display(description="location", ordering="location__name")
    def shown_location(self, webhook: Webhook) -> str:
        """Return whose calls are told of."""
        return str(webhook.location or "every location")

    @admin.display(description="submit type", ordering="method")
    def submitted_by(self, webhook: Webhook) -> str:
        """Return how it is sent."""
        return webhook.method

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the webhook with what it sends at the end of calls."""
        obj.face = obj.FACE
        obj.method = form.method
        if obj.is_active:
            obj.disabled_reason = ""
        save_face(webhook=obj, sent={Timing.END: form.sent}, by=person_of(request))


@dataclass(frozen=True, slots=True)
class Example:
    """What an action sends for the example call."""

    method: str
    url: str
    body: str


@admin.register(PostCallAction)
class PostCallActionAdmin(FaceAdmin):
    """Post-call actions, with their parameters and an example that is sent when clicked."""

    form = PostCallActionForm
    empty_text = "A post-call action sends what you choose of a call to a page of yours."
    fieldsets = [
        (None, {"fields": ["name", "is_active", "location", "option"]}),
        (
            "Where it goes",
            {"fields": ["submit_type", ("domain", "page")], "classes": ["hl-call-details"]},
        ),
        (
            "What is sent",
            {
                "fields": ["static_parameters", "parameters", "has_attribution"],
                "classes": ["hl-call-details"],
            },
        ),
        (
            "Google Analytics",
            {"fields": ["measurement_id", "api_secret"], "classes": ["hl-analytics"]},
        ),
    ]
    change_form_template = "faces/post_call.html"

    option = answered("option", "Post-Call Action Option", dict(OPTIONS).get)
    submit_type = answered("submit_type", "Submit Type")
    domain = answered("domain", "Domain")
    page = answered("page", "Page", masked_url)
    static_parameters = answered("static_parameters", "Static Parameters", masked_query)
    parameters = answered("parameters", "Dynamic Parameters", in_words)
    has_attribution = answered("has_attribution", "Include attribution information", bool)
    measurement_id = answered("measurement_id", "Measurement ID")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show those who only look what belongs to the option that was chosen."""
        groups = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return groups
        is_analytics = self.answers(obj)["option"] == ANALYTICS
        other = "hl-call-details" if is_analytics else "hl-analytics"
        return [group for group in groups if other not in group[1].get("classes", ())]

    def get_urls(self) -> list[URLPattern]:
        """Add what the page asks for while it is filled in."""
        pages = [
            path(
                f"<str:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"faces_postcallaction_{name}",
            )
            for name, view in (
                ("parameters", self.parameters_view),
                ("example", self.example_view),
                ("test", self.test_view),
            )
        ]
        return [*pages, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Give the page its parts their addresses."""
        form = context["adminform"].form
        addresses = _addresses(context["original"])
        if self.has_change_permission(request, context["original"]):
            form.rows.address = addresses["parameters"]
            context["addresses"] = addresses
            context["is_changed_elsewhere"] = form.is_changed_elsewhere
        return super().render_change_form(request, context, *args, **kwargs)

    def parameters_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the rows after a button was pressed."""
        form = self._answered(request, object_id)
        field = form["parameters"]
        rows, focus = rearranged(
            field.data, request.POST.get("act", ""), request.POST.get("parameters-add", "")
        )
        form.rows.address = _addresses(_saved(form))["parameters"]
        form.rows.focus = focus
        page = HttpResponse(form.rows.render("parameters", rows))
        page["HX-Trigger-After-Swap"] = "parameters-changed"
        return page

    def example_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the example of what is typed."""
        form = self._answered(request, object_id)
        context: dict[str, Any] = {}
        try:
            context["example"] = _example(form)
            context["missing"] = form.fault
        except InvalidParameters as error:
            context["missing"] = form.fault or str(error)
        return TemplateResponse(request, "faces/example.html", context)

    @opens_scopes
    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send what is typed for the example call, and show what came back."""
        access = access_of(request)
        with tenant_scope(access):
            test = self._test_of(self._answered(request, object_id))
        if not isinstance(test, PreparedTest):
            return TemplateResponse(request, "faces/missing.html", {"missing": test})

        def page(context: dict[str, Any]) -> TemplateResponse:
            return TemplateResponse(request, "webhooks/wizard/test.html", context)

        return answer_test(test, access=access, page=page)

    def _test_of(self, form: PostCallActionForm) -> PreparedTest | str:
        """Return the test of what is typed, or what is missing of it."""
        try:
            example, template = _example(form), _compiled(form)
            if example is None or form.fault:
                raise InvalidParameters(form.fault or "Say where it goes first.")
            url = check_receiver(url=form.url)
        except (InvalidParameters, ValidationError) as error:
            return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        saved = _saved(form)
        webhook = Webhook(
            account_id=form.instance.account_id,
            name=form.cleaned_data.get("name", ""),
            url=url,
            method=example.method,
            secret=saved.secret if saved else new_signing_secret(),
            timeout_s=saved.timeout_s if saved else Webhook().timeout_s,
        )
        return prepare_test(
            webhook=webhook,
            headers=[],
            template=template,
            snapshot=EXAMPLE_SNAPSHOT,
            now=timezone.now(),
        )

    def _answered(self, request: HttpRequest, object_id: str) -> PostCallActionForm:
        """Return the form as it is filled in, cleaned as far as it goes; 404 and 403 as usual."""
        if request.method != "POST":
            raise Http404
        row: Any = None
        if object_id != _ADD:
            row = self.row_to_act_on(request, object_id, Role.MEMBER)
        elif not form_accounts(request, None, Role.MEMBER):
            raise PermissionDenied
        form: PostCallActionForm = self.get_form(request, row, change=row is not None)(
            request.POST, instance=row
        )
        form.is_valid()
        return form


@admin.register(CallComplete)
class CallCompleteAdmin(FaceAdmin):
    """Webhooks that get the event Call.Complete."""

    form = CallCompleteForm
    empty_text = "Call.Complete sends every parameter of its document when a call has ended."
    fieldsets = [
        (None, {"fields": ["name", "is_active", "location", "url", "submit_type"]}),
    ]

    submit_type = answered("submit_type", "Submit Type")


@admin.register(CallNotification)
class CallNotificationAdmin(FaceAdmin):
    """Where an account is notified of its calls."""

    add_role = change_role = Role.ADMIN
    form = CallNotificationForm
    empty_text = "A callback URL is notified when a call starts, ends, and is changed later."
    list_display = ["shown_name", "shown_url", "shown_location", "state"]
    fieldsets = [
        (None, {"fields": ["name", "is_active", "location", "url", "events"]}),
        ("Headers", {"fields": ["signing_key", "key_id", "source_system"]}),
    ]

    events = answered("events", "Notifications", told_of)
    source_system = answered("source_system", "Source system")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the webhook with its three payloads, one a moment."""
        obj.face = obj.FACE
        if obj.is_active:
            obj.disabled_reason = ""
        save_face(
            webhook=obj,
            # The first is the webhook's own template.
            sent={
                timing: built_in(key, name=f"{GALLERY[key].name} ({obj.name})")
                for timing, key in (
                    (Timing.END, "call_preprocessed"),
                    (Timing.BEGIN, "call_start"),
                    (Timing.UPDATED, "call_processed"),
                )
            },
            active={Timing(each) for each in form.cleaned_data["events"]},
            headers=[
                *GALLERY["call_start"].headers,
                (SOURCE_HEADER, form.cleaned_data["source_system"]),
            ],
            by=person_of(request),
        )


def _addresses(row: Any) -> dict[str, str]:
    key = row.pk if row is not None else _ADD
    return {
        name: reverse(f"admin:faces_postcallaction_{name}", args=[key])
        for name in ("parameters", "example", "test")
    }


def _saved(form: PostCallActionForm) -> Webhook | None:
    return None if form.instance._state.adding else form.instance


def _compiled(form: PostCallActionForm) -> CompiledTemplate:
    payload = form.payload
    return compile_template(format=payload.format, sample=payload.sample, mapping=payload.mapping)


def _example(form: PostCallActionForm) -> Example | None:
    """Return what would be sent; None while the address is missing. Raises InvalidParameters."""
    url, template = form.url, _compiled(form)
    body = template.render(EXAMPLE_SNAPSHOT)
    if not url:
        return None
    if template.format is Format.QUERY:
        return Example("GET", with_query(url, body), "")
    return Example("POST", url, body.decode())
