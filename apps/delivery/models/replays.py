"""What is sent again, many at a time."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import User
from apps.common.models import AccountOwned


class Replay(AccountOwned):
    """Sending again what matches a filter in a window of time, at a bounded rate.

    The sweep walks what matches, oldest first, and plans a delivery for each; `walked_at` and
    `walked_key` say how far it has come. An empty list of webhooks or timings means all of them.
    A step is counted in `failure_count` before it is made, and no more once it has succeeded; the
    next one is not made before `retry_at`.
    """

    ID_PREFIX = "rpl"
    MOST_A_SECOND = 1_000

    class State(models.TextChoices):
        """Where it stands; a cancelled one ends when what it planned is withdrawn."""

        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

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
    failure_count = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True, default="")
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
