"""The admin of account-owned models: the first wall.

Django's `get_queryset` alone guards lists only. What else would show or take rows of other
accounts is closed here: selects, filters, lookups in the query string, opening by link, forged
keys, and the account itself.
"""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import DatabaseError, DataError, transaction
from django.db.models import ForeignKey, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from apps.common.access import Role
from apps.common.admin.choosing import ASKED, answer_choices, fields_of
from apps.common.admin.columns import documents_of
from apps.common.admin.filters import answer_filter, parameters_of, scoped_filter
from apps.common.admin.forms import (
    AccountScopedForm,
    relates_to_accounts,
    rows_to_choose,
    scope_choices,
)
from apps.common.admin.history import HistoryPage
from apps.common.admin.inlines import without_shortcuts
from apps.common.admin.pages import TitledList
from apps.common.admin.panels import Panel, PanelPages
from apps.common.admin.requests import access_of, accounts_with_role, form_accounts, our_address
from apps.common.admin.roles import RoleAdmin
from apps.common.admin.saving import SavesChanges
from apps.common.collisions import is_collision
from apps.common.ids import InvalidPublicId

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.core.paginator import Paginator as InfinitePaginator

    BaseAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as BaseAdmin
    from unfold.paginator import InfinitePaginator


class AccountScopedAdmin(RoleAdmin, PanelPages, HistoryPage, SavesChanges, TitledList, BaseAdmin):
    """Lists and edits rows of the accounts that are being worked on.

    A single row of any reachable account opens by its link. `account` needs no mention in
    fieldsets: it is set by itself where only one is possible, asked for when several are, and
    never changes afterwards.
    """

    form = AccountScopedForm
    panels: ClassVar[Sequence[type[Panel]]] = ()
    # What a list without rows says about them.
    empty_text: ClassVar[str] = ""
    # What may be searched by those alone who may see it whole, as parts of it could be guessed.
    search_of_members: ClassVar[Sequence[str]] = ()
    searches_accounts: ClassVar[bool] = True
    # The documents and long texts that its columns are made of.
    list_documents: ClassVar[Sequence[str]] = ()
    list_per_page = 50
    list_filter_submit = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of the active accounts in which the role to look is held."""
        access, role = access_of(request), self.view_role
        account_ids = accounts_with_role(access, role) if role is not None else []
        rows = super().get_queryset(request).filter(account_id__in=account_ids)
        return self.annotated(self.without_documents(rows))

    def without_documents(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave documents, long texts and secrets where they are, but for `list_documents`."""
        along = self.list_select_related
        paths = along if isinstance(along, (list, tuple)) else ()
        return queryset.defer(*documents_of(self.model, paths, self.list_documents))

    def annotated(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Add what the columns of the list count."""
        return queryset

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows that may be opened by a link: those of every reachable account."""
        rows: QuerySet[Any] = self.model._base_manager.all()
        return rows.filter(account_id__in=access_of(request).account_ids)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any | None:
        """Return the row behind a link; None, as for one that never was, if out of reach."""
        try:
            key = self.model._meta.pk.to_python(object_id)
            return self.openable(request).select_related("account").get(pk=key)
        except (self.model.DoesNotExist, ValidationError, ValueError):
            return None

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Refuse to look rows up by anything but their key."""
        return to_field == str(self.model._meta.pk.name)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let the query string filter by what the list offers, and by nothing else."""
        if request is None:
            return False
        offered = {"pk", self.model._meta.pk.name, self.date_hierarchy}
        for declared in self.get_list_filter(request):
            offered.update(parameters_of(declared))
        if not any(name and (lookup == name or lookup.startswith(f"{name}__")) for name in offered):
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Scope each relation's choices; several accounts can be told apart."""
        declared = [scoped_filter(self.model, entry) for entry in super().get_list_filter(request)]
        return [*self._when_several(request, scoped_filter(self.model, "account")), *declared]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Add the account to the columns where rows of several accounts mix."""
        first, *others = super().get_list_display(request)
        return [first, *self._when_several(request, "account"), *others]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """Fetch the account along with what the list names."""
        declared = super().get_list_select_related(request)
        return [*declared, "account"] if isinstance(declared, (list, tuple)) else ["account"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the account on top where it says something; see the class."""
        (title, options), *others = super().get_fieldsets(request, obj)
        fields = [name for name in options["fields"] if name != "account"]
        asked = obj is None and len(self._possible_accounts(request)) > 1
        if asked or (obj is not None and len(access_of(request).accounts) > 1):
            fields.insert(0, "account")
        groups = [(title, {**options, "fields": fields}), *others]
        if obj is None or self.has_change_permission(request, obj):
            return groups
        return self._for_readers(groups)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Keep a row in its account."""
        declared = list(super().get_readonly_fields(request, obj))
        return declared if obj is None else [*declared, "account"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return a form whose selects offer only rows of the possible accounts."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        role = self.add_role or Role.OWNER
        scope_choices(form, form_accounts(request, obj, role), request)
        form.account_ids = self._possible_accounts(request) if obj is None else [obj.account_id]
        if account := form.base_fields.get("account"):
            account.queryset = rows_to_choose(
                account.queryset.model.objects.all(), form.account_ids
            )
        return form

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer rows of active accounts, whatever form this becomes a part of."""
        if "queryset" not in kwargs and relates_to_accounts(db_field.related_model):
            kwargs["queryset"] = rows_to_choose(
                db_field.related_model._default_manager.all(),
                access_of(request).account_ids,
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field without pop-up shortcuts."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return without_shortcuts(field)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what a link to the form fills in."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if access_of(request).current_id:
            initial.pop("account", None)
        return initial

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Return to the page that led here, else to the list."""
        way = self._way_back(request, obj)
        return way or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Return to the page that led here, else to the list."""
        way = self._way_back(request, obj)
        return way or super().response_post_save_change(request, obj)

    def following(self, row: Any) -> str:
        """Return the address that follows a saved row; the list unless overridden."""
        return ""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; a filter by what no column can hold is as wrong as any other one."""
        try:
            listed = super().get_changelist_instance(request)
            # Rows are fetched here already: only the database knows all that it refuses.
            len(listed.result_list)
        except (IncorrectLookupParameters, OverflowError, ValueError, DataError) as error:
            transaction.set_rollback(True)
            if ERROR_FLAG in request.GET:
                # Django would say that the database is broken.
                raise BadRequest("These filters can not be read.") from error
            raise IncorrectLookupParameters from error
        return listed

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer deletion last."""
        actions: dict[str, Any] = super().get_actions(request)
        if delete := actions.pop("delete_selected", None):
            actions["delete_selected"] = delete
        return actions

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Add the account where rows of several mix, and what members may search.

        The latter not where they mix with rows at which somebody may only look.
        """
        access = access_of(request)
        sees_all = all(access.has_role(Role.MEMBER, key) for key in access.active_ids)
        declared = super().get_search_fields(request)
        named = self._when_several(request, "account__name") if self.searches_accounts else []
        return [*declared, *(self.search_of_members if sees_all else ()), *(declared and named)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return what a text finds, in a list or a select; a public id finds its row."""
        text = search_term.replace("\0", "")
        try:
            key = self.model.key_of(text.strip())
        except InvalidPublicId:
            return self.search(request, queryset, text)
        return queryset.filter(pk=key), False

    def search(
        self, request: HttpRequest, rows: QuerySet[Any], text: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that have each word of a text, and whether some may come twice."""
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, rows, text)
        return found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list and run its actions; a key that can not be one chooses nothing."""
        if ASKED in request.GET:
            return answer_filter(self, request)
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.model._meta.pk.to_python(key)
            except ValidationError:
                self.message_user(request, "What was chosen is not in the list.", messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and save the form; two people who save the same at once are told so.

        So is whoever a service refuses what the form had nothing against.
        """
        try:
            response: HttpResponse = super().changeform_view(
                request, object_id, form_url, extra_context
            )
        except DatabaseError as error:
            if not is_collision(error):
                raise
            why = (
                "Somebody saved the same at this very moment, so nothing was changed here."
                " Look at it and try again."
            )
        except ValidationError as error:
            why = " ".join(error.messages)
        else:
            return response
        self.message_user(request, why, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the form of a row as the first of its tabs, with what is beside it."""
        if answer := answer_choices(request, fields_of(context)):
            return answer
        row = context["original"]
        if row is not None:
            tabs = self.tabs(request, row, current=None) if self.panels else {}
            context |= {**tabs, **self.beside_form(request, row)}
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return page

    def beside_form(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page of a row shows beside its form; nothing unless overridden."""
        return {}

    def row_to_act_on(self, request: HttpRequest, object_id: str, role: Role) -> Any:
        """Return the row of a page beside the form; 404 out of reach, 403 below the role."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not access_of(request).has_role(role, row.account_id):
            raise PermissionDenied
        return row

    def _for_readers(self, groups: Sequence[Any]) -> list[Any]:
        """Leave out what is a field of the form only: there is nothing to show in its place.

        An admin that has something to show says it in a method of the same name; one that says
        more or less than a column does, in a method `shown_` and its name.
        """
        kept = []
        for title, options in groups:
            fields: list[Any] = []
            for line in options["fields"]:
                if isinstance(line, str):
                    fields += [self._said(line)] if self._is_said(line) else []
                elif said := tuple(self._said(name) for name in line if self._is_said(name)):
                    fields.append(said)
            if fields:
                kept.append((title, {**options, "fields": fields}))
        return kept

    def _said(self, name: str) -> str:
        return f"shown_{name}" if hasattr(self, f"shown_{name}") else name

    def _is_said(self, name: str) -> bool:
        return hasattr(self, name) or hasattr(self.model, name)

    def _possible_accounts(self, request: HttpRequest) -> list[uuid.UUID]:
        return accounts_with_role(access_of(request), self.add_role or Role.OWNER)

    def _way_back(self, request: HttpRequest, row: Any) -> HttpResponseRedirect | None:
        following = our_address(request, request.GET.get("next", "")) or self.following(row)
        return HttpResponseRedirect(following) if following else None

    def _when_several(self, request: HttpRequest, entry: Any) -> list[Any]:
        return [entry] if len(access_of(request).active_ids) > 1 else []


class ReadOnlyAdmin(AccountScopedAdmin):
    """Rows that Hookline writes itself: they are looked at only."""

    add_role = change_role = delete_role = None
    actions: Any = None


class LogAdmin(ReadOnlyAdmin):
    """Rows of which there may be millions: counting them would take longer than showing fifty."""

    paginator = InfinitePaginator
    searches_accounts = False
    show_full_result_count = False
