"""How endpoints are doing, and who was told."""

from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.formats import date_format

from apps.accounts.models import Account
from apps.common.models import AccountOwned
from apps.delivery.alerting import Rung
from apps.webhooks.models import Webhook


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

    `failing_since` names the time of failing that it belongs to; of deliveries that were given up
    as lost, when the first was planned. `sent_at` is set when the mails were handed over.
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

    @property
    def about(self) -> str:
        """Return what was told, as people read it."""
        since = date_format(timezone.localtime(self.failing_since), "DATETIME_FORMAT")
        if self.rung == Rung.LOST:
            return (
                f"Not everything was sent: deliveries were given up, the first planned at {since}"
            )
        return f"{self.get_rung_display()}, failing since {since}"
