"""Where callers come from, what they go through, and which webhooks tell of it."""

from apps.campaigns.models.attachments import PLACES, Attachment, WaitFor
from apps.campaigns.models.imports import Import, SheetKind
from apps.campaigns.models.places import (
    Campaign,
    CampaignKind,
    TrackingNumber,
    Treatment,
    TreatmentOption,
    validate_e164,
)

__all__ = [
    "PLACES",
    "Attachment",
    "Campaign",
    "CampaignKind",
    "Import",
    "SheetKind",
    "TrackingNumber",
    "Treatment",
    "TreatmentOption",
    "WaitFor",
    "validate_e164",
]
