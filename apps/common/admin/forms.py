"""Forms of account-owned rows."""

import copy
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, QuerySet, UniqueConstraint
from django.http import HttpRequest

from apps.common.admin.choosing import Offer, RowSelect, asked_at, offer, select_of
from apps.common.admin.theme import Select
from apps.common.models import AccountOwned, not_unique

if TYPE_CHECKING:
    from django.forms.models import BaseInlineFormSet

    _ModelForm = forms.ModelForm[Any]
    _InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    from unfold.forms import PaginationInlineFormSet as _InlineFormSet

    _ModelForm = forms.ModelForm


class AccountScopedForm(_ModelForm):
    """Checks a row as a whole before it is saved, its account and constraints included.

    `account_ids` are the accounts it may belong to; if there is only one, a new row gets it.
    """

    account_ids: ClassVar[Sequence[uuid.UUID]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and len(self.account_ids) == 1:
            self.instance.account_id = self.account_ids[0]

    def _post_clean(self) -> None:
        """Check the row as Django does, and then all its constraints.

        Django leaves out those with a field that the form has not, as `account`; they would fail
        in the database instead.
        """
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.validate_constraints()
        except ValidationError as error:
            self._update_errors(error)

    def _update_errors(self, errors: ValidationError) -> None:
        """Show faults of fields that the form has not on top of it."""
        if hasattr(errors, "error_dict"):
            moved: dict[str, list[ValidationError]] = {}
            for name, faults in errors.error_dict.items():
                shown = name if name in self.fields else NON_FIELD_ERRORS
                moved.setdefault(shown, []).extend(faults)
            errors = ValidationError(moved)
        super()._update_errors(errors)  # type: ignore[misc]


# New rows that a table on a page takes at once; each makes a form, whatever was typed in it.
MOST_NEW_ROWS = 100


class AccountScopedFormSet(_InlineFormSet):
    """Rows inside the page of another row, whose account they share."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "too_many_forms": f"At most {MOST_NEW_ROWS} rows can be added at once."
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.absolute_max = len(self.get_queryset()) + MOST_NEW_ROWS
        # It is 0 for those who may add none.
        if self.max_num:
            self.max_num = self.absolute_max

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        if form.instance._state.adding:
            form.instance.account_id = self.instance.account_id
        return form

    def add_fields(self, form: Any, index: int | None) -> None:
        """Offer every row the same choices, asked for once."""
        super().add_fields(form, index)
        if not hasattr(self, "_offers"):
            self._offers: dict[str, Offer] = {}
        for name, field in form.fields.items():
            if isinstance(field, forms.ModelChoiceField) and not field.widget.is_hidden:
                if name not in self._offers:
                    self._offers[name] = offer(field, self._chosen(name))
                field.choices = self._offers[name].choices
                if select := select_of(field):
                    select.take(self._offers[name])

    def _chosen(self, name: str) -> Iterator[Any]:
        """Yield what rows have, and what was chosen for them, in a select."""
        column = self.model._meta.get_field(name).attname  # type: ignore[union-attr]
        for row in self.get_queryset():
            yield getattr(row, column)
        if self.is_bound:
            for index in range(self.total_form_count()):
                yield self.data.get(f"{self.add_prefix(index)}-{name}")

    def clean(self) -> None:
        """Refuse two rows of the same form that the database would not take together."""
        super().clean()
        rows = [
            form.instance
            for form in self.forms
            if form.has_changed() or not form.instance._state.adding
            if form not in self.deleted_forms
        ]
        model: Any = self.model
        for constraint in model._meta.constraints:
            if not isinstance(constraint, UniqueConstraint) or not constraint.fields:
                continue
            columns = [model._meta.get_field(name).attname for name in constraint.fields]
            keys = [tuple(getattr(row, column) for column in columns) for row in rows]
            if constraint.nulls_distinct is not False:
                keys = [key for key in keys if None not in key]
            if len(keys) != len(set(keys)):
                raise ValidationError(not_unique(model, constraint).messages)


def scope_choices(
    form: type[Any], account_ids: Sequence[uuid.UUID], request: HttpRequest, prefix: str = ""
) -> None:
    """Let the form's selects offer only rows of these accounts; `form` is made for one request.

    `prefix` is that of a form among others on its page.
    """
    for name, field in list(form.base_fields.items()):
        if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
            continue
        # A declared field is shared by all forms of its class.
        scoped = copy.deepcopy(field)
        if relates_to_accounts(field.queryset.model):
            _let_search(scoped, asked_at(request.get_full_path(), f"{prefix}{name}"))
        scoped.queryset = rows_to_choose(field.queryset, account_ids)
        if len(account_ids) > 1 and issubclass(field.queryset.model, AccountOwned):
            scoped.queryset = scoped.queryset.select_related("account").order_by("account__name")
            scoped.label_from_instance = with_account  # type: ignore[assignment]
        form.base_fields[name] = scoped


def _let_search(field: "forms.ModelChoiceField[Any]", address: str) -> None:
    """Let somebody find a row by typing; there may be thousands."""
    widget: Any = field.widget
    inner = getattr(widget, "widget", widget)
    if type(inner) is not Select:
        return
    select = RowSelect(attrs=inner.attrs)
    select.address = address
    if inner is widget:
        field.widget = select
    else:
        widget.widget = select


def with_account(row: AccountOwned) -> str:
    """Return what a row is called among those of several accounts."""
    return f"{row} ({row.account})"


def rows_to_choose(queryset: QuerySet[Any], account_ids: Sequence[uuid.UUID]) -> QuerySet[Any]:
    """Return the rows that these accounts may relate to; models outside of accounts as they are."""
    if issubclass(queryset.model, AccountOwned):
        return queryset.filter(account_id__in=account_ids)
    if queryset.model._meta.label == "accounts.Account":
        return queryset.filter(pk__in=account_ids)
    return queryset


def relates_to_accounts(target: Any) -> bool:
    """Tell whether rows of a model are accounts, or owned by one."""
    return (
        isinstance(target, type)
        and issubclass(target, Model)
        and (issubclass(target, AccountOwned) or target._meta.label == "accounts.Account")
    )
