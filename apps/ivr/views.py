"""The API of IVRs."""

from time import perf_counter

from django.http import Http404, HttpResponse, QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.authentication import ApiKeyAuthentication, bearer_of
from apps.accounts.models import Scope
from apps.common.api.views import ApiView
from apps.ivr.description import EXAMPLE, Reply
from apps.ivr.replies import Form, document
from apps.ivr.results import ResultsSerializer, read_results
from apps.ivr.services import answer_results
from apps.ivr.steps import link_to, step_of
from apps.ivr.twiml import continued


class ResultsView(ApiView):
    """`POST /api/v1/ivr/{ivr}/results`: what a caller answered; tells what happens next."""

    authentication_classes = [ApiKeyAuthentication]
    scope = Scope.INGEST
    is_intake = True
    repeats_by_key = False

    @extend_schema(
        operation_id="ivr_results_create",
        request=ResultsSerializer,
        responses={
            (200, "application/json"): Reply,
            (200, "application/xml"): OpenApiTypes.STR,
            (200, "text/xml"): OpenApiTypes.STR,
        },
        examples=[EXAMPLE],
    )
    def post(self, request: Request, ivr: str) -> HttpResponse:
        """Ask the receiver and answer 200, whatever the receiver does."""
        began = perf_counter()
        results = read_results(request.data)
        answered = answer_results(
            access=bearer_of(request).access,
            ivr=ivr,
            results=results,
            accept=request.headers.get("Accept", ""),
            began=began,
        )
        return HttpResponse(answered.body, content_type=answered.form.content_type)


class StepView(APIView):
    """`/api/v1/ivr/steps/{step}`: the next document of a dynamic find me. Its URL is its key."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    # Twilio gets the address with the document before.
    schema = None

    def get(self, request: Request, step: str) -> HttpResponse:
        """Return the document; 404 for an address that Hookline did not make, or long ago."""
        return self._answer(step, request._request.GET)

    def post(self, request: Request, step: str) -> HttpResponse:
        """Return the document, after what Twilio says of the one before."""
        return self._answer(step, request._request.POST)

    def _answer(self, text: str, posted: QueryDict) -> HttpResponse:
        step = step_of(text)
        if step is None:
            raise Http404
        said = {name: str(posted[name]) for name in posted}
        body = document(continued(step, said, link_to))
        return HttpResponse(body, content_type=Form.TWIML.content_type)
