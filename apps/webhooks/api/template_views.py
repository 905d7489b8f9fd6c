"""Templates over the REST API: the same services as the wizard and the admin call."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.authentication import person_of
from apps.accounts.models import Account, Group, Scope
from apps.common.access import Role
from apps.common.api.filters import ReferenceFilter, RowFilters, filters, invalid_parameter
from apps.common.api.serializers import check_role, own_account, read
from apps.common.api.viewsets import Changed, Created, Deleted, Listed, NestedViewSet
from apps.webhooks.api.answers import (
    Comparison,
    FieldsFound,
    Judgement,
    Payload,
    Suggestions,
    TemplateUse,
)
from apps.webhooks.api.samples import (
    CheckBody,
    DuplicateBody,
    GalleryBody,
    PreviewBody,
    RenderBody,
    SampleBody,
    SuggestBody,
    compiled,
    fields_of,
    read_sample,
    rendered,
    snapshot_for,
    suggestions_for,
)
from apps.webhooks.api.templates import (
    TemplateSerializer,
    TemplateSummary,
    VersionSerializer,
    VersionSummary,
)
from apps.webhooks.copying import copy_from_gallery
from apps.webhooks.learning import learn_mappings
from apps.webhooks.models import Template, TemplateFormat, TemplateVersion
from apps.webhooks.services import delete_template
from apps.webhooks.sharing import templates_for
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from apps.webhooks.versions import differences, duplicate, go_back, use_of


class TemplateFilters(RowFilters):
    """What templates can be narrowed by."""

    format = filters.ChoiceFilter(choices=TemplateFormat.choices)
    group = ReferenceFilter(Group)
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")


class TemplateViewSet(Listed, Created, Changed, Deleted):
    """The shapes of payloads: a sample with its mapping, in versions."""

    model = Template
    queryset = Template.objects.all()
    serializer_class = TemplateSummary
    detail_serializer = TemplateSerializer
    filterset_class = TemplateFilters
    orders = ("-created_at", "name")
    action_scopes = dict.fromkeys(
        ("extract", "suggest", "validate_sample", "preview", "render"), Scope.READ
    )
    without_body = frozenset({"duplicate", "render"})
    action_parameters = {
        **dict.fromkeys(
            ("extract", "suggest", "validate_sample", "preview", "render", "usage"), frozenset()
        ),
        "diff": frozenset({"old", "new"}),
    }

    def rows(self) -> QuerySet[Template]:
        """Fetch the current version along; a list needs its number only."""
        templates = Template.objects.select_related("current_version")
        if self.action == "list":
            return templates.defer(*TemplateSummary.unread)
        return templates

    def within(self, rows: QuerySet[Any], account_ids: list[Any]) -> QuerySet[Any]:
        """List what the agencies of the accounts share, too."""
        return rows & templates_for(account_ids, self.access)

    def openable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Open what agencies share, too."""
        return rows & templates_for(self.access.account_ids, self.access)

    def may(self, role: Role | None, row: Any) -> bool:
        """Let clients look at what their agency shares."""
        if role is Role.VIEWER and row.account_id not in self.access.accounts:
            return True
        return super().may(role, row)

    def delete_row(self, row: Template) -> None:
        """Delete a template with its versions."""
        delete_template(template=row)

    @extend_schema(request=SampleBody, responses=FieldsFound)
    @action(detail=False, methods=["post"])
    def extract(self, request: Request) -> Response:
        """Find the fields of a sample, and the mapping that its %tokens% make. Saves nothing."""
        body = read(SampleBody, request)
        return Response(fields_of(read_sample(body["sample"], body["format"])))

    @extend_schema(request=SuggestBody, responses=Suggestions)
    @action(detail=False, methods=["post"])
    def suggest(self, request: Request) -> Response:
        """Say which tokens belong in the fields of a sample, and how sure that is.

        It learns from what the account mapped before. Saves nothing.
        """
        body = read(SuggestBody, request)
        account_id = body.get("account_id") or own_account(self.access)
        learned = learn_mappings(account=Account(pk=account_id))
        sample = read_sample(body["sample"], body["format"])
        return Response({"data": suggestions_for(sample, learned)})

    @extend_schema(request=CheckBody, responses=Judgement)
    @action(detail=False, methods=["post"], url_path="validate")
    def validate_sample(self, request: Request) -> Response:
        """Check a sample, its mapping, and by the rules of a built-in template its payload.

        Saves nothing. What can not be used is answered as it is on saving: 422 with each place.
        """
        body = read(CheckBody, request)
        shown = rendered(compiled(body), EXAMPLE_SNAPSHOT, body.get("rules"))
        return Response({"is_usable": not shown["faults"], "faults": shown["faults"]})

    @extend_schema(request=PreviewBody, responses=Payload)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Render a template that is not saved. Sends and saves nothing."""
        body = read(PreviewBody, request)
        snapshot = snapshot_for(body["call"], self.access.account_ids)
        return Response(rendered(compiled(body), snapshot, body.get("rules")))

    @extend_schema(request=RenderBody, responses=Payload)
    @action(detail=True, methods=["post"])
    def render(self, request: Request, **kwargs: Any) -> Response:
        """Render the current version. Sends nothing."""
        template = self.get_object()
        body = read(RenderBody, request)
        snapshot = snapshot_for(body["call"], self.access.account_ids)
        return Response(rendered(template.compiled(), snapshot, None))

    @extend_schema(request=DuplicateBody, responses={201: TemplateSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, **kwargs: Any) -> Response:
        """Copy the current version into an account."""
        template = self.get_object()
        account_id = read(DuplicateBody, request).get("account_id") or own_account(self.access)
        check_role(self.access, self.add_role, account_id)
        account = Account.objects.get(pk=account_id)
        return self._copied(duplicate(template=template, account=account, by=person_of(request)))

    @extend_schema(request=GalleryBody, responses={201: TemplateSerializer})
    @action(detail=False, methods=["post"], url_path="from-gallery")
    def from_gallery(self, request: Request) -> Response:
        """Copy a built-in template into an account, as its own."""
        body = read(GalleryBody, request)
        account_id = body.get("account_id") or own_account(self.access)
        check_role(self.access, self.add_role, account_id)
        account = Account.objects.get(pk=account_id)
        copy = copy_from_gallery(
            account=account, key=body["key"], name=body["name"], by=person_of(request)
        )
        return self._copied(copy)

    @extend_schema(responses=TemplateUse)
    @action(detail=True)
    def usage(self, request: Request, **kwargs: Any) -> Response:
        """Say how many webhooks of how many accounts send it."""
        use = use_of(self.get_object())
        return Response({"webhooks": use.webhook_total, "accounts": use.account_total})

    @extend_schema(
        parameters=[
            OpenApiParameter("old", int, required=True, description="Number of a version."),
            OpenApiParameter("new", int, description="Number of a version; else the current one."),
        ],
        responses=Comparison,
    )
    @action(detail=True)
    def diff(self, request: Request, **kwargs: Any) -> Response:
        """Compare two versions: sample first, then the fields."""
        template = self.get_object()
        old = _version(template, request.query_params.get("old", ""), "old")
        named = request.query_params.get("new")
        new = template.current_version if named is None else _version(template, named, "new")
        lines = [{"sign": line.sign, "text": line.text} for line in differences(old, new)]
        return Response({"old": old.number, "new": new.number, "lines": lines})

    def _copied(self, copy: Template) -> Response:
        response = self.shown(self.again(copy), 201)
        response["Location"] = f"{reverse('template-list')}/{copy.public_id}"
        return response


class VersionViewSet(NestedViewSet, Listed):
    """The versions of a template; each is immutable, and known by its number."""

    model = TemplateVersion
    queryset = TemplateVersion.objects.all()
    serializer_class = VersionSummary
    detail_serializer = VersionSerializer
    outer = TemplateViewSet
    outer_kwarg = "template_id"
    orders = ("-number",)
    lookup_url_kwarg = "number"
    lookup_value_regex = "[0-9]{1,9}"
    without_body = frozenset({"restore"})

    def rows(self) -> QuerySet[TemplateVersion]:
        """Versions of the template in the address."""
        versions = TemplateVersion.objects.filter(template=self.outer_row)
        versions = versions.select_related("template")
        return versions.defer("sample", "mapping") if self.action == "list" else versions

    def found_in(self, rows: QuerySet[Any]) -> Any | None:
        """Return the version of the number."""
        return rows.filter(number=self.kwargs["number"]).first()

    def may(self, role: Role | None, row: Any) -> bool:
        """Let whoever may look at the template look at its versions."""
        return role is self.view_role or super().may(role, row)

    @extend_schema(request=None, responses={201: VersionSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **kwargs: Any) -> Response:
        """Make this state the current one again: as a new version, so that nothing is lost."""
        version = self.row_for(Role.MEMBER)
        made = go_back(version=version, by=person_of(request))
        response = self.shown(made, 201)
        versions = reverse("template-versions-list", args=[version.template.public_id])
        response["Location"] = f"{versions}/{made.number}"
        return response


def _version(template: Template, number: str, parameter: str) -> TemplateVersion:
    """Return the version of a number in the query string; a Problem 400 for one there is not."""
    if number.isascii() and number.isdigit() and len(number) < 10:
        version = template.versions.filter(number=number).first()
        if version is not None:
            return version
    raise invalid_parameter(parameter, "This template has no version of this number.")
