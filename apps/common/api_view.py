"""What the views of the API are built on."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common.api import chunks_of


class ApiRequest(Request):
    """A request whose body may come in chunks; REST framework takes that for an empty one."""

    def _load_stream(self) -> None:
        if chunks := chunks_of(self._request):
            self._stream = chunks
        else:
            super()._load_stream()  # type: ignore[misc]  # the stubs leave it out


class ApiView(APIView):
    """A view of the API."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return the request as REST framework and our parser see it."""
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
