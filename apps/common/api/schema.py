"""How the API is described (OpenAPI 3.1): what all endpoints have in common, said once."""

import inspect
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.common.api.examples import problem_example
from apps.common.api.fields import ACCOUNT_PREFIX, AccountKey, PublicId, Reference, References
from apps.common.api.serializers import RowSerializer
from apps.common.api.viewsets import RowViewSet
from apps.common.ids import id_schema

_ALWAYS = (400, 401, 403, 404, 429, 503)
_BY_METHOD = {
    "GET": (),
    "POST": (409, 413, 415, 422),
    "PATCH": (409, 412, 413, 415, 422),
    "DELETE": (409, 412),
}
_SENTENCES = {
    "list": "List {many}.",
    "retrieve": "Show one {one}.",
    "create": "Make a new {one}.",
    "partial_update": "Change what is named of one {one}.",
    "destroy": "Delete one {one}; 409 while others depend on it.",
}
ACCOUNT_PARAMETER = OpenApiParameter(
    "account", id_schema(ACCOUNT_PREFIX), description="One account, acc_…."
)
# What each status means, and the codes that it may have, the usual one first.
_PROBLEMS = {
    400: (
        "The query, a header or the JSON can not be read.",
        "invalid_parameter invalid_json empty_body unreadable_body invalid_idempotency_key",
    ),
    401: ("No key, or not a working one.", "not_authenticated invalid_key"),
    403: ("The key lacks the scope, or the person the role.", "permission_denied csrf_failed"),
    404: (
        "There is nothing here under this id, or under one that the request names.",
        "not_found unknown_ivr",
    ),
    409: (
        "It is in use, somebody else has just changed it, or the Idempotency-Key was used before.",
        "conflict in_use idempotency_key_reused request_in_progress answer_not_kept not_ready"
        " call_under_way ambiguous_ivr",
    ),
    412: ("It is not as If-Match says.", "precondition_failed"),
    413: ("The body is too large.", "too_large too_many_events"),
    415: ("The body is not declared as JSON.", "unsupported_media_type"),
    422: ("The body does not fit; each fault is listed.", "invalid no_event_accepted empty"),
    429: ("Too many requests in this minute, or at once.", "rate_limited too_many_tests"),
    503: ("The database is away; Retry-After says when to come again.", "unavailable"),
}


class Fault(serializers.Serializer):  # type: ignore[type-arg]
    """One fault of a request: a place in the body, or a parameter of the query."""

    pointer = serializers.CharField(required=False, help_text="JSON pointer into the body.")
    parameter = serializers.CharField(required=False, help_text="Name of a parameter.")
    code = serializers.CharField(help_text="Stable; act on it.")
    message = serializers.CharField(help_text="For people.")


class ProblemDetails(serializers.Serializer):  # type: ignore[type-arg]
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; act on it.")
    detail = serializers.CharField(help_text="For people.")
    request_id = serializers.CharField(help_text="Also in the header X-Request-Id, and our logs.")
    errors = Fault(many=True, required=False)  # type: ignore[assignment]


class HooklineSchema(AutoSchema):
    """Describes an endpoint: its problems, headers and what can be asked of rows."""

    def get_tags(self) -> list[str]:
        """Sort endpoints by their first word."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_description(self) -> str:  # type: ignore[override]
        """Say what is done to which rows; what an action of its own says stands as it is."""
        view = self.view
        method: Any = getattr(view, getattr(view, "action", None) or "", None)
        if not isinstance(view, RowViewSet) or method.__module__ != RowViewSet.__module__:
            return str(super().get_description())
        meta = view.model._meta
        first = _SENTENCES[view.action].format(one=meta.verbose_name, many=meta.verbose_name_plural)
        return f"{first}\n\n{inspect.getdoc(view)}"

    def get_summary(self) -> str:
        """Return the first sentence of the description."""
        return str(self.get_description()).partition("\n")[0].rstrip(".")

    def get_override_parameters(self) -> list[Any]:
        """Add what is asked by headers, and what all rows can be asked."""
        found = [*super().get_override_parameters(), *self._headers()]
        view = self.view
        if not isinstance(view, RowViewSet):
            return found
        if view.action in view.filtered and "account" in view.list_parameters:
            found.append(ACCOUNT_PARAMETER)
        serializer = view.get_serializer_class()
        if view.action in view.action_parameters or not issubclass(serializer, RowSerializer):
            return found
        shown = [name for name, field in serializer().fields.items() if not field.write_only]
        found.append(_names("fields", "Show the id and these fields only.", shown))
        if serializer.expandable:
            text = "Show these rows whole in place of their ids."
            found.append(_names("expand", text, list(serializer.expandable)))
        return found

    def _get_request_body(self, direction: Any = "request") -> Any:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        view: Any = self.view
        if body and view.needs_body():
            body["required"] = True
        return body

    def _headers(self) -> list[OpenApiParameter]:
        view: Any = self.view
        match self.method:
            case "POST" if view.repeats_by_key:
                name, text = "Idempotency-Key", "Makes sure that it is done once, for 24 hours."
                schema: dict[str, Any] = {"type": "string", "pattern": "^[!-~]{1,255}$"}
            case "PATCH" | "DELETE":
                name, text = "If-Match", "The ETag that was seen: do it only if nothing changed."
                schema = {"type": "string"}
            case _:
                return []
        return [OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=text)]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        self.resolve_serializer(ProblemDetails, "response")
        for status in (*_ALWAYS, *_BY_METHOD[self.method]):
            bodies[str(status)] = {"$ref": f"#/components/responses/{_name_of(status)}"}
        return dict(sorted(bodies.items()))

    def _map_serializer(self, serializer: Any, direction: Any, *rest: Any) -> Any:
        schema = super()._map_serializer(serializer, direction, *rest)  # type: ignore[no-untyped-call]
        # `fields` may leave out everything but the id.
        if direction == "response" and isinstance(serializer, RowSerializer):
            schema["required"] = ["id"]
        return schema


def add_problems(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Say once what every endpoint may answer (a hook of drf-spectacular)."""
    result["components"]["responses"] = {
        _name_of(status): {
            "description": f"{meaning} Codes: {', '.join(codes.split())}.",
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                    "example": problem_example(status, codes.split()[0], meaning),
                }
            },
        }
        for status, (meaning, codes) in _PROBLEMS.items()
    }
    return result


def _name_of(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def number_parameter(name: str, text: str, *, most: int, default: int) -> OpenApiParameter:
    """Describe a parameter that `whole_number` reads."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return OpenApiParameter(name, schema, description=text)


def _names(parameter: str, text: str, names: list[str]) -> OpenApiParameter:
    """Describe a parameter that is a list of names with commas between."""
    return OpenApiParameter(
        parameter,
        {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1},
        description=text,
        style="form",
        explode=False,
    )


class PublicIdExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes the id of a row."""

    target_class = PublicId
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return its schema."""
        return id_schema(self.target.prefix)


class AccountKeyExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes the account of a row."""

    target_class = AccountKey

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return its schema."""
        return id_schema(ACCOUNT_PREFIX)


class ReferencesExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes rows that are named by their ids."""

    target_class = References

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return its schema."""
        return {
            "type": "array",
            "items": id_schema(self.target.model.ID_PREFIX),
            "maxItems": self.target.max_length,
        }


class ReferenceExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a row that is named by its id, or shown whole."""

    target_class = Reference
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return its schema."""
        field = self.target
        schema = id_schema(field.model.ID_PREFIX)
        expandable = getattr(field.parent, "expandable", {})
        if direction == "request" and field.new is not None:
            new = auto_schema.resolve_serializer(field.new, direction).ref
            return {"oneOf": [schema, new]}
        if direction == "request" or field.field_name not in expandable:
            return schema
        whole = auto_schema.resolve_serializer(expandable[field.field_name], direction).ref
        return {"oneOf": [schema, whole]}
