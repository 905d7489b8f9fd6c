"""Where callers come from, and what they go through."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from apps.accounts.models import Location
from apps.common.documents import StrictDecoder
from apps.common.models import AccountOwned
from apps.common.phones import E164

validate_e164 = RegexValidator(rf"^{E164}\Z", "Write the number in E.164 form, as +15551234567.")

_MOST_TAGS = 50
_TAG = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


class CampaignKind(models.TextChoices):
    """How a campaign reaches people."""

    OFFLINE = "offline", "Offline"
    DIGITAL = "digital", "Digital (DNI)"


class Campaign(AccountOwned):
    """A marketing campaign of a location. A digital one brings the caller's web session along."""

    ID_PREFIX = "cmp"

    location = models.ForeignKey(Location, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=CampaignKind, default=CampaignKind.OFFLINE)
    domain = models.CharField(
        max_length=253, blank=True, help_text="Digital: the website that shows the numbers."
    )
    tags = models.JSONField(
        default=dict,
        decoder=StrictDecoder,
        blank=True,
        help_text='Names and values to group campaigns by, as {"Region": "south"}; sent as %tags%.',
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its calls are recorded, and nothing is sent for it."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"], name="campaign_name_once_a_location"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse tags that are not names with values."""
        super().clean()
        self.check_tags()

    def check_tags(self) -> None:
        """Raise ValidationError for tags that are not names with values."""
        if not isinstance(self.tags, dict):
            raise ValidationError({"tags": 'Write tags as {"Region": "south"}.'})
        if len(self.tags) > _MOST_TAGS:
            raise ValidationError({"tags": f"A campaign has at most {_MOST_TAGS} tags."})
        for name, value in self.tags.items():
            if not isinstance(value, (str, int, float)) or not (
                _TAG.fullmatch(name) and _TAG.fullmatch(str(value))
            ):
                raise ValidationError(
                    {"tags": f"The tag {name[:40]!r} needs a name and a value on one line each."}
                )

    def snapshot(self) -> dict[str, object]:
        """Return what a call keeps of its campaign, in the shape the tokens read."""
        return {
            "id": self.public_id,
            "name": self.name,
            "kind": self.kind,
            "domain": self.domain,
        }


class Treatment(AccountOwned):
    """What a caller goes through: a menu with options."""

    ID_PREFIX = "trt"

    location = models.ForeignKey(Location, models.CASCADE, related_name="treatments")
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its calls are recorded, and nothing is sent for it."
    )

    class Meta:
        verbose_name = "call treatment"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"], name="treatment_name_once_a_location"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TreatmentOption(AccountOwned):
    """One choice of a treatment, as 1 = Sales."""

    ID_PREFIX = "opt"

    treatment = models.ForeignKey(Treatment, models.CASCADE, related_name="options")
    key = models.CharField(max_length=10, help_text="What the caller presses.")
    label = models.CharField(max_length=120, help_text="As “Sales”.")
    destination = models.CharField(
        max_length=16, blank=True, validators=[validate_e164], help_text="Where it rings (E.164)."
    )

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["treatment", "key"], name="option_key_once_a_treatment")
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.label}"


class TrackingNumber(AccountOwned):
    """A number that callers dial; leads to a campaign or a treatment of a location."""

    ID_PREFIX = "num"

    location = models.ForeignKey(Location, models.CASCADE, related_name="tracking_numbers")
    number = models.CharField(
        max_length=16, validators=[validate_e164], help_text="E.164, as +15551234567."
    )
    label = models.CharField(max_length=120, blank=True)
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="tracking_numbers"
    )
    treatment = models.ForeignKey(
        Treatment, models.SET_NULL, null=True, blank=True, related_name="tracking_numbers"
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="number_once_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}".strip()

    def clean(self) -> None:
        """Keep campaign and treatment at the number's own location."""
        super().clean()
        self.check_place()

    def check_place(self) -> None:
        """Raise ValidationError for a campaign or treatment of another location."""
        for name in ("campaign", "treatment"):
            place = getattr(self, name)
            if place is not None and place.location_id != self.location_id:
                raise ValidationError({name: f"This {name} belongs to another location."})

    def snapshot(self) -> dict[str, object]:
        """Return what a call keeps of the number beside itself, in the shape the tokens read."""
        return {"id": self.public_id, "label": self.label}
