"""Deliveries with their attempts, replays and alerts over the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.authentication import person_of
from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.common.access import Role
from apps.common.api.fields import (
    AccountKey,
    Moment,
    PublicId,
    Reference,
    References,
    ShortList,
)
from apps.common.api.filters import ReferenceFilter, RowFilters, filters
from apps.common.api.serializers import (
    AccountSerializer,
    RowSerializer,
    StrictSerializer,
    check_role,
    own_account,
    read,
)
from apps.common.api.views import access_of
from apps.common.api.viewsets import Listed, NestedViewSet
from apps.common.masking import shown_headers
from apps.delivery.alerting import Rung
from apps.delivery.api.answers import HeaderPairs
from apps.delivery.api.calls import CallSummary, DocumentField
from apps.delivery.models import Alert, Attempt, Delivery, DeliveryState, Replay
from apps.delivery.services import (
    cancel_replay,
    plan_replay,
    resend,
    resume_replay,
    start_replay,
)
from apps.webhooks.api.webhooks import WebhookSummary
from apps.webhooks.models import Webhook


class DeliverySerializer(AccountSerializer):
    """One event to one webhook."""

    expandable = {"webhook": WebhookSummary, "call": CallSummary}

    webhook = Reference(Webhook, read_only=True)
    call = Reference(Call, read_only=True)
    event = Reference(CallEvent, read_only=True)
    template_version = PublicId("tpv", source="template_version_id")
    resent_from = PublicId(Delivery.ID_PREFIX, source="resent_from_id", allow_null=True)
    replay = PublicId(Replay.ID_PREFIX, source="replay_id", allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "account",
            "webhook",
            "call",
            "event",
            "template_version",
            "timing",
            "state",
            "attempt_count",
            "last_status",
            "last_error",
            "next_attempt_at",
            "expires_at",
            "finished_at",
            "resent_from",
            "replay",
            "created_at",
        ]
        read_only_fields = fields


class DeliveryFilters(RowFilters):
    """What deliveries can be narrowed by."""

    webhook = ReferenceFilter(Webhook)
    call = ReferenceFilter(Call)
    location = ReferenceFilter(Location, field_name="call__location")
    state = filters.ChoiceFilter(choices=DeliveryState.choices)
    timing = filters.ChoiceFilter(choices=Timing.choices)


class ResendBody(StrictSerializer):
    """How to send again."""

    with_current_version = serializers.BooleanField(
        default=False, help_text="With the template as it is now, else with the version it had."
    )


class DeliveryViewSet(Listed):
    """Deliveries, newest first."""

    model = Delivery
    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilters
    without_body = frozenset({"resend"})

    @extend_schema(request=ResendBody, responses={201: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **kwargs: Any) -> Response:
        """Send the same event to the same webhook again, as a new delivery."""
        delivery = self.row_for(Role.MEMBER)
        body = read(ResendBody, request)
        again = next(iter(resend(deliveries=[delivery], **body)), None)
        if again is None:
            # Deleted since it was read, as it was over its time.
            raise Http404
        return self.shown(again, 201, is_new=True)

    def address_of(self, row: Delivery) -> str:
        """A delivery that is sent again is listed beside the first one."""
        return f"{self.request.path.rsplit('/', 2)[0]}/{row.public_id}"


class AttemptSerializer(RowSerializer):
    """One request of a delivery, with all that is known of it. Credentials are masked."""

    addresses = ("url",)

    delivery = Reference(Delivery, read_only=True)

    class Meta:
        model = Attempt
        fields = [
            "id",
            "delivery",
            "number",
            "started_at",
            "method",
            "url",
            "response_status",
            "is_response_truncated",
            "error_kind",
            "error_message",
            "dns_ms",
            "connect_ms",
            "first_byte_ms",
            "total_ms",
            "sends",
            "created_at",
        ]
        read_only_fields = fields


class AttemptWithBodies(AttemptSerializer):
    """An attempt with what was sent and answered."""

    request_headers = DocumentField(read_only=True)
    response_headers = HeaderPairs(read_only=True)

    class Meta(AttemptSerializer.Meta):
        fields = [
            *AttemptSerializer.Meta.fields,
            "request_headers",
            "request_body",
            "response_headers",
            "response_body",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Attempt) -> dict[str, Any]:
        """Show addresses in the answer as those of the request."""
        shown = super().to_representation(instance)
        if shown.get("response_headers"):
            access = access_of(self.context["request"])
            headers = shown_headers(shown["response_headers"], instance.account_id, access)
            shown["response_headers"] = headers
        return shown


_BODIES = ("request_headers", "request_body", "response_headers", "response_body")


class AttemptViewSet(NestedViewSet, Listed):
    """The requests of a delivery, in order."""

    model = Attempt
    queryset = Attempt.objects.all()
    serializer_class = AttemptSerializer
    detail_serializer = AttemptWithBodies
    outer = DeliveryViewSet
    outer_kwarg = "delivery_id"
    orders = ("number",)

    def rows(self) -> QuerySet[Attempt]:
        """Attempts of the delivery in the address; a list leaves their bodies out."""
        attempts = Attempt.objects.filter(delivery=self.outer_row)
        return attempts.defer(*_BODIES) if self.action == "list" else attempts


class ReplaySerializer(AccountSerializer):
    """Sending again what matches a filter, at a bounded rate."""

    webhooks = serializers.SerializerMethodField()
    started_by = PublicId("usr", source="started_by_id", allow_null=True)

    class Meta:
        model = Replay
        fields = [
            "id",
            "account",
            "since",
            "until",
            "webhooks",
            "states",
            "timings",
            "with_current_version",
            "rate_per_s",
            "total",
            "planned_count",
            "state",
            "last_error",
            "started_by",
            "finished_at",
            "created_at",
        ]
        read_only_fields = fields

    def get_webhooks(self, replay: Replay) -> list[str]:
        """Return their ids; none for all webhooks."""
        return [PublicId("wh").to_representation(key) for key in replay.webhook_ids]


class ReplayBody(StrictSerializer):
    """What to send again. A dry run counts it, and sends nothing."""

    account = AccountKey(source="account_id", required=False)
    since = Moment()
    until = Moment()
    webhooks = References(Webhook, required=False, max_length=500)
    states = ShortList(
        child=serializers.ChoiceField(DeliveryState.choices),
        default=[state.value for state in DeliveryState.unsuccessful()],
        max_length=5,
    )
    timings = ShortList(child=serializers.ChoiceField(Timing.choices), default=list, max_length=3)
    with_current_version = serializers.BooleanField(default=False)
    rate_per_s = serializers.IntegerField(min_value=1, max_value=Replay.MOST_A_SECOND, default=10)
    is_dry_run = serializers.BooleanField(default=False)


class ReplayPlanned(serializers.Serializer):  # type: ignore[type-arg]
    """What a replay would send."""

    deliveries = serializers.IntegerField()
    webhooks = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="About how long it would take.")


class ReplayViewSet(Listed):
    """Replays: sending again what matches a filter."""

    model = Replay
    queryset = Replay.objects.all()
    serializer_class = ReplaySerializer
    without_body = frozenset({"cancel", "resume"})

    @extend_schema(request=ReplayBody, responses={200: ReplayPlanned, 201: ReplaySerializer})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Count what matches, and unless it is a dry run start to send it again."""
        body = read(ReplayBody, request)
        is_dry_run = body.pop("is_dry_run")
        account_id = body.pop("account_id", None) or own_account(self.access)
        check_role(self.access, Role.MEMBER, account_id)
        plan = plan_replay(
            account_id=account_id,
            webhook_ids=[webhook.pk for webhook in body.pop("webhooks", [])],
            **body,
        )
        if is_dry_run:
            return Response(
                {
                    "deliveries": plan.deliveries,
                    "webhooks": plan.webhooks,
                    "seconds": plan.seconds,
                }
            )
        replay = start_replay(plan=plan, by=person_of(request))
        return self.shown(replay, 201, is_new=True)

    @extend_schema(request=None, responses=ReplaySerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Plan no more of it, and withdraw what is not under way."""
        replay = self.row_for(Role.MEMBER)
        cancel_replay(replay=replay)
        replay.refresh_from_db()
        return self.shown(replay)

    @extend_schema(request=None, responses=ReplaySerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Go on with one that has failed, where it was."""
        replay = self.row_for(Role.MEMBER)
        resume_replay(replay=replay)
        replay.refresh_from_db()
        return self.shown(replay)


class AlertSerializer(AccountSerializer):
    """Something that the people of an account were told about an endpoint."""

    expandable = {"webhook": WebhookSummary}

    webhook = Reference(Webhook, read_only=True)
    about = serializers.CharField(source="rung", read_only=True)

    class Meta:
        model = Alert
        fields = ["id", "account", "webhook", "about", "failing_since", "sent_at", "created_at"]
        read_only_fields = fields


class AlertFilters(RowFilters):
    """What alerts can be narrowed by."""

    webhook = ReferenceFilter(Webhook)
    about = filters.ChoiceFilter(
        field_name="rung", choices=[(rung.value, rung.value) for rung in Rung]
    )


class AlertViewSet(Listed):
    """Alerts, newest first."""

    model = Alert
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilters
