"""How values are shown in lists and pages."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Column = TypeVar("_Column", bound=Callable[..., Any])
# The endings of `hl-tag-`, `hl-dot-` and `hl-` by the theme's colours.
_TONES = {"success": "good", "info": "info", "warning": "wait", "danger": "bad"}


def labelled(
    description: str, labels: Mapping[str, str] | None = None, ordering: str | None = None
) -> Callable[[_Column], _Column]:
    """Show a column's text as a coloured label.

    `labels` gives the theme's colour for a text: success, info, warning or danger; others are grey.
    Pages take the same ones by `tone_of`.
    """

    def decorate(column: _Column) -> _Column:
        column.short_description = description  # type: ignore[attr-defined]
        column.admin_order_field = ordering  # type: ignore[attr-defined]
        column.label = dict(labels) if labels else True  # type: ignore[attr-defined]
        return column

    return decorate


def tone_of(column: Callable[..., Any], text: str) -> str:
    """Return the tone by which pages show a text of a labelled column: good, info, wait or bad.

    What is grey in lists is muted.
    """
    labels: Mapping[str, str] = column.label  # type: ignore[attr-defined]
    return _TONES.get(labels.get(text, ""), "muted")
