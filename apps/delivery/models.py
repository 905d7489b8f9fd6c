"""What is sent: one event to one webhook, and every try of it."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone

from apps.accounts.models import Account, User
from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.campaigns.models import WaitFor
from apps.common.models import AccountOwned
from apps.delivery.alerting import Rung
from apps.delivery.outcome import ErrorKind
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


ERROR_LABELS = {
    ErrorKind.DNS: "Name not found",
    ErrorKind.REFUSED: "Connection refused",
    ErrorKind.TLS: "TLS failed",
    ErrorKind.TIMEOUT: "Timed out",
    ErrorKind.BLOCKED: "Address not allowed",
    ErrorKind.CLOSED: "Connection closed",
    ErrorKind.TOO_LARGE: "Too large",
    ErrorKind.PROTOCOL: "Not HTTP",
    ErrorKind.HTTP: "Response code",
    ErrorKind.LOCAL: "On our side",
    ErrorKind.RENDER: "Payload not made",
    ErrorKind.SETTINGS: "Settings unreadable",
    ErrorKind.LOST: "Worker lost",
}


class Delivery(AccountOwned):
    """One event to one webhook. It exists because this row does; Redis only wakes its sender.

    A pending one is due at `next_attempt_at`. Whoever claims it pushes that moment a lease ahead
    and signs with `claim`: if the claimer dies, the delivery falls due again by itself.
    """

    ID_PREFIX = "msg"

    # The composite indexes below serve these; each spared index is a cheaper plan.
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, models.RESTRICT, related_name="deliveries", db_index=False)
    template_version = models.ForeignKey(
        TemplateVersion, models.PROTECT, related_name="+", db_index=False
    )
    call = models.ForeignKey(Call, models.CASCADE, related_name="deliveries")
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
    claim = models.UUIDField(null=True)
    attempt_count = models.PositiveSmallIntegerField("tries", default=0)
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
            models.Index(
                F("next_attempt_at"), condition=Q(state="pending"), name="delivery_oldest_due"
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


class CallerTurn(AccountOwned):
    """That an attachment which sends at most one for each caller has sent one, and when.

    `delivery_key` is a plain key: a delivery that is skipped after all gives its turn back.
    """

    ID_PREFIX = "trn"

    attachment_key = models.UUIDField()
    caller = models.CharField(max_length=32)
    taken_at = models.DateTimeField()
    until = models.DateTimeField()
    delivery_key = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["attachment_key", "caller"], name="turn_once_an_attachment_and_caller"
            )
        ]
        indexes = [
            models.Index(fields=["delivery_key"], name="turn_of_delivery"),
            models.Index(fields=["until"], name="turn_until"),
        ]

    def __str__(self) -> str:
        return f"turn of {self.caller}"


class Replay(AccountOwned):
    """Sending again what matches a filter in a window of time, at a bounded rate.

    The sweep walks what matches, oldest first, and plans a delivery for each; `walked_at` and
    `walked_key` say how far it has come. An empty list of webhooks or timings means all of them.
    """

    ID_PREFIX = "rpl"
    MOST_A_SECOND = 1_000

    class State(models.TextChoices):
        """Where it stands; a cancelled one ends when what it planned is withdrawn."""

        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    since = models.DateTimeField("planned from")
    until = models.DateTimeField("planned before")
    webhook_ids = ArrayField(models.UUIDField(), default=list)
    states = ArrayField(models.CharField(max_length=10))
    timings = ArrayField(models.CharField(max_length=8), default=list)
    with_current_version = models.BooleanField(default=False)
    rate_per_s = models.PositiveSmallIntegerField(
        "a second", default=10, validators=[MinValueValidator(1), MaxValueValidator(MOST_A_SECOND)]
    )
    total = models.PositiveIntegerField()
    planned_count = models.PositiveIntegerField("planned", default=0)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    walked_at = models.DateTimeField(null=True)
    walked_key = models.UUIDField(null=True)
    stepped_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("since")), name="replay_of_a_window_of_time"
            ),
            models.CheckConstraint(condition=Q(rate_per_s__gte=1), name="replay_goes_on"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(finished_at=None), name="replay_unfinished"
            )
        ]

    def __str__(self) -> str:
        return f"replay of {self.total} deliveries"


class Attempt(AccountOwned):
    """One HTTP request of a delivery, with all that is known of it. Credentials are masked."""

    ID_PREFIX = "try"

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    method = models.CharField(max_length=8)
    url = models.TextField("URL")
    request_headers = models.JSONField()
    request_body = models.TextField()
    response_status = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    is_response_truncated = models.BooleanField(default=False)
    error_kind = models.CharField(
        max_length=10,
        choices=[(kind.value, label) for kind, label in ERROR_LABELS.items()],
        blank=True,
    )
    error_message = models.CharField(max_length=500, blank=True)
    dns_ms = models.FloatField(null=True)
    connect_ms = models.FloatField(null=True)
    first_byte_ms = models.FloatField(null=True)
    total_ms = models.FloatField()
    worker = models.CharField(max_length=80)
    # 2 when a pooled connection turned out to be dead and the request was written to a new one.
    sends = models.PositiveSmallIntegerField("times on the wire", db_default=1)

    class Meta:
        ordering = ["started_at"]
        indexes = [models.Index(fields=["delivery", "number"], name="attempt_of_delivery")]

    def __str__(self) -> str:
        return f"try {self.number}"


class EndpointHealth(AccountOwned):
    """How an endpoint has been doing of late; one row a webhook, made and kept by the database.

    The engine writes it with the tries that it is about; what the columns mean is said by
    `apps.delivery.breaker.Health`. The limit of a webhook is a bucket: `tokens` is what was in it
    at `tokens_at`, filled by `rate_per_s`, which follows the webhook. So does `concurrency`: where
    there is one, only the worker `holder` sends to it, until `held_until`.
    """

    ID_PREFIX = "eh"

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    webhook = models.OneToOneField(Webhook, models.CASCADE, related_name="health")
    last_success_at = models.DateTimeField("last success", null=True)
    last_failure_at = models.DateTimeField("last failure", null=True)
    failing_since = models.DateTimeField(null=True)
    failures_in_row = models.PositiveIntegerField("failures in a row", db_default=0)
    slices = models.JSONField(db_default=Value([], models.JSONField()))
    opened_at = models.DateTimeField(null=True)
    probe_at = models.DateTimeField("next probe", null=True)
    probe_wait_s = models.PositiveSmallIntegerField(db_default=0)
    is_probing = models.BooleanField(db_default=False)
    release_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    rate_per_s = models.FloatField(null=True)
    tokens = models.FloatField(db_default=0.0)
    tokens_at = models.DateTimeField(null=True)
    concurrency = models.PositiveSmallIntegerField(null=True)
    holder = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "endpoint health"
        indexes = [
            # Those that a claim must look at one by one; nearly always few.
            models.Index(
                fields=["webhook"],
                condition=Q(probe_at__isnull=False)
                | Q(rate_per_s__isnull=False)
                | Q(concurrency__isnull=False),
                name="health_gated",
            ),
            models.Index(
                fields=["release_at"],
                condition=Q(release_at__isnull=False),
                name="health_release",
            ),
        ]

    def __str__(self) -> str:
        return f"health of {self.webhook}"


class Alert(AccountOwned):
    """Something that the people of an account are told about an endpoint, once.

    `failing_since` names the time of failing that it belongs to; `sent_at` is set when the mails
    were handed over.
    """

    ID_PREFIX = "alt"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="alerts")
    rung = models.CharField(
        "about", max_length=10, choices=[(rung.value, rung.value.capitalize()) for rung in Rung]
    )
    failing_since = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "failing_since", "rung"], name="alert_once_a_change"
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(sent_at=None), name="alert_unsent")
        ]

    def __str__(self) -> str:
        return f"{self.webhook}: {self.rung}"
