"""The API of IVRs."""

from time import perf_counter

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.accounts.authentication import ApiKeyAuthentication, bearer_of
from apps.accounts.models import Scope
from apps.common.api.views import ApiView
from apps.ivr.description import EXAMPLE, Reply
from apps.ivr.replies import Form, wanted_form, written
from apps.ivr.results import ResultsSerializer, read_results
from apps.ivr.services import answer_results


class ResultsView(ApiView):
    """`POST /api/v1/ivr/{ivr}/results`: what a caller answered; tells what happens next."""

    authentication_classes = [ApiKeyAuthentication]
    scope = Scope.INGEST
    is_intake = True

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
            access=bearer_of(request).access, ivr=ivr, results=results, began=began
        )
        hook = answered.hook
        form = wanted_form(request.headers.get("Accept", ""), Form(hook.reply_form))
        if form is Form.TWIML and not hook.redirect_url:
            form = Form(hook.reply_form)
        body = written(answered.reply, form, hook.redirect_url)
        return HttpResponse(body, content_type=form.content_type)
