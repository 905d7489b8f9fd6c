"""CSV files over the REST API: imports with their dry run, and exports of lists."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.views import LocationViewSet
from apps.accounts.authentication import person_of
from apps.campaigns.api.views import CampaignViewSet, TrackingNumberViewSet
from apps.campaigns.models import Import, SheetKind
from apps.campaigns.sheets import cancel_import, confirm_import, export_rows, start_import
from apps.common.access import Role
from apps.common.api.fields import AccountKey, PublicId
from apps.common.api.filters import RowFilters, filters
from apps.common.api.serializers import (
    AccountSerializer,
    StrictSerializer,
    check_role,
    own_account,
    read,
)
from apps.common.api.viewsets import Listed, RowViewSet
from apps.common.problems import Problem


class SheetFault(serializers.Serializer):  # type: ignore[type-arg]
    """What is wrong in a cell, a row (without a column) or the header (row 1)."""

    row = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    code = serializers.CharField(help_text="Stable; act on it.")
    message = serializers.CharField(help_text="For people.")


class ImportSummary(AccountSerializer):
    """An import in a list: where it stands, and what it does."""

    started_by = PublicId("usr", source="started_by_id", allow_null=True)

    class Meta:
        model = Import
        fields = [
            "id",
            "account",
            "kind",
            "file_name",
            "state",
            "row_total",
            "checked_count",
            "created_count",
            "changed_count",
            "unchanged_count",
            "fault_count",
            "started_by",
            "finished_at",
            "created_at",
        ]
        read_only_fields = fields


class ImportSerializer(ImportSummary):
    """An import with its faults, of which the first 1,000 are kept."""

    faults = SheetFault(many=True, read_only=True)

    class Meta(ImportSummary.Meta):
        fields = [*ImportSummary.Meta.fields, "faults"]


class ImportBody(StrictSerializer):
    """A CSV file."""

    account = AccountKey(source="account_id", required=False)
    kind = serializers.ChoiceField(SheetKind.choices)
    csv = serializers.CharField(
        trim_whitespace=False, help_text="The file: a header that names the columns, and rows."
    )
    file_name = serializers.CharField(max_length=200, default="api.csv")


class ImportFilters(RowFilters):
    """What imports can be narrowed by."""

    kind = filters.ChoiceFilter(choices=SheetKind.choices)
    state = filters.ChoiceFilter(choices=Import.State.choices)


class ImportViewSet(Listed):
    """CSV files on their way into an account: checked first, then written when confirmed."""

    model = Import
    queryset = Import.objects.all()
    serializer_class = ImportSummary
    detail_serializer = ImportSerializer
    filterset_class = ImportFilters
    view_role = Role.MEMBER
    without_body = frozenset({"confirm", "cancel"})

    def rows(self) -> QuerySet[Import]:
        """Leave the files where they are; a list needs no faults either."""
        imports = Import.objects.defer("content", "origin")
        return imports.defer("faults") if self.action == "list" else imports

    @extend_schema(request=ImportBody, responses={201: ImportSerializer})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Check a file: a dry run that lists every fault by row, and writes nothing.

        `state` is `ready`, or `refused` if there are faults. A file of more than 500 rows is
        `checking` at first; ask again how far it has come (`checked_count` of `row_total`).
        """
        body = read(ImportBody, request)
        account_id = body.get("account_id") or own_account(self.access)
        check_role(self.access, Role.MEMBER, account_id)
        try:
            made = start_import(
                account_id=account_id,
                kind=body["kind"],
                file_name=body["file_name"],
                content=body["csv"].encode(),
                by=person_of(request),
            )
        except ValidationError as error:
            raise ValidationError({"csv": error.messages}) from None
        return self.shown(made, 201, is_new=True)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, **kwargs: Any) -> Response:
        """Write what was checked, all of it or nothing; 409 for what is not ready.

        It is checked once more, as rows may have changed. What is large is `writing` at first.
        """
        return self._moved(confirm_import)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Drop a file that was not confirmed; one that has ended stays as it is."""
        return self._moved(cancel_import)

    def _moved(self, move: Any) -> Response:
        imported = self.row_for(Role.MEMBER)
        try:
            return self.shown(move(imported=imported))
        except ValidationError as error:
            raise Problem(409, "not_ready", " ".join(error.messages)) from None


class Exported(RowViewSet):
    """Rows that can be fetched as a CSV file."""

    sheet: ClassVar[SheetKind]
    filtered = frozenset({"list", "export"})
    action_parameters = {"export": frozenset()}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR}, filters=True)
    @action(detail=False)
    def export(self, request: Request) -> HttpResponse:
        """Fetch what the list has, with its filters, as a CSV file that can be imported again.

        At most 100,000 rows.
        """
        rows = self.filter_queryset(self.get_queryset()).order_by("created_at", "id")
        return HttpResponse(
            export_rows(kind=self.sheet, rows=rows),
            content_type="text/csv; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )


class LocationsToExport(Exported, LocationViewSet):
    """Places that receive calls."""

    sheet = SheetKind.LOCATIONS


class CampaignsToExport(Exported, CampaignViewSet):
    """Why people call: offline, or digital with a web session."""

    sheet = SheetKind.CAMPAIGNS


class NumbersToExport(Exported, TrackingNumberViewSet):
    """Numbers that callers dial."""

    sheet = SheetKind.NUMBERS
