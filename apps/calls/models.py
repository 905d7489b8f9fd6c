"""Phone calls and what happened to them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.accounts.models import Account, Location
from apps.calls.events import CallStatus, EventType
from apps.common.models import AccountOwned


class Call(AccountOwned):
    """One phone call, as it is known now.

    `snapshot` is the fold of its events over `context`, what is known of its place. Campaign,
    treatments and options are kept as plain keys: their room is above this one, and a call
    outlives them.
    """

    ID_PREFIX = "call"
    # What an event may change.
    CHANGED_BY_EVENTS = (
        "direction",
        "status",
        "caller",
        "caller_name",
        "tracking_number",
        "campaign_key",
        "treatment_keys",
        "option_keys",
        "started_at",
        "ended_at",
        "duration_s",
        "talk_s",
        "context",
        "snapshot",
        "last_occurred_at",
        "last_sequence",
        "is_begun",
        "is_ended",
    )

    # The composite indexes below serve these two.
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    location = models.ForeignKey(Location, models.RESTRICT, related_name="calls", db_index=False)
    external_id = models.CharField("platform's call id", max_length=128)
    direction = models.CharField(max_length=10, blank=True)
    status = models.CharField(max_length=10, choices=CallStatus, blank=True)
    caller = models.CharField(max_length=32, blank=True, help_text="E.164, or anonymous.")
    caller_name = models.CharField(max_length=200, blank=True)
    tracking_number = models.CharField(max_length=32, blank=True)
    campaign_key = models.UUIDField(null=True)
    treatment_keys = ArrayField(models.UUIDField(), default=list)
    option_keys = ArrayField(models.UUIDField(), default=list)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    duration_s = models.PositiveIntegerField("duration, seconds", null=True)
    talk_s = models.PositiveIntegerField("talk time, seconds", null=True)
    context = models.JSONField(default=dict)
    snapshot = models.JSONField(default=dict)
    # Where the newest event stands; an older one that arrives later needs a fold from the start.
    last_occurred_at = models.DateTimeField(null=True)
    last_sequence = models.BigIntegerField(default=0)
    # A begin and an end are told once a call, whatever the platform repeats.
    is_begun = models.BooleanField(default=False)
    is_ended = models.BooleanField(default=False)
    # From then on nothing personal is kept of it, also of events that come later.
    erased_at = models.DateTimeField("personal data erased", null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "external_id"], name="call_external_id_once_an_account"
            )
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="call_newest_of_account"),
            models.Index(fields=["location", "caller"], name="call_of_caller"),
        ]

    def __str__(self) -> str:
        return f"{self.caller or 'unknown'} → {self.tracking_number or self.location}"


class CallEvent(AccountOwned):
    """One immutable fact about a call, with the call as it was at that moment."""

    ID_PREFIX = "evt"

    # As its call's, which PostgreSQL sees to (decision 29).
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    external_id = models.CharField("platform's event id", max_length=128)
    type = models.CharField(max_length=24, choices=EventType)
    occurred_at = models.DateTimeField()
    sequence = models.BigIntegerField(default=0)
    facts = models.JSONField()
    snapshot = models.JSONField()

    class Meta:
        ordering = ["occurred_at", "sequence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "external_id"], name="event_external_id_once_an_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} at {self.occurred_at:%H:%M:%S}"
