"""Where callers come from, what they go through, and which webhooks tell of it."""

import re
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.functional import cached_property

from apps.accounts.models import Location, User
from apps.calls.events import Timing
from apps.campaigns.conditions import (
    FIELDS,
    Condition,
    InvalidCondition,
    condition_from,
    rules_of,
)
from apps.campaigns.conditions_in_words import in_words, span
from apps.common.documents import StrictDecoder
from apps.common.models import AccountOwned
from apps.common.phones import E164
from apps.webhooks.models import Template, Webhook

validate_e164 = RegexValidator(rf"^{E164}\Z", "Write the number in E.164 form, as +15551234567.")

_MOST_TAGS = 50
_TAG = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


class CampaignKind(models.TextChoices):
    """How a campaign reaches people."""

    OFFLINE = "offline", "Offline"
    DIGITAL = "digital", "Digital (DNI)"


class Campaign(AccountOwned):
    """A marketing campaign of a location. A digital one brings the caller's web session along."""

    ID_PREFIX = "cmp"

    location = models.ForeignKey(Location, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=CampaignKind, default=CampaignKind.OFFLINE)
    domain = models.CharField(
        max_length=253, blank=True, help_text="Digital: the website that shows the numbers."
    )
    tags = models.JSONField(
        default=dict,
        decoder=StrictDecoder,
        blank=True,
        help_text='Names and values to group campaigns by, as {"Region": "south"}; sent as %tags%.',
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its calls are recorded, and nothing is sent for it."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"], name="campaign_name_once_a_location"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse tags that are not names with values."""
        super().clean()
        self.check_tags()

    def check_tags(self) -> None:
        """Raise ValidationError for tags that are not names with values."""
        if not isinstance(self.tags, dict):
            raise ValidationError({"tags": 'Write tags as {"Region": "south"}.'})
        if len(self.tags) > _MOST_TAGS:
            raise ValidationError({"tags": f"A campaign has at most {_MOST_TAGS} tags."})
        for name, value in self.tags.items():
            if not isinstance(value, (str, int, float)) or not _TAG.fullmatch(f"{name}{value}"):
                raise ValidationError(
                    {"tags": f"The tag {name[:40]!r} needs a name and a value on one line each."}
                )

    def snapshot(self) -> dict[str, object]:
        """Return what a call keeps of its campaign, in the shape the tokens read."""
        return {
            "id": self.public_id,
            "name": self.name,
            "kind": self.kind,
            "domain": self.domain,
        }


class Treatment(AccountOwned):
    """What a caller goes through: a menu with options."""

    ID_PREFIX = "trt"

    location = models.ForeignKey(Location, models.CASCADE, related_name="treatments")
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: its calls are recorded, and nothing is sent for it."
    )

    class Meta:
        verbose_name = "call treatment"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"], name="treatment_name_once_a_location"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TreatmentOption(AccountOwned):
    """One choice of a treatment, as 1 = Sales."""

    ID_PREFIX = "opt"

    treatment = models.ForeignKey(Treatment, models.CASCADE, related_name="options")
    key = models.CharField(max_length=10, help_text="What the caller presses.")
    label = models.CharField(max_length=120, help_text="As “Sales”.")
    destination = models.CharField(
        max_length=16, blank=True, validators=[validate_e164], help_text="Where it rings (E.164)."
    )

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["treatment", "key"], name="option_key_once_a_treatment")
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.label}"


class TrackingNumber(AccountOwned):
    """A number that callers dial; leads to a campaign or a treatment of a location."""

    ID_PREFIX = "num"

    location = models.ForeignKey(Location, models.CASCADE, related_name="tracking_numbers")
    number = models.CharField(
        max_length=16, validators=[validate_e164], help_text="E.164, as +15551234567."
    )
    label = models.CharField(max_length=120, blank=True)
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="tracking_numbers"
    )
    treatment = models.ForeignKey(
        Treatment, models.SET_NULL, null=True, blank=True, related_name="tracking_numbers"
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="number_once_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}".strip()

    def clean(self) -> None:
        """Keep campaign and treatment at the number's own location."""
        super().clean()
        self.check_place()

    def check_place(self) -> None:
        """Raise ValidationError for a campaign or treatment of another location."""
        for name in ("campaign", "treatment"):
            target = getattr(self, name)
            if target is not None and target.location_id != self.location_id:
                raise ValidationError({name: f"This {name} belongs to another location."})

    def snapshot(self) -> dict[str, object]:
        """Return what a call keeps of the number beside itself, in the shape the tokens read."""
        return {"id": self.public_id, "label": self.label}


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


class WaitFor(models.TextChoices):
    """What a delivery may wait for."""

    RECORDING = "recording", "The recording"
    TRANSCRIPT = "transcript", "The transcript"


TARGETS = ("campaign", "option", "treatment", "location")


class Attachment(AccountOwned):
    """A webhook where it is sent: for a campaign, an option, a treatment, a location, or all.

    At most one of the four targets is set; none means every call of the account.
    """

    ID_PREFIX = "att"
    TARGETS = TARGETS

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="attachments")
    timing = models.CharField(
        max_length=8,
        choices=Timing,
        default=Timing.END,
        help_text="An option begins when the caller reaches it, and ends with the call.",
    )
    # For receivers that want another payload at each moment; set by the screen of their system.
    own_template = models.ForeignKey(
        Template, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    option = models.ForeignKey(
        TreatmentOption, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    treatment = models.ForeignKey(
        Treatment, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    location = models.ForeignKey(
        Location, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    not_later_than_min = models.PositiveIntegerField(
        "not later than, minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(11_520)],
        help_text="What could not be sent so many minutes after the event came in expires."
        " Empty: it is sent whenever that is possible.",
    )
    # The plain form of `apps.campaigns.conditions`.
    conditions = models.JSONField(default=dict, blank=True, editable=False)
    once_per_caller_h = models.PositiveIntegerField(
        "at most one for each caller in, hours",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(8_760)],
        help_text="Empty: every call. Callers that withhold their number are not counted.",
    )
    wait_for = models.CharField(
        "wait for",
        max_length=10,
        choices=WaitFor,
        blank=True,
        help_text="What a call is to have before it is sent; what has it already goes out at once.",
    )
    wait_min = models.PositiveSmallIntegerField(
        "for at most, minutes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_440)],
    )
    wait_skips = models.BooleanField(
        "then skip it",
        default=False,
        help_text="Off: without it, the call is sent all the same when the time is over.",
    )
    only_changes = models.BooleanField(
        "only what changed",
        default=False,
        help_text="Updates: fields that are as the webhook was last told are left out, and where"
        " none has changed nothing is sent. Fixed values and the call's id are always sent.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.lookups.LessThanOrEqual(
                    models.Func(
                        *TARGETS, function="num_nonnulls", output_field=models.IntegerField()
                    ),
                    1,
                ),
                name="attachment_has_one_target_at_most",
            ),
            models.UniqueConstraint(
                fields=["webhook", "timing", *TARGETS],
                name="attachment_once",
                nulls_distinct=False,
                violation_error_message="This webhook is attached here already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook} → {self.target_label} ({self.timing})"

    @cached_property
    def condition(self) -> Condition:
        """Return for which calls it sends."""
        return condition_from(self.conditions)

    @property
    def in_words(self) -> str:
        """Return for which calls it sends, what it waits for and what it leaves out."""
        try:
            parts = [in_words(self.condition)]
        except InvalidCondition:
            return "Nothing: its conditions can not be read"
        if self.once_per_caller_h:
            parts.append(f"one a caller in {span(self.once_per_caller_h * 3600)}")
        if self.wait_for and self.wait_min:
            otherwise = "skipped" if self.wait_skips else "sent anyway"
            what = self.get_wait_for_display().lower()
            parts.append(f"once {what} is there, {otherwise} after {span(self.wait_min * 60)}")
        if self.only_changes:
            parts.append("only what changed")
        return "; ".join(parts)

    @property
    def template(self) -> Template:
        """Return what is sent: its own template, else the webhook's."""
        return self.own_template or self.webhook.template

    @property
    def target_label(self) -> str:
        """Return where the webhook is attached, in words."""
        for name in self.TARGETS:
            if target := getattr(self, name):
                return f"{target._meta.verbose_name} {target}"
        return "every call of the account"

    def clean(self) -> None:
        """Refuse two targets, and a webhook of one location on another."""
        super().clean()
        chosen = [name for name in self.TARGETS if getattr(self, f"{name}_id")]
        if len(chosen) > 1:
            raise ValidationError("Choose one place only: " + " or ".join(chosen) + ".")
        self._check_conditions()
        if not self.webhook_id or self.webhook.location_id is None:
            return
        if self.place_id != self.webhook.location_id:
            raise ValidationError(
                {"webhook": f"This webhook belongs to the location {self.webhook.location}."}
            )

    def _check_conditions(self) -> None:
        """Refuse conditions that can not be read or never hold, and half a wait."""
        try:
            rules = rules_of(condition_from(self.conditions))
        except InvalidCondition as error:
            raise ValidationError({"conditions": str(error)}) from None
        if self.timing == Timing.BEGIN and any(FIELDS[rule.field].is_late for rule in rules):
            raise ValidationError(
                {
                    "conditions": "At the begin, nobody knows yet how the call will go: it would"
                    " never be sent."
                }
            )
        if bool(self.wait_for) != bool(self.wait_min):
            raise ValidationError({"wait_min": "Say what to wait for, and for how many minutes."})
        late = self.not_later_than_min
        if self.wait_min and late is not None and late <= self.wait_min:
            raise ValidationError(
                {"wait_min": "It would expire while it waits: choose fewer minutes."}
            )
        if self.only_changes and self.timing != Timing.UPDATED:
            raise ValidationError({"only_changes": "Only updates change something."})

    @property
    def place_id(self) -> UUID | None:
        """Return the location that its place is at; None for the whole account."""
        if self.option is not None:
            return self.option.treatment.location_id
        place = self.campaign or self.treatment
        return place.location_id if place is not None else self.location_id
