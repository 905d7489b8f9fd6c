"""The base of every view of the API."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.access import Access
from apps.common.api.bodies import chunks_of, empty_body
from apps.common.api.idempotency import Repeated, Submission
from apps.common.api.rate_limits import quota_headers
from apps.common.tenancy import has_scope

_WITH_BODY = {"POST", "PUT", "PATCH"}


class ApiRequest(Request):
    """A request whose body may come in chunks; REST framework takes that for an empty one."""

    @property
    def access(self) -> Access:
        """What its sender reaches, as the tenancy middleware has worked it out."""
        access: Access = self._request.access  # type: ignore[attr-defined]
        return access

    def _load_stream(self) -> None:
        if chunks := chunks_of(self._request):
            self._stream = chunks
        else:
            super()._load_stream()  # type: ignore[misc]  # the stubs leave it out


class ApiView(APIView):
    """A view of the API: it knows its sender's access, keeps to the limits, and repeats a POST
    with an `Idempotency-Key` only in words.
    """

    request: ApiRequest
    # Whether a POST is repeated by its key; not where its body says which one it is.
    repeats_by_key = True
    submission: Submission | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return the request as REST framework and our parser see it."""
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, check scope and limits, and see whether this was answered before."""
        super().initial(request, *args, **kwargs)
        method = str(request.method)
        is_known = method in _WITH_BODY and hasattr(self, method.lower())
        if is_known and self.needs_body() and request.stream is None:
            raise empty_body()
        key = request.headers.get("Idempotency-Key")
        if method == "POST" and self.repeats_by_key and key is not None:
            self.submission = Submission.begin(
                self.request.access, key, request, has_transaction=has_scope(request._request)
            )

    def needs_body(self) -> bool:
        """Tell whether a POST or PATCH without a body is refused; a mere "do it" has none."""
        return True

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what was answered before, or the problem."""
        if isinstance(exc, Repeated):
            return exc.response  # type: ignore[return-value]
        if self.submission:
            self.submission.give_back()
            self.submission = None
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep the answer of a success for a repeat, and say how much of the limit is left."""
        if self.submission and isinstance(response, Response) and response.status_code < 300:
            self.submission.keep(response)
        elif self.submission:
            self.submission.give_back()
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in quota_headers(request).items():
            final[name] = value
        return final


def access_of(request: Request | HttpRequest) -> Access:
    """Return what the sender of a request reaches."""
    found: Access = getattr(request, "_request", request).access  # type: ignore[union-attr]
    return found
