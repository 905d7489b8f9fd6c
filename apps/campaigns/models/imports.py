"""CSV files on their way into an account."""

from django.db import models

from apps.accounts.models import User
from apps.common.models import AccountOwned


class SheetKind(models.TextChoices):
    """What can be imported."""

    LOCATIONS = "locations", "Locations"
    CAMPAIGNS = "campaigns", "Campaigns"
    NUMBERS = "numbers", "Tracking numbers"


class Import(AccountOwned):
    """A CSV file on its way into an account: checked first, then written on somebody's word.

    `content` is the file, until it is written, refused or thrown away. `faults` are the first of
    the `fault_count` that were found, each with row, column, code and message. `origin` is who
    asked, in the JSON form of `apps.common.origin`: the sweep works for them.
    """

    ID_PREFIX = "imp"

    class State(models.TextChoices):
        """Where it stands."""

        CHECKING = "checking", "Being checked"
        READY = "ready", "Ready"
        REFUSED = "refused", "Has faults"
        WRITING = "writing", "Being written"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

        @classmethod
        def at_work(cls) -> list["Import.State"]:
            """Return the states in which the sweep has something to do."""
            return [cls.CHECKING, cls.WRITING]

        @classmethod
        def to_cancel(cls) -> list["Import.State"]:
            """Return the states in which it can still be cancelled; in others it has ended."""
            return [cls.CHECKING, cls.READY]

        @classmethod
        def with_file(cls) -> list["Import.State"]:
            """Return the states in which the file is kept."""
            return [cls.CHECKING, cls.READY, cls.WRITING]

    kind = models.CharField("what", max_length=10, choices=SheetKind)
    file_name = models.CharField("file", max_length=200)
    content = models.BinaryField()
    state = models.CharField(max_length=10, choices=State, default=State.CHECKING)
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    origin = models.JSONField(default=dict)
    row_total = models.PositiveIntegerField("rows", default=0)
    checked_count = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField("new", default=0)
    changed_count = models.PositiveIntegerField("changed", default=0)
    unchanged_count = models.PositiveIntegerField("unchanged", default=0)
    fault_count = models.PositiveIntegerField("faults", default=0)
    faults = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["checking", "writing"]),
                name="import_at_work",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.file_name}"
