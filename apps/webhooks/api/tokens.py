"""The tokens over the REST API: what a template can send."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.filters import invalid_parameter
from apps.common.api.parameters import refuse_unknown_parameters
from apps.common.api.views import ApiView
from apps.webhooks.tokens import TOKENS, Category, Token


class TokenSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A named value of a call."""

    name = serializers.CharField()
    category = serializers.ChoiceField([category.value for category in Category])
    type = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    example = serializers.JSONField(allow_null=True)
    values = serializers.ListField(child=serializers.CharField())
    is_personal = serializers.BooleanField()
    is_end_only = serializers.BooleanField()
    needs_web_session = serializers.BooleanField()


class TokenList(serializers.Serializer):  # type: ignore[type-arg]
    """All tokens, by name."""

    data = TokenSerializer(many=True)  # type: ignore[assignment]


class TokensView(ApiView):
    """`GET /api/v1/tokens`."""

    @extend_schema(
        operation_id="tokens_list",
        parameters=[OpenApiParameter("category", enum=[category.value for category in Category])],
        responses=TokenList,
    )
    def get(self, request: Request) -> Response:
        """List every token."""
        refuse_unknown_parameters(request, {"category"})
        category = request.query_params.get("category")
        if category is not None and category not in set(Category):
            raise invalid_parameter("category", f"One of {', '.join(Category)}.")
        found = [each for each in TOKENS.values() if category in (None, each.category)]
        return Response({"data": [shown(each) for each in sorted(found, key=lambda one: one.name)]})


class TokenView(ApiView):
    """`GET /api/v1/tokens/{name}`."""

    @extend_schema(operation_id="tokens_retrieve", responses=TokenSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Show one token."""
        refuse_unknown_parameters(request, set())
        token = TOKENS.get(name)
        if token is None:
            raise Http404
        return Response(shown(token))


def shown(token: Token) -> dict[str, Any]:
    """Return a token as it is shown."""
    return {
        "name": token.name,
        "category": token.category.value,
        "type": token.type.value,
        "label": token.label,
        "description": token.description,
        "example": token.example,
        "values": list(token.values),
        "is_personal": token.personal,
        "is_end_only": token.is_end_only,
        "needs_web_session": token.needs_web_session,
    }
