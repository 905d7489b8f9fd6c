"""Webhooks over the REST API: with templates and attachments, tests, backtests and figures."""

import datetime as dt
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Location, Scope
from apps.campaigns.api.applying import AppliesWebhook
from apps.campaigns.api.setting_up import WebhookToSetUp
from apps.campaigns.backtest import MOST_CALLS, backtest_webhook
from apps.common.access import Role
from apps.common.api.filters import FlagFilter, ReferenceFilter, RowFilters, filters
from apps.common.api.parameters import whole_number
from apps.common.api.schema import number_parameter
from apps.common.api.serializers import read
from apps.common.api.viewsets import Managed
from apps.common.problems import Problem
from apps.common.tenancy import tenant_scope
from apps.delivery.api.answers import Backtested, TestResult, WebhookStats
from apps.delivery.breaker import position
from apps.delivery.figures import figures_of
from apps.delivery.models import Delivery, DeliveryState
from apps.delivery.testing import (
    RETRY_AFTER_S,
    TestRun,
    TooManyTests,
    prepare_test,
    send_and_tell,
)
from apps.webhooks.api.samples import RenderBody, snapshot_for
from apps.webhooks.api.webhooks import (
    RotateBody,
    SecretShown,
    WebhookSerializer,
    WebhookSummary,
)
from apps.webhooks.changing import change_webhook
from apps.webhooks.models import Template, Webhook
from apps.webhooks.services import rotate_secret
from apps.webhooks.sharing import templates_for

MOST_DAYS = 31


class WebhookFilters(RowFilters):
    """What webhooks can be narrowed by."""

    location = ReferenceFilter(Location)
    template = ReferenceFilter(
        Template, rows=lambda access: templates_for(access.account_ids, access)
    )
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")
    is_active = FlagFilter()


class WebhookViewSet(Managed, AppliesWebhook):
    """URLs of receivers with all that it takes to call them."""

    model = Webhook
    queryset = Webhook.objects.all()
    serializer_class = WebhookSummary
    detail_serializer = WebhookSerializer
    filterset_class = WebhookFilters
    orders = ("-created_at", "name")
    action_scopes = {"backtest": Scope.READ}
    action_parameters = {
        "backtest": frozenset({"limit"}),
        "stats": frozenset({"days"}),
        **dict.fromkeys(("test", "rotate_secret", "apply"), frozenset()),
    }
    without_body = frozenset({"test", "enable", "disable", "rotate_secret"})

    def rows(self) -> QuerySet[Webhook]:
        """Fetch the headers of a single one along."""
        webhooks = Webhook.objects.defer(*WebhookSummary.unread)
        return webhooks if self.action == "list" else webhooks.prefetch_related("headers")

    def get_serializer_class(self) -> Any:
        """Take a template and attachments along with a new webhook."""
        return WebhookToSetUp if self.action == "create" else super().get_serializer_class()

    def again(self, row: Webhook) -> Webhook:
        """Show a new one with its secret."""
        return Webhook.objects.prefetch_related("headers", "attachments").get(pk=row.pk)

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **kwargs: Any) -> Response:
        """Send again; what has waited goes out."""
        return self._switched(is_active=True)

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, **kwargs: Any) -> Response:
        """Stop sending; deliveries wait."""
        return self._switched(is_active=False)

    @extend_schema(request=RotateBody, responses=SecretShown)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, **kwargs: Any) -> Response:
        """Replace the secret that signs requests, and show the new one, this once."""
        webhook = self.held_for(Role.ADMIN)
        body = read(RotateBody, request)
        rotate_secret(
            webhook=webhook,
            keep=dt.timedelta(hours=body["keep_hours"]),
            key_id=body.get("key_id"),
            secret=body.get("secret", ""),
        )
        return Response({"secret": Webhook.objects.get(pk=webhook.pk).secret})

    @extend_schema(request=RenderBody, responses=TestResult)
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Send one request as a delivery would be sent, and say what came back.

        It is marked as a test, counts as no delivery, and waits for 20 seconds at most. Few may
        wait at once; more are answered 429.
        """
        with tenant_scope(self.access):
            webhook = self.row_for(Role.MEMBER)
            body = read(RenderBody, request)
            test = prepare_test(
                webhook=webhook,
                headers=[(header.name, header.value) for header in webhook.headers.all()],
                template=webhook.template.compiled(),
                snapshot=snapshot_for(body["call"], [webhook.account_id]),
                now=timezone.now(),
            )
        try:
            return Response(_shown(send_and_tell(test, access=self.access)))
        except TooManyTests as error:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(429, "too_many_tests", str(error), headers=headers) from None

    @extend_schema(
        parameters=[
            number_parameter("limit", "How many calls.", most=MOST_CALLS, default=20),
        ],
        responses=Backtested,
    )
    @action(detail=True)
    def backtest(self, request: Request, **kwargs: Any) -> Response:
        """Say what it would have sent for the newest calls, and why not. Sends nothing."""
        tested = backtest_webhook(
            self.get_object(), limit=whole_number(request, "limit", MOST_CALLS, 20)
        )
        return Response(
            {
                "data": [
                    {
                        "call": each.call.public_id,
                        "would_send": [
                            {
                                "timing": sending.timing,
                                "event": sending.event.public_id,
                                "payload": sending.payload,
                            }
                            for sending in each.sendings
                        ],
                        "why_not": each.why_not,
                    }
                    for each in tested
                ]
            }
        )

    @extend_schema(
        parameters=[
            number_parameter("days", "How many days back.", most=MOST_DAYS, default=7),
        ],
        responses=WebhookStats,
    )
    @action(detail=True)
    def stats(self, request: Request, **kwargs: Any) -> Response:
        """Count its deliveries of the last days, and say how its receiver has been doing."""
        webhook = self.get_object()
        days = whole_number(request, "days", MOST_DAYS, 7)
        now = timezone.now()
        since = now - dt.timedelta(days=days)
        recent = Delivery.objects.filter(webhook=webhook, created_at__gte=since).order_by()
        counts = dict(recent.values_list("state").annotate(Count("webhook_id")))
        unfinished = Delivery.objects.filter(webhook=webhook, state__in=DeliveryState.unfinished())
        health = webhook.health
        figures = figures_of(webhook, now)
        return Response(
            {
                "since": since,
                "deliveries": {state: counts.get(state, 0) for state in DeliveryState.values},
                "last_day": {
                    "success_percent": figures.success_rate,
                    "p50_ms": figures.p50_ms,
                    "p95_ms": figures.p95_ms,
                    "p99_ms": figures.p99_ms,
                },
                "backlog": unfinished.count(),
                "next_try_at": figures.next_try_at,
                "breaker": position(health.probe_at, health.is_probing, now),
                "last_success_at": health.last_success_at,
                "last_failure_at": health.last_failure_at,
                "failing_since": health.failing_since,
                "failures_in_row": health.failures_in_row,
                "next_probe_at": health.probe_at,
            }
        )

    def _switched(self, *, is_active: bool) -> Response:
        webhook = self.held_for(Role.MEMBER)
        changes = {"is_active": is_active, "disabled_reason": ""}
        change_webhook(webhook=webhook, changes=changes, headers=None, by=self.access)
        return self.shown(webhook)


def _shown(run: TestRun) -> dict[str, Any]:
    outcome = run.outcome
    timings = outcome.timings
    return {
        "is_success": run.is_success,
        "request": {
            "method": run.request.method,
            "url": run.request.url,
            "headers": run.masked_headers,
            "body": run.request.body.decode("utf-8", "replace"),
        },
        "response": {
            "status": outcome.status,
            "headers": dict(outcome.headers),
            "body": outcome.body.decode("utf-8", "replace"),
        },
        "error_kind": str(run.verdict.error_kind or "") or None,
        "error_message": outcome.error_message,
        "timings_ms": {
            "dns": timings.dns_ms,
            "connect": timings.connect_ms,
            "first_byte": timings.first_byte_ms,
            "total": timings.total_ms,
        },
    }
