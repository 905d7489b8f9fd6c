"""Every try of a delivery."""

from django.db import models

from apps.accounts.models import Account
from apps.common.models import AccountOwned
from apps.delivery.models.deliveries import Delivery
from apps.delivery.outcome import ErrorKind

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


class Attempt(AccountOwned):
    """One HTTP request of a delivery, with all that is known of it. Credentials are masked."""

    ID_PREFIX = "try"

    # As its delivery's.
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    method = models.CharField(max_length=8)
    url = models.TextField("URL")
    request_headers = models.JSONField()
    request_body = models.TextField()
    response_status = models.PositiveSmallIntegerField(null=True)
    # Names with values: receivers may send one several times.
    response_headers = models.JSONField(default=list)
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
