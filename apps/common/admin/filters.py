"""List filters that offer only what the list may show."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter
from django.db.models import Field
from django.http import HttpRequest

from apps.common.admin.forms import rows_to_choose
from apps.common.admin.requests import access_of

if TYPE_CHECKING:
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesFilter
    from django.contrib.admin import ModelAdmin, RelatedFieldListFilter
else:
    from unfold.contrib.filters.admin import ChoicesDropdownFilter as ChoicesFilter
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFieldListFilter

__all__ = ["ChoicesFilter", "ScopedRelatedFilter", "scoped_filter"]


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter by a related row; offers those of the accounts that are being worked on."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: "ModelAdmin[Any]"
    ) -> Any:
        """Return key and name of each row on offer."""
        rows = rows_to_choose(
            field.related_model._default_manager.all(), access_of(request).active_ids
        )
        return [(str(row.pk), str(row)) for row in rows]


def scoped_filter(
    model: type[Any], declared: Any
) -> str | type[Any] | tuple[str, type[FieldListFilter]]:
    """Return a `list_filter` entry with a scoped filter for a relation, dropdowns for choices."""
    if not isinstance(declared, str):
        return declared  # type: ignore[no-any-return]
    field: Field[Any, Any] = model._meta.get_field(declared)
    if field.is_relation:
        return declared, ScopedRelatedFilter
    return (declared, ChoicesFilter) if field.choices else declared
