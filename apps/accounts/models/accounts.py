"""Tenants and who belongs to them."""

import uuid
from collections.abc import Callable
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.accounts.models.users import User
from apps.accounts.time_zones import time_zones
from apps.common.access import Role
from apps.common.models import AccountOwned, HooklineModel


def validate_time_zone(name: str) -> None:
    """Refuse what is not an IANA time zone name."""
    if name not in time_zones():
        raise ValidationError(
            "%(name)s is not a time zone; use a name like America/Los_Angeles.",
            code="unknown_time_zone",
            params={"name": name},
        )


class AccountKind(models.TextChoices):
    """What an account is."""

    AGENCY = "agency", "Agency"
    CLIENT = "client", "Client"


# How many days what was sent may be kept, and its bodies.
MOST_DAYS = 730
# The same of the audit log: less than a month would hide what somebody has just done.
FEWEST_AUDIT_DAYS, MOST_AUDIT_DAYS = 30, 3650


class Account(HooklineModel):
    """The tenant. An agency's members reach its client accounts too."""

    ID_PREFIX = "acc"
    # Rooms above add what an account uses of its agency: named, as far as it does.
    held_by_agency: ClassVar[list[Callable[["Account", uuid.UUID], str]]] = []

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=AccountKind, default=AccountKind.CLIENT)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="clients",
        limit_choices_to={"kind": AccountKind.AGENCY},
        verbose_name="agency",
        help_text="The agency that manages this client account, if any.",
    )
    time_zone = models.CharField(
        max_length=64, default="America/New_York", validators=[validate_time_zone]
    )
    has_reverse_lookup = models.BooleanField(
        "reverse look-up",
        default=False,
        db_default=False,
        help_text="The phone platform looks up who is behind a caller's number; post-call actions"
        " may send what it finds.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: nothing of this account is sent or accepted."
    )
    keep_bodies_days = models.PositiveSmallIntegerField(
        "keep bodies for, in days",
        default=30,
        db_default=30,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text="What was sent and answered, headers and queries included. It counts from the"
        " end of a delivery.",
    )
    keep_records_days = models.PositiveSmallIntegerField(
        "keep deliveries and calls for, in days",
        default=90,
        db_default=90,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text="Deliveries with their tries, and calls with their events. What waits to be sent"
        " stays.",
    )
    keep_audit_days = models.PositiveSmallIntegerField(
        "keep the audit log for, in days",
        default=365,
        db_default=365,
        validators=[MinValueValidator(FEWEST_AUDIT_DAYS), MaxValueValidator(MOST_AUDIT_DAYS)],
        help_text="Who did what, and from where: 30 days to 10 years.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(keep_audit_days__range=(FEWEST_AUDIT_DAYS, MOST_AUDIT_DAYS)),
                name="account_keeps_its_audit_log",
            ),
            models.CheckConstraint(
                condition=models.Q(keep_bodies_days__gte=1)
                & models.Q(keep_records_days__gte=models.F("keep_bodies_days"))
                & models.Q(keep_records_days__lte=MOST_DAYS),
                name="account_keeps_bodies_no_longer_than_records",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="client") | models.Q(parent=None),
                name="account_agencies_have_no_agency",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_agency(self) -> bool:
        """Tell whether this account manages others."""
        return self.kind == AccountKind.AGENCY

    def snapshot(self) -> dict[str, object]:
        """Return what a call keeps of its account, in the shape the tokens read."""
        return {"id": self.public_id, "name": self.name}

    def clean(self) -> None:
        """Keep agencies one level deep, and clients with whom they depend on."""
        if self.parent is not None and not self.parent.is_agency:
            raise ValidationError({"parent": "Only an agency can manage client accounts."})
        if self.is_agency and self.parent_id is not None:
            raise ValidationError({"parent": "An agency is not managed by another agency."})
        if not self.is_agency and self.pk and self.clients.exists():
            raise ValidationError({"kind": "This agency still manages client accounts."})
        bodies, records = self.keep_bodies_days, self.keep_records_days
        if bodies is not None and records is not None and bodies > records:
            raise ValidationError(
                {"keep_bodies_days": "Bodies can be kept no longer than their deliveries."}
            )
        if not self._state.adding:
            before = Account.objects.filter(pk=self.pk).values_list("parent", flat=True).first()
            if before is not None and before != self.parent_id:
                self._check_leaving(before)

    def _check_leaving(self, agency_id: uuid.UUID) -> None:
        for names_held in self.held_by_agency:
            if names := names_held(self, agency_id):
                raise ValidationError(
                    {"parent": f"This account still uses what its agency shares: {names}."}
                )


class Membership(AccountOwned):
    """What a user may do in an account."""

    ID_PREFIX = "mem"

    RoleChoices = [(role.value, role.name.capitalize()) for role in Role]

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(
        choices=RoleChoices,
        default=Role.MEMBER,
        help_text=(
            "Owners and admins manage members, keys and secrets. Members build webhooks and"
            " campaigns. Viewers only look."
        ),
    )

    class Meta:
        verbose_name = "member"
        ordering = ["user__email"]
        constraints = [
            models.UniqueConstraint(fields=["account", "user"], name="membership_once_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.user.email} ({Role(self.role).name.lower()})"

    @property
    def shown_name(self) -> str:
        """The name of a member who has logged in as one; before, only the e-mail is known.

        Who is invited may have a user already, whose name is no business of a stranger.
        """
        has_come = self.user.last_login is not None and self.user.last_login > self.created_at
        return self.user.full_name if has_come else ""
