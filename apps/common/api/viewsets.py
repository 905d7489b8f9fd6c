"""Rows of accounts over HTTP: the first wall of the API, beside `AccountScopedAdmin`."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.common.access import Access, Role
from apps.common.api.bodies import check_shape
from apps.common.api.etags import check_state, etag_of, was_seen
from apps.common.api.filters import InvalidParameters, RowFilterBackend
from apps.common.api.pagination import RowPagination
from apps.common.api.parameters import named_account, refuse_unknown_parameters
from apps.common.api.serializers import RowSerializer, check_role
from apps.common.api.views import ApiView
from apps.common.ids import InvalidPublicId
from apps.common.models import HooklineModel
from apps.common.problems import ParameterProblem, conflict

if TYPE_CHECKING:
    _GenericViewSet = GenericViewSet[Any]
else:
    _GenericViewSet = GenericViewSet

_PAGE_PARAMETERS = frozenset({"limit", "cursor", "order"})
_SHOW_PARAMETERS = frozenset({"fields", "expand"})


class RowViewSet(_GenericViewSet, ApiView):
    """Lists and opens rows of reachable accounts.

    The roles are the least that may look, add, change and delete, as in the admin; None means
    nobody. `detail_serializer` shows one row, `serializer_class` each of a list. `orders` are the
    columns that a list can be ordered by, the usual one first; they hold no nulls.
    """

    model: ClassVar[type[HooklineModel]]
    detail_serializer: ClassVar[Any] = None
    view_role: ClassVar[Role] = Role.VIEWER
    add_role: ClassVar[Role | None] = Role.MEMBER
    change_role: ClassVar[Role | None] = Role.MEMBER
    delete_role: ClassVar[Role | None] = Role.ADMIN
    orders: ClassVar[tuple[str, ...]] = ("-created_at",)
    filterset_class: ClassVar[Any] = None
    # What a list takes in its query string beside its page and filters, and what an action takes
    # that shows no row.
    list_parameters: ClassVar[frozenset[str]] = frozenset({"account"})
    action_parameters: ClassVar[dict[str, frozenset[str]]] = {}
    # Actions that take the filters of the list.
    filtered: ClassVar[frozenset[str]] = frozenset({"list"})
    # Actions that may be asked for without a body.
    without_body: ClassVar[frozenset[str]] = frozenset()

    filter_backends = [RowFilterBackend]
    pagination_class = RowPagination
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"

    asked_fields: frozenset[str] | None = None
    asked_expansions: tuple[str, ...] = ()

    @property
    def access(self) -> Access:
        """What the sender reaches."""
        return self.request.access

    def needs_body(self) -> bool:
        """Tell whether this action needs a body."""
        return self.action not in self.without_body

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read what is asked for, and refuse what nobody knows."""
        super().initial(request, *args, **kwargs)
        # A method that there is not has no action, and is refused by itself.
        if self.action:
            self._check_parameters(request)
        if self.action and request.method in ("POST", "PATCH"):
            check_shape(request.data)

    # --- Which rows ------------------------------------------------------------------------------

    def rows(self) -> QuerySet[Any]:
        """Return all rows, with what their serializer needs."""
        return self.model._base_manager.all()

    def get_queryset(self) -> QuerySet[Any]:
        """Rows of the accounts in which the role to look is held, or of the one that is named."""
        if getattr(self, "swagger_fake_view", False):
            return self.model._base_manager.none()
        return self.within(self.rows(), named_account(self.request, self.view_role))

    def within(self, rows: QuerySet[Any], account_ids: list[uuid.UUID]) -> QuerySet[Any]:
        """Return those of the rows that belong to the accounts."""
        # One account is asked for as one: an index then has its rows in order.
        if len(account_ids) == 1:
            return rows.filter(account_id=account_ids[0])
        return rows.filter(account_id__in=account_ids)

    def account_id_of(self, row: Any) -> uuid.UUID:
        """Return the account that a row belongs to."""
        account_id: uuid.UUID = row.account_id
        return account_id

    def openable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the rows that may be opened by their id."""
        return rows.filter(account_id__in=self.access.account_ids)

    def get_object(self) -> Any:
        """Return the row behind the address, if it may be looked at."""
        return self.row_for(self.view_role)

    def row_for(self, role: Role | None) -> Any:
        """Return the row behind the address for somebody with this role there.

        Raises Http404 for what is out of reach, PermissionDenied for a lesser role.
        """
        row = self.found_in(self.openable(self.rows()))
        if row is None:
            raise Http404
        if not self.may(role, row):
            raise PermissionDenied
        return row

    def found_in(self, rows: QuerySet[Any]) -> Any | None:
        """Return that of the rows which the address names, if it is among them."""
        try:
            key = self.model.key_of(self.kwargs[self.lookup_url_kwarg])
        except InvalidPublicId:
            return None
        return rows.filter(pk=key).first()

    def may(self, role: Role | None, row: Any) -> bool:
        """Tell whether a role is held in the account of a row."""
        return role is not None and self.access.has_role(role, self.account_id_of(row))

    # --- How they are shown ----------------------------------------------------------------------

    def get_serializer_class(self) -> Any:
        """Return the serializer of a list, or of one row."""
        if self.action == "list" or self.detail_serializer is None:
            return self.serializer_class
        return self.detail_serializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return the serializer, which shows what is asked for."""
        serializer = super().get_serializer(*args, **kwargs)
        outer = getattr(serializer, "child", serializer)
        if isinstance(outer, RowSerializer):
            outer.sparse = self.asked_fields
            shown = serializer.instance
            rows = shown if isinstance(shown, list) else [] if shown is None else [shown]
            outer.whole = {name: self._whole(outer, name, rows) for name in self.asked_expansions}
        return serializer

    def _whole(self, outer: RowSerializer, name: str, rows: list[Any]) -> dict[uuid.UUID, Any]:
        """Return what is shown in place of the ids of a relation, by key; one query.

        Not joined: a page of deliveries names few webhooks, and each is read and shown once.
        """
        attribute = outer.columns[str(outer.fields[name].source)]
        keys = {getattr(row, attribute) for row in rows}
        serializer = outer.expandable[name](context=self.get_serializer_context())
        return serializer.shown_by_key(keys - {None})

    def shown(self, row: Any, status: int = 200, *, is_new: bool = False) -> Response:
        """Return a row as it is shown, with its ETag, and its address if it is new."""
        response = Response(self.get_serializer(row).data, status=status)
        if not self.asked_expansions and self.asked_fields is None:
            response["ETag"] = self._etag_of(row)
        if is_new:
            response["Location"] = self.address_of(row)
        return response

    def shown_unless_seen(self, row: Any) -> Response:
        """Return a row as it is shown, or 304 to whoever has seen it so."""
        response = self.shown(row)
        if (etag := response.get("ETag")) is not None:
            check_state(self.request, etag)
            if was_seen(self.request, etag):
                return Response(status=304, headers={"ETag": etag})
        return response

    def address_of(self, row: Any) -> str:
        """Return the address of a row that was made here."""
        return f"{self.request.path}/{row.public_id}"

    def held_for(self, role: Role | None) -> Any:
        """Return the row behind the address, if it is as `If-Match` and `If-None-Match` want it.

        Nobody else can change it until the end of the request.
        """
        found = self.row_for(role)
        # By itself, and read anew: PostgreSQL would join a row for which it had to wait with what
        # it pointed at before, and tell that a change of this has left nothing there.
        _hold(found)
        row = self.rows().filter(pk=found.pk).first()
        if row is None:
            raise Http404
        if {"If-Match", "If-None-Match"} & self.request.headers.keys():
            check_state(self.request, self._etag_of(row))
        return row

    def _etag_of(self, row: Any) -> str:
        serializer: Any = self.detail_serializer or self.serializer_class
        return etag_of(serializer(row, context=self.get_serializer_context()).data)

    def _check_parameters(self, request: Request) -> None:
        known = set(self.action_parameters.get(self.action, ()))
        serializer = self.get_serializer_class()
        if self.action not in self.action_parameters:
            known |= _SHOW_PARAMETERS
        if self.action == "list":
            known |= _PAGE_PARAMETERS
        if self.action in self.filtered:
            known |= self.list_parameters
            if self.filterset_class is not None:
                known |= self.filterset_class.base_filters.keys()
        refuse_unknown_parameters(request, known)
        faults: list[ParameterProblem] = []
        if "fields" in known and (named := request.query_params.get("fields")) is not None:
            possible = _names_of(serializer)
            self.asked_fields = frozenset({"id", *named.split(",")})
            faults += _unknown("fields", self.asked_fields - possible)
        if "expand" in known and (named := request.query_params.get("expand")) is not None:
            self.asked_expansions = tuple(dict.fromkeys(named.split(",")))
            faults += _unknown("expand", set(self.asked_expansions) - set(serializer.expandable))
        if faults:
            raise InvalidParameters(faults)


def _hold(row: HooklineModel) -> None:
    """Lock a row until the end of the transaction; nothing if it is gone."""
    held = type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk)
    list(held.order_by().values("pk"))


def _names_of(serializer: Any) -> set[str]:
    return set(serializer().fields)


def _unknown(parameter: str, names: Any) -> list[ParameterProblem]:
    return [
        ParameterProblem(parameter, "unknown_field", f"There is no “{name[:60]}” to show.")
        for name in sorted(names)
    ]


class NestedViewSet(RowViewSet):
    """Rows inside a row of another view set, which says who may look at that one."""

    outer: ClassVar[type[RowViewSet]]
    outer_kwarg: ClassVar[str]
    list_parameters = frozenset()

    @cached_property
    def outer_row(self) -> Any:
        """The row that they are in; raises Http404 and PermissionDenied as its own page does."""
        view = self.outer()
        # As for a list: the outer row's own documents are not shown.
        view.request, view.action = self.request, "list"
        view.kwargs = {view.lookup_url_kwarg: self.kwargs[self.outer_kwarg]}
        return view.get_object()

    def get_queryset(self) -> QuerySet[Any]:
        """All rows inside the outer one."""
        if getattr(self, "swagger_fake_view", False):
            return self.model._base_manager.none()
        return self.rows()

    def openable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """All rows inside the outer one."""
        return rows

    def held_for(self, role: Role | None) -> Any:
        """Hold the outer row first, as whoever deletes that does, with all that is inside it."""
        self.row_for(role)
        _hold(self.outer_row)
        return super().held_for(role)


class Listed(RowViewSet):
    """Rows that are listed and opened."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, a page at a time."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one."""
        return self.shown_unless_seen(self.get_object())


class Created(RowViewSet):
    """Rows that are made."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make one."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.check_may_add(serializer.validated_data)
        with transaction.atomic():
            row = serializer.save()
        return self.shown(self.again(row), 201, is_new=True)

    def check_may_add(self, values: dict[str, Any]) -> None:
        """Raise a Problem 403 unless the role is held where the new row is to be."""
        check_role(self.access, self.add_role, values["account_id"])

    def again(self, row: Any) -> Any:
        """Return a row that was saved as it is read; a Problem where what it needs is gone."""
        found = self.rows().filter(pk=row.pk).first()
        if found is None:
            raise conflict()
        return found


class Changed(RowViewSet):
    """Rows that are changed."""

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is named, and leave the rest."""
        row = self.held_for(self.change_role)
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            row = serializer.save()
        return self.shown(self.rows().get(pk=row.pk))


class Deleted(RowViewSet):
    """Rows that are deleted."""

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete one; 409 while others depend on it."""
        row = self.held_for(self.delete_role)
        with transaction.atomic():
            self.delete_row(row)
        return Response(status=204)

    def delete_row(self, row: Any) -> None:
        """Delete it."""
        row.delete()


class Managed(Listed, Created, Changed, Deleted):
    """Rows that are listed, opened, made, changed and deleted."""
