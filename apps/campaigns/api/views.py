"""Numbers, campaigns, treatments and attachments over the REST API."""

from django.db.models import QuerySet

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.api.serializers import (
    AttachmentSerializer,
    AttachmentWithWarnings,
    CampaignSerializer,
    OptionSerializer,
    TrackingNumberSerializer,
    TreatmentSerializer,
)
from apps.campaigns.models import (
    Attachment,
    Campaign,
    CampaignKind,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.common.access import Role
from apps.common.api.filters import FlagFilter, ReferenceFilter, RowFilters, filters
from apps.common.api.viewsets import Managed, NestedViewSet
from apps.webhooks.models import Webhook


class PlaceFilters(RowFilters):
    """What the things of a location can be narrowed by."""

    location = ReferenceFilter(Location)
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")
    is_active = FlagFilter()


class CampaignFilters(PlaceFilters):
    """What campaigns can be narrowed by."""

    kind = filters.ChoiceFilter(choices=CampaignKind.choices)


class CampaignViewSet(Managed):
    """Why people call: offline, or digital with a web session."""

    model = Campaign
    queryset = Campaign.objects.all()
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilters
    orders = ("-created_at", "name")


class TreatmentViewSet(Managed):
    """What callers go through, with the options they have."""

    model = Treatment
    queryset = Treatment.objects.all()
    serializer_class = TreatmentSerializer
    filterset_class = PlaceFilters
    orders = ("-created_at", "name")

    def rows(self) -> QuerySet[Treatment]:
        """Fetch the options along."""
        return Treatment.objects.prefetch_related("options")


class OptionViewSet(NestedViewSet, Managed):
    """The options of a treatment."""

    model = TreatmentOption
    queryset = TreatmentOption.objects.all()
    serializer_class = OptionSerializer
    delete_role = Role.MEMBER
    outer = TreatmentViewSet
    outer_kwarg = "treatment_id"
    orders = ("key",)

    def rows(self) -> QuerySet[TreatmentOption]:
        """Options of the treatment in the address."""
        return TreatmentOption.objects.filter(treatment=self.outer_row)


class NumberFilters(RowFilters):
    """What numbers can be narrowed by."""

    location = ReferenceFilter(Location)
    campaign = ReferenceFilter(Campaign)
    treatment = ReferenceFilter(Treatment)
    number = filters.CharFilter(help_text="The whole number, E.164 (%2B for the +).")


class TrackingNumberViewSet(Managed):
    """Numbers that callers dial."""

    model = TrackingNumber
    queryset = TrackingNumber.objects.all()
    serializer_class = TrackingNumberSerializer
    filterset_class = NumberFilters
    orders = ("-created_at", "number")


class AttachmentFilters(RowFilters):
    """What attachments can be narrowed by."""

    webhook = ReferenceFilter(Webhook)
    campaign = ReferenceFilter(Campaign)
    option = ReferenceFilter(TreatmentOption)
    treatment = ReferenceFilter(Treatment)
    location = ReferenceFilter(Location)
    timing = filters.ChoiceFilter(choices=Timing.choices)
    is_active = FlagFilter()


class AttachmentViewSet(Managed):
    """Webhooks where they are sent: campaigns, options, treatments, locations, whole accounts."""

    model = Attachment
    queryset = Attachment.objects.all()
    serializer_class = AttachmentSerializer
    detail_serializer = AttachmentWithWarnings
    filterset_class = AttachmentFilters
    delete_role = Role.MEMBER

    def rows(self) -> QuerySet[Attachment]:
        """Fetch along what the warnings of a single one are about."""
        rows = Attachment.objects.all()
        if self.action == "list":
            return rows
        return rows.select_related(
            "campaign",
            "own_template__current_version",
            "webhook__template__current_version",
        ).defer("webhook__secret")
