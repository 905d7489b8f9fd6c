"""The URLs that phone platforms call."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from rest_framework.request import Request as ApiRequest
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.api.bodies import read_body
from apps.common.problems import Problem, problem_response
from apps.intake.callbacks import RefusedCallback, find_source, take_callback
from apps.intake.models import Callback, Source
from apps.intake.requests import Request
from apps.webhooks.formats import Format

_TWILIO_HEADER = "X-Twilio-Signature"
_WRONG = "The signature is missing, or is not one of this URL and body."


class CallbackView(APIView):
    """`/api/v1/callbacks/SOURCE/KEY`: what one source calls. Its URL is its key."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    # Its URL is shown where a source is set up; each platform has a form of its own.
    schema = None

    source: Source

    def initial(self, request: ApiRequest, *args: Any, **kwargs: Any) -> None:
        """Find the source, and leave the methods that its platform uses."""
        super().initial(request, *args, **kwargs)
        self.source = _source(**self.kwargs)
        # HEAD is for those who only look: it brings no callback.
        is_query = not self.source.is_twilio and self.source.format == Format.QUERY
        self.http_method_names = ["get", "post", "options"] if is_query else ["post", "options"]
        self.headers = self.default_response_headers

    def post(self, request: ApiRequest, **kwargs: str) -> HttpResponse:
        """Take a callback: 2xx once it is stored, or will never be more than it is."""
        body = read_body(request, settings.INTAKE_MAX_BODY_BYTES)
        return _answer(self.source, request, body)

    def get(self, request: ApiRequest, **kwargs: str) -> HttpResponse:
        """Take the callback of a platform that puts everything into the URL."""
        return _answer(self.source, request, b"")


def _source(source_id: str, url_key: str) -> Source:
    source = find_source(public_id=source_id, url_key=url_key)
    if source is None:
        raise Http404
    return source


def _answer(source: Source, request: ApiRequest, body: bytes) -> HttpResponse:
    """Take a callback and answer; a problem is returned, as raising it would undo what is kept."""
    header = _TWILIO_HEADER if source.is_twilio else source.signature_header
    try:
        callback = take_callback(
            source=source,
            request=Request(
                url=settings.PUBLIC_URL + request._request.get_full_path(),
                body=body,
                content_type=(request.content_type or "").partition(";")[0].strip().lower(),
                signature=request.headers.get(header, "") if header else "",
            ),
        )
    except RefusedCallback:
        return problem_response(Problem(403, "wrong_signature", _WRONG))
    if callback.outcome == Callback.Outcome.REJECTED:
        return problem_response(Problem(422, "callback_rejected", callback.detail))
    if source.is_twilio:
        return HttpResponse(status=204)
    return Response({"callback": callback.public_id, "outcome": callback.outcome}, status=202)
