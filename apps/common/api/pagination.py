"""Pages that begin behind a row, so that rows which come and go meanwhile move nothing."""

import datetime as dt
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.filters import invalid_parameter
from apps.common.api.parameters import whole_number

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class RowPagination(BasePagination):
    """Cuts a list by its order and, where that is equal, by id.

    The order is one of `view.orders`, which name columns without nulls; `-` before it turns it
    round. A cursor holds the order, the value and the id of the last row of a page.
    """

    next_cursor: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page; one query."""
        limit = whole_number(request, "limit", MAX_LIMIT, DEFAULT_LIMIT)
        order = _order(request, view.orders)
        name, is_descending = order.lstrip("-"), order.startswith("-")
        rows = queryset
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(_behind(queryset, order, cursor))
        keys = [name] if name == "id" else [name, "id"]
        sign = "-" if is_descending else ""
        found = list(rows.order_by(*(sign + key for key in keys))[: limit + 1])
        page = found[:limit]
        if len(found) > limit:
            last = page[-1]
            self.next_cursor = cursor_of(order, getattr(last, name), last.pk)
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page."""
        return Response({"data": data, "next_cursor": self.next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        return {
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {
                "data": {"type": "array", "items": schema["items"]},
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "Where the next page begins; null on the last one.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters of a page."""
        orders = [f"{sign}{name.removeprefix('-')}" for name in view.orders for sign in ("", "-")]
        return [
            _parameter(
                "limit",
                "Rows of a page.",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
            _parameter("cursor", "`next_cursor` of the page before.", {"type": "string"}),
            _parameter(
                "order",
                "What the rows are ordered by; - before it turns it round.",
                {"type": "string", "enum": orders, "default": view.orders[0]},
            ),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _order(request: Request, orders: Sequence[str]) -> str:
    """Return the order that is asked for; the first one is the usual one."""
    order: str = request.query_params.get("order", orders[0])
    if order.removeprefix("-") not in {each.removeprefix("-") for each in orders}:
        known = ", ".join(each.removeprefix("-") for each in orders)
        raise invalid_parameter("order", f"One of {known}; - before it turns it round.")
    return order


def cursor_of(order: str, value: Any, key: Any) -> str:
    """Return the cursor behind a row: by the column that a list is ordered by, and its id."""
    return urlsafe_b64encode(orjson.dumps([order, value, key])).decode().rstrip("=")


def _behind(queryset: QuerySet[Any], order: str, cursor: str) -> Q:
    """Return the condition of rows behind a cursor.

    The column alone is bounded too, as an index that does not hold the id can use that.
    """
    name, less = order.lstrip("-"), "lt" if order.startswith("-") else "gt"
    try:
        of_order, value, key = orjson.loads(urlsafe_b64decode(cursor.encode() + b"==="))
        meta = queryset.model._meta
        value = meta.get_field(name).to_python(value)
        key = meta.pk.to_python(key)
    except (ValueError, TypeError, ValidationError):
        of_order = value = key = None
    # Ours tell times in UTC; not every other offset is one that PostgreSQL can read.
    if isinstance(value, dt.datetime) and value.utcoffset() != dt.timedelta():
        value = None
    # No column holds NUL, and PostgreSQL takes none.
    if of_order != order or value is None or key is None or "\0" in str(value):
        raise invalid_parameter("cursor", "This is no cursor of this list in this order.")
    if name == "id":
        return Q(**{f"id__{less}": key})
    return Q(**{f"{name}__{less}e": value}) & (
        Q(**{f"{name}__{less}": value}) | Q(**{f"id__{less}": key})
    )
