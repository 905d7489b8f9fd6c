"""Which webhooks tell of what."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.functional import cached_property

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.conditions import (
    FIELDS,
    Condition,
    InvalidCondition,
    condition_from,
    placed_rules,
)
from apps.campaigns.conditions_in_words import in_words, span
from apps.campaigns.models.places import Campaign, Treatment, TreatmentOption
from apps.common.models import AccountOwned
from apps.webhooks.models import Template, Webhook


class WaitFor(models.TextChoices):
    """What a delivery may wait for."""

    RECORDING = "recording", "The recording"
    TRANSCRIPT = "transcript", "The transcript"


PLACES = ("campaign", "option", "treatment", "location")


class Attachment(AccountOwned):
    """A webhook where it is sent: for a campaign, an option, a treatment, a location, or all.

    At most one of the four places is set; none means every call of the account.
    """

    ID_PREFIX = "att"
    PLACES = PLACES

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
                        *PLACES, function="num_nonnulls", output_field=models.IntegerField()
                    ),
                    1,
                ),
                name="attachment_has_one_target_at_most",
            ),
            models.UniqueConstraint(
                fields=["webhook", "timing", *PLACES],
                name="attachment_once",
                nulls_distinct=False,
                violation_error_message="This webhook is attached here already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook} → {self.place_label} ({self.timing})"

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
    def place_label(self) -> str:
        """Return where the webhook is attached, in words."""
        for name in self.PLACES:
            if place := getattr(self, name):
                return f"{place._meta.verbose_name} {place}"
        return "every call of the account"

    def clean(self) -> None:
        """Refuse two places, and a webhook of one location on another."""
        super().clean()
        chosen = [name for name in self.PLACES if getattr(self, f"{name}_id")]
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
            rules = placed_rules(condition_from(self.conditions))
        except InvalidCondition as error:
            raise ValidationError({f"conditions{error.place}": str(error)}) from None
        late_places = [place for place, rule in rules.items() if FIELDS[rule.field].is_late]
        if self.timing == Timing.BEGIN and late_places:
            raise ValidationError(
                {
                    f"conditions{late_places[0]}": "At the begin, nobody knows yet how the call"
                    " will go: it would never be sent."
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
