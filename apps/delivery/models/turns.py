"""Which callers were told of, where an attachment sends one for each in some hours."""

from django.db import models

from apps.common.models import AccountOwned


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
