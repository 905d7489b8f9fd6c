"""The four shapes a payload can have, and how a receiver is told which one it got."""

from enum import StrEnum


class Format(StrEnum):
    """The format of a template. `QUERY` goes behind the URL: no body, no content type."""

    JSON = "json"
    XML = "xml"
    FORM = "form"
    QUERY = "query"

    @property
    def content_type(self) -> str | None:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES: dict[Format, str | None] = {
    Format.JSON: "application/json",
    Format.XML: "application/xml",
    Format.FORM: "application/x-www-form-urlencoded",
    Format.QUERY: None,
}
