"""The event API."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.authentication import ApiKeyAuthentication, bearer_of
from apps.accounts.models import Scope
from apps.common.api.views import ApiView, access_of
from apps.common.documents import as_json
from apps.common.problems import FieldProblem, Problem
from apps.common.tenancy import tenant_scope
from apps.intake import description
from apps.intake.description import Event
from apps.intake.services import Receipt, accept_and_commit, accept_events


class EventsView(ApiView):
    """`POST /api/v1/events`: one event, or a list of up to INTAKE_MAX_BATCH."""

    authentication_classes = [ApiKeyAuthentication]
    scope = Scope.INGEST
    is_intake = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the transaction that keeps the answer, where it is to be kept."""
        if not _is_kept(request):
            return super().dispatch(request, *args, **kwargs)
        with tenant_scope(access_of(request)):
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response

    @extend_schema(
        operation_id="events_create",
        request=PolymorphicProxySerializer(
            "OneOrMoreEvents", [Event, Event(many=True)], None, many=False
        ),
        responses={202: description.Receipt},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the events; 202 once they are stored and their deliveries planned."""
        body: Any = request.data
        bodies = body if isinstance(body, list) else [body]
        if not bodies:
            raise Problem(422, "empty", "The list has no events.")
        if len(bodies) > settings.INTAKE_MAX_BATCH:
            raise Problem(
                413,
                "too_many_events",
                f"A batch has at most {settings.INTAKE_MAX_BATCH} events; this one has"
                f" {len(bodies)}.",
            )
        bearer = bearer_of(request)
        if _is_kept(request):
            receipt = accept_events(access=bearer.access, bodies=bodies)
        else:
            receipt = accept_and_commit(key=bearer.key, bodies=bodies)
        if not receipt.accepted:
            raise _nothing_accepted(receipt, is_batch=isinstance(body, list))
        answer = {"accepted": _accepted(receipt), "rejected": _rejected(receipt)}
        if self.submission:
            return Response(answer, status=202)
        # As it would be rendered, without the way there: platforms post for every call.
        return HttpResponse(as_json(answer), status=202, content_type="application/json")


def _is_kept(request: Request | HttpRequest) -> bool:
    """Tell whether the answer is to be kept for a repeat."""
    return "Idempotency-Key" in request.headers


def _accepted(receipt: Receipt) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": recorded.event.external_id,
            "call_id": recorded.call.external_id,
            "event": recorded.event.public_id,
            "call": recorded.call.public_id,
            "duplicate": recorded.is_duplicate,
        }
        for index, recorded in receipt.accepted
    ]


def _rejected(receipt: Receipt) -> list[dict[str, Any]]:
    return [
        {
            "index": rejection.index,
            "pointer": rejection.pointer,
            "code": rejection.code,
            "message": rejection.message,
        }
        for rejection in receipt.rejected
    ]


def _nothing_accepted(receipt: Receipt, *, is_batch: bool) -> Problem:
    faults = [
        FieldProblem(
            f"/{rejection.index}{rejection.pointer}" if is_batch else rejection.pointer,
            rejection.code,
            rejection.message,
        )
        for rejection in receipt.rejected
    ]
    return Problem(
        422,
        "no_event_accepted",
        "No event was accepted; each one's fault is listed.",
        errors=faults,
        extra={"accepted": [], "rejected": _rejected(receipt)},
    )
