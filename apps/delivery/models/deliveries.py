"""What is sent: one event to one webhook."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from apps.accounts.models import Account
from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.campaigns.models import WaitFor
from apps.common.models import AccountOwned
from apps.webhooks.models import TemplateVersion, Webhook


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    WAITING = "waiting", "Waiting for an earlier one"
    PENDING = "pending", "Pending"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"
    SKIPPED = "skipped", "Skipped"

    @classmethod
    def unfinished(cls) -> tuple["DeliveryState", ...]:
        """States that a delivery still leaves."""
        return (cls.WAITING, cls.PENDING)

    @classmethod
    def finished(cls) -> tuple["DeliveryState", ...]:
        """States that a delivery does not leave."""
        return (cls.SUCCEEDED, cls.FAILED, cls.EXPIRED, cls.SKIPPED)

    @classmethod
    def unsuccessful(cls) -> tuple["DeliveryState", ...]:
        """States in which the receiver has not got it, for all that is known."""
        return (cls.FAILED, cls.EXPIRED)


class Delivery(AccountOwned):
    """One event to one webhook. It exists because this row does; Redis only wakes its sender.

    A pending one is due at `next_attempt_at`. Whoever claims it signs with `claim` and has it until
    `leased_until`: if the claimer dies, anybody may claim it again by then.
    """

    ID_PREFIX = "msg"

    # The composite indexes below serve these; each spared index is a cheaper plan.
    # Account and call are those of the event, which PostgreSQL sees to (decision 29).
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    webhook = models.ForeignKey(Webhook, models.RESTRICT, related_name="deliveries", db_index=False)
    template_version = models.ForeignKey(
        TemplateVersion, models.PROTECT, related_name="+", db_index=False
    )
    call = models.ForeignKey(Call, models.CASCADE, related_name="deliveries", db_constraint=False)
    event = models.ForeignKey(CallEvent, models.CASCADE, related_name="deliveries")
    # A plain key: what happened outlives the attachment that made it happen.
    attachment_key = models.UUIDField(null=True)
    resent_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="resent_as", db_index=False
    )
    replay = models.ForeignKey(
        "Replay", models.SET_NULL, null=True, related_name="deliveries", db_index=False
    )
    timing = models.CharField(max_length=8, choices=Timing)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    next_attempt_at = models.DateTimeField(null=True)
    # From then on nobody wants it any more, as its attachment said.
    expires_at = models.DateTimeField(null=True)
    # What its attachment has it wait for, at most until then; it is pending, and due then.
    waits_for = models.CharField(max_length=10, choices=WaitFor, blank=True, db_default="")
    wait_until = models.DateTimeField(null=True)
    # The event that brought what it waited for: the call is sent as it was then.
    content_event = models.ForeignKey(
        CallEvent, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # The places of the template that changed, where only those are sent.
    changed_paths = ArrayField(models.TextField(), null=True)
    # In no index, and there is room in each page for the row with them: so a claim costs little.
    claim = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempt_count = models.PositiveSmallIntegerField("tries", default=0)
    # Those of them that ended with the worker; its schedule does not count them.
    lost_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    last_status = models.PositiveSmallIntegerField("last response", null=True)
    last_error = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)
    # From then on its tries have neither bodies nor headers.
    bodies_removed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "webhook"],
                condition=Q(resent_from=None),
                name="delivery_once_an_event_and_webhook",
            )
        ]
        indexes = [
            # What the claim walks: only unfinished work is in it, whatever the history.
            models.Index(
                fields=["webhook", "next_attempt_at"],
                condition=Q(state="pending"),
                name="delivery_due",
            ),
            # A later delivery of the same call and webhook waits for these.
            models.Index(
                fields=["call", "webhook"],
                condition=Q(state__in=["pending", "waiting"]),
                name="delivery_unfinished_of_call",
            ),
            # What a finished delivery looks up; nearly always empty.
            models.Index(
                fields=["call", "webhook"],
                condition=Q(state="waiting"),
                name="delivery_waiting",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=["pending", "waiting"], expires_at__isnull=False),
                name="delivery_expiring",
            ),
            # What a recording or a transcript looks up; nearly always few.
            models.Index(
                fields=["call"],
                condition=Q(state__in=["pending", "waiting"], wait_until__isnull=False),
                name="delivery_waits_for_call",
            ),
            models.Index(
                fields=["resent_from"],
                condition=Q(resent_from__isnull=False),
                name="delivery_resent_from",
            ),
            models.Index(
                fields=["replay"],
                condition=Q(replay__isnull=False),
                name="delivery_of_replay",
            ),
            # With what is counted of many rows at once, so that only the index is read for that.
            models.Index(
                fields=["account", "-created_at"],
                include=["state", "attempt_count"],
                name="delivery_newest_of_account",
            ),
            models.Index(
                fields=["webhook", "-created_at"],
                include=["state"],
                name="delivery_newest_of_webhook",
            ),
            # Those few among all the others that people look for.
            models.Index(
                fields=["account", "-created_at"],
                condition=Q(state__in=["failed", "expired", "skipped"]),
                name="delivery_unsuccessful",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def skip(self, reason: str, now: dt.datetime) -> None:
        """Have it not be sent, and say why, before it is stored."""
        self.state, self.finished_at = DeliveryState.SKIPPED, now
        self.next_attempt_at = self.expires_at = None
        self.last_error = f"Skipped: {reason}"[:500]

    @property
    def is_held(self) -> bool:
        """Whether it waits for something of its call."""
        return bool(
            self.wait_until
            and self.attempt_count == 0
            and self.state in DeliveryState.unfinished()
            and self.wait_until > timezone.now()
        )

    @property
    def shown_state(self) -> str:
        """Return its state as people read it; one that is held waits, too."""
        if self.is_held or self.state == DeliveryState.WAITING:
            return "Waiting"
        return str(self.get_state_display())

    @property
    def next_try(self) -> str:
        """Return when it is tried next, as people read it; "" for never."""
        now = timezone.now()
        if self.state != DeliveryState.PENDING or self.next_attempt_at is None:
            return ""
        free_at = self.leased_until or self.next_attempt_at
        if self.claim and free_at > now:
            return "being sent"
        if not self.webhook.is_active:
            return "once the webhook is on"
        # One that was given back is left alone for a while, too.
        at = max(self.next_attempt_at, free_at)
        return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at > now else "due now"

    @property
    def remark(self) -> str:
        """Return what is special about it, in a sentence; "" for nothing."""
        what = self.get_waits_for_display().lower()
        if self.is_held:
            otherwise = "is skipped" if self.expires_at == self.wait_until else "is sent anyway"
            until = f"{timezone.localtime(self.wait_until):%H:%M:%S}"
            return f"It waits for {what} until {until}, and then {otherwise}."
        if self.state == DeliveryState.SKIPPED:
            return self.last_error
        if self.content_event_id:
            return f"It waited for {what}."
        if self.waits_for:
            return f"It was sent without {what}, which had not come in time."
        return "" if self.changed_paths is None else "Only what had changed is sent."
