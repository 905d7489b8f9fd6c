"""One webhook or template for many locations, in one request."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Group, Location
from apps.calls.events import Timing
from apps.campaigns.applying import MOST_LOCATIONS, Applied, Outcome, apply_template, apply_webhook
from apps.common.access import Access, Role
from apps.common.api.fields import AccountKey, PublicId, Reference, References, ShortList
from apps.common.api.serializers import StrictSerializer, read, refuse
from apps.common.api.viewsets import RowViewSet
from apps.webhooks.api.template_views import TemplateViewSet
from apps.webhooks.models import Template
from apps.webhooks.sharing import templates_for


class ChosenBy(StrictSerializer):
    """Locations by what they have in common."""

    account = AccountKey(source="account_id", required=False)
    group = Reference(Group, required=False)
    is_active = serializers.BooleanField(required=False)


class ApplyBody(StrictSerializer):
    """The locations: by their ids, or by a filter."""

    locations = References(Location, required=False, max_length=MOST_LOCATIONS)
    filter = ChosenBy(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if ("locations" in attrs) == ("filter" in attrs):
            refuse("", "invalid", "Name either locations or a filter.")
        return attrs


class ApplyWebhookBody(ApplyBody):
    """The locations, and when to send; by default as for the webhook's own location."""

    timings = ShortList(child=serializers.ChoiceField(Timing.choices), default=list, max_length=3)


class ApplyTemplateBody(ApplyBody):
    """The locations, and the template that is replaced there; by default any of the same type."""

    replaces = Reference(
        Template, rows=lambda access: templates_for(access.account_ids, access), required=False
    )


class AppliedAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What became of one location."""

    location = serializers.CharField()
    outcome = serializers.ChoiceField([(each.value, each.value) for each in Outcome])
    message = serializers.CharField()
    webhooks = serializers.ListField(child=serializers.CharField())


class AppliedAnswers(serializers.Serializer):  # type: ignore[type-arg]
    """What became of each location."""

    data = AppliedAnswer(many=True)  # type: ignore[assignment]


class AppliesWebhook(RowViewSet):
    """Lets a webhook be applied to locations."""

    @extend_schema(request=ApplyWebhookBody, responses=AppliedAnswers)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, **kwargs: Any) -> Response:
        """See to it that calls of each location are told as this webhook tells of its own.

        Each location is by itself, with a result. At most 500; repeating it changes nothing.
        """
        webhook = self.row_for(Role.MEMBER)
        body = read(ApplyWebhookBody, request)
        return _answer(
            apply_webhook(
                webhook=webhook,
                locations=chosen_locations(body, self.access),
                by=self.access,
                timings=body["timings"],
            )
        )


class TemplatesToApply(TemplateViewSet):
    """Templates, which can be applied to locations."""

    action_parameters = {**TemplateViewSet.action_parameters, "apply": frozenset()}

    @extend_schema(request=ApplyTemplateBody, responses=AppliedAnswers)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, **kwargs: Any) -> Response:
        """Let the webhooks of each location send this template.

        Each location is by itself, with a result. At most 500; repeating it changes nothing.
        """
        template = self.get_object()
        body = read(ApplyTemplateBody, request)
        return _answer(
            apply_template(
                template=template,
                locations=chosen_locations(body, self.access),
                by=self.access,
                replaces=body.get("replaces"),
            )
        )


def chosen_locations(body: dict[str, Any], access: Access) -> Sequence[Location]:
    """Return the locations of a body, one more than may be where there are too many."""
    if "locations" in body:
        return list(body["locations"])
    locations: QuerySet[Location] = Location.objects.filter(account_id__in=access.account_ids)
    return list(locations.filter(**body["filter"]).order_by("pk")[: MOST_LOCATIONS + 1])


def _answer(results: Sequence[Applied]) -> Response:
    webhook_id = PublicId("wh").to_representation
    return Response(
        {
            "data": [
                {
                    "location": each.location.public_id,
                    "outcome": each.outcome.value,
                    "message": each.message,
                    "webhooks": [webhook_id(webhook.pk) for webhook in each.webhooks],
                }
                for each in results
            ]
        }
    )
