"""What a token is: a named value of a call, which knows how to read itself from a snapshot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from apps.webhooks.tokens.readers import Reader
from apps.webhooks.tokens.values import Snapshot, Value


class Category(StrEnum):
    """When a token has a value, or where it comes from."""

    CALL_BEGIN = "call_begin"
    CALL_END = "call_end"
    DNI = "dni"
    LOCATION_INFO = "location_info"
    IVR = "ivr"
    DELIVERY = "delivery"

    @property
    def label(self) -> str:
        return _CATEGORY_LABELS[self]


_CATEGORY_LABELS = {
    Category.CALL_BEGIN: "Known from the beginning of the call",
    Category.CALL_END: "Known at the end of the call",
    Category.DNI: "Web session of the caller",
    Category.LOCATION_INFO: "Location that was called",
    Category.IVR: "IVR that the caller was in",
    Category.DELIVERY: "Known when it is sent",
}


class TokenType(StrEnum):
    """What a token's value is, before a mapping converts it."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    PHONE = "phone"
    DATETIME = "datetime"
    BOOLEAN01 = "boolean01"
    URL = "url"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"

    @property
    def is_nested(self) -> bool:
        return self in (TokenType.LIST, TokenType.OBJECT)


@dataclass(frozen=True, slots=True)
class Token:
    """A named value of a call.

    `example` is exactly what `read` gives for `EXAMPLE_SNAPSHOT`. `values` lists the only values
    it can have, where they are known. `inside` names the list token whose items it belongs to.
    `personal` marks data about an identifiable person. What is not `is_suggested` is chosen by hand
    only: it is Hookline's own, and means something else in a receiver. `narrow`, on tokens that can
    be repeated over, gives the snapshot in which the list holds one item only.
    """

    name: str
    category: Category
    type: TokenType
    label: str
    description: str
    example: Value
    read: Reader = field(repr=False, compare=False)
    values: tuple[str, ...] = ()
    inside: str | None = None
    personal: bool = False
    is_suggested: bool = True
    narrow: Callable[[Snapshot, Value], Snapshot] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def is_end_only(self) -> bool:
        """Whether the value is known only when the call has ended."""
        return self.category is Category.CALL_END

    @property
    def needs_web_session(self) -> bool:
        """Whether the value exists only for calls of a digital (DNI) campaign."""
        return self.category is Category.DNI
