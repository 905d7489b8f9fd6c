"""Places that receive calls."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from apps.accounts.business_hours import InvalidHours, check_hours
from apps.accounts.countries import COUNTRIES
from apps.accounts.models.accounts import validate_time_zone
from apps.common.models import AccountOwned


def validate_country(code: str) -> None:
    """Refuse what is no country, in capitals."""
    if code not in COUNTRIES:
        raise ValidationError(
            "There is no country %(code)s; write two letters, as US or GB.",
            code="unknown_country",
            params={"code": code},
        )


class Group(AccountOwned):
    """A set of locations inside an account, to share templates with."""

    ID_PREFIX = "grp"

    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="group_name_once_an_account")
        ]

    def __str__(self) -> str:
        return self.name


class Location(AccountOwned):
    """A place that receives calls; what the `location_info` tokens read."""

    ID_PREFIX = "loc"

    name = models.CharField(max_length=120)
    group = models.ForeignKey(
        Group, models.SET_NULL, null=True, blank=True, related_name="locations"
    )
    address_line_1 = models.CharField("address", max_length=200, blank=True)
    address_line_2 = models.CharField("address, second line", max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField("state or region", max_length=100, blank=True)
    zip = models.CharField("ZIP or postal code", max_length=20, blank=True)
    country = models.CharField(
        max_length=2,
        default="US",
        validators=[validate_country],
        help_text="Two letters, as US (ISO 3166-1).",
    )
    time_zone = models.CharField(
        max_length=64, default="America/New_York", validators=[validate_time_zone]
    )
    # The plain form of `apps.accounts.business_hours`.
    business_hours = models.JSONField(default=dict, blank=True, editable=False)
    client_account_id = models.CharField(
        "client's account ID",
        max_length=64,
        blank=True,
        help_text="The number the client knows itself by; sent as %account_id%.",
    )
    client_location_id = models.CharField(
        "client's location ID",
        max_length=64,
        blank=True,
        help_text="The client's own id of this place; sent as %location_id%, and a phone platform"
        " may name the location by it.",
    )
    site_id = models.CharField("site ID", max_length=64, blank=True, help_text="Sent as %site_id%.")
    domain_id = models.CharField(
        "domain ID", max_length=64, blank=True, help_text="Sent as %domain_id%."
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its calls are recorded, and nothing is sent for it."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_location_id"],
                condition=~models.Q(client_location_id=""),
                name="location_client_id_once_an_account",
                violation_error_message="Another location has this client's location ID.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse hours that are none."""
        super().clean()
        try:
            check_hours(self.business_hours)
        except InvalidHours as error:
            raise ValidationError({"business_hours": str(error)}) from None

    def snapshot(self) -> dict[str, Any]:
        """Return what a call keeps of its location, in the shape the tokens read."""
        return {
            "id": self.public_id,
            "name": self.name,
            "address_line_1": self.address_line_1,
            "address_line_2": self.address_line_2,
            "city": self.city,
            "state": self.state,
            "zip": self.zip,
            "country": self.country,
            "time_zone": self.time_zone,
            "client_account_id": self.client_account_id,
            "client_location_id": self.client_location_id,
            "site_id": self.site_id,
            "domain_id": self.domain_id,
        }
