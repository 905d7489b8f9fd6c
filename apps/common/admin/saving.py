"""Saving what a page changed of a row, and nothing else of it."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    _Base = object


class SavesChanges(_Base):
    """Leaves the columns alone that its form did not change: others may have, meanwhile.

    An address is looked up before it is saved, for up to 2 s; a secret that is replaced in this
    time must not come back.
    """

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form of a row, which knows from now on how it was read."""
        if obj is not None and request.method == "POST":
            obj.keep_as_read()
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save a new row, or the changes of one."""
        obj.save_changed()
