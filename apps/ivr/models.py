"""IVRs, the web hook that is asked while a caller waits, and every time it was."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.text import Truncator

from apps.accounts.models import Account, Location
from apps.common.fields import EncryptedTextField
from apps.common.models import AccountOwned
from apps.ivr.actions import MAX_VALUE_CHARS, check_action
from apps.ivr.decisions import AnswerFault, App, Decision, Message, as_plain
from apps.ivr.replies import Form
from apps.ivr.twiml import has_verb
from apps.webhooks.models import Webhook

DEFAULT_BUDGET_S = 5
MAX_BUDGET_S = 10
# A share of the budget that is kept for the fallback URL, if there is one.
FALLBACK_SHARE = 0.4
# Of the parameters that a web hook has anyway.
RESERVED_PREFIXES = ("ivr_", "st_")


class Ivr(AccountOwned):
    """A menu of the phone platform that asks questions; receivers and actions know its number."""

    ID_PREFIX = "ivr"

    number = models.PositiveBigIntegerField(
        "ID",
        validators=[MinValueValidator(1), MaxValueValidator(10**15)],
        help_text="The number by which the phone platform and receivers know it, as 75.",
    )
    name = models.CharField(max_length=120)
    location = models.ForeignKey(
        Location,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="ivrs",
        help_text="Whose callers it asks.",
    )
    # Sends the transcripts of recorded questions, as any webhook sends.
    transcription_webhook = models.ForeignKey(
        Webhook, models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = "IVR"
        verbose_name_plural = "IVRs"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "number"],
                name="ivr_number_once_an_account",
                violation_error_message="Another IVR has this ID.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class IvrQuestion(AccountOwned):
    """One question of an IVR. Prompt and audio file may have `@name` parameters."""

    ID_PREFIX = "ivq"

    ivr = models.ForeignKey(Ivr, models.CASCADE, related_name="questions", verbose_name="IVR")
    number = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text="Its place in the order.",
    )
    prompt = models.CharField(
        max_length=1000,
        blank=True,
        help_text="What is read; @firstName is replaced by that user parameter.",
    )
    audio = models.CharField(
        "audio file",
        max_length=200,
        blank=True,
        help_text="Played instead of the prompt, as welcome.wav or @greeting.wav.",
    )
    is_recorded = models.BooleanField(
        "recorded", default=False, help_text="The answer is spoken and recorded."
    )

    class Meta:
        verbose_name = "question"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["ivr", "number"],
                name="ivr_question_number_once_an_ivr",
                violation_error_message="Two questions have the same number.",
            )
        ]

    def __str__(self) -> str:
        return Truncator(f"{self.number}. {self.prompt or self.audio}").chars(80)

    def clean(self) -> None:
        """Refuse a question without anything to hear."""
        super().clean()
        if not (self.prompt or self.audio):
            raise ValidationError({"prompt": "Write a prompt, or name an audio file."})


class IvrHook(AccountOwned):
    """Where the results of an IVR go while the caller waits, and what is made of the answer."""

    ID_PREFIX = "ivh"

    class Mode(models.TextChoices):
        """What the answer is."""

        MESSAGE = "message", "Retrieve message and read to user"
        ACTION = "action", "Retrieve next action"

    class Method(models.TextChoices):
        """How parameters are sent."""

        GET = "GET", "GET"
        POST = "POST", "POST"

    class DefaultApp(models.TextChoices):
        """What happens when nobody answers in time."""

        MESSAGE = "message", "Read a text"
        HANGUP = App.HANGUP.value, "Hang up"
        TRANSFER = App.TRANSFER.value, "Transfer to a number"
        VOICEMAIL = App.VOICEMAIL.value, "Voicemail box"
        VR = App.VR.value, "Virtual receptionist"
        FINDME = App.FINDME.value, "Find me"
        SURVO = App.SURVO.value, "Another IVR"

    class ReplyForm(models.TextChoices):
        """How the phone platform is answered."""

        JSON = Form.JSON.value, "JSON"
        XML = Form.XML.value, "XML, as receivers answer"
        TWIML = Form.TWIML.value, "TwiML"

    ivr = models.OneToOneField(Ivr, models.CASCADE, related_name="hook", verbose_name="IVR")
    is_active = models.BooleanField(
        "my web server",
        default=False,
        help_text="Send the results to the target URL. Off: callers get the default action.",
    )
    mode = models.CharField(
        "Advanced Webhook Action", max_length=8, choices=Mode, default=Mode.MESSAGE
    )
    method = models.CharField(max_length=4, choices=Method, default=Method.GET)
    target_url = models.CharField(
        "Target URL", max_length=2048, blank=True, help_text="It may carry static parameters."
    )
    includes_attribution = models.BooleanField(
        "include attribution information",
        default=False,
        help_text="Adds all st_ parameters; never for one-to-one calls.",
    )
    authorization = EncryptedTextField(
        blank=True, help_text="Sent to the target URL as the Authorization header."
    )
    fallback_url = models.CharField(
        "fallback URL",
        max_length=2048,
        blank=True,
        help_text="Asked in the same way when the target URL gives no answer that can be used.",
    )
    budget_s = models.PositiveSmallIntegerField(
        "budget, seconds",
        default=DEFAULT_BUDGET_S,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_BUDGET_S)],
        help_text="How long a caller waits at most, for everything together: 1 to 10. With a"
        " fallback URL, the target URL has three fifths of it.",
    )
    default_app = models.CharField(
        "default action", max_length=10, choices=DefaultApp, default=DefaultApp.MESSAGE
    )
    default_value = models.CharField(
        "text, number or id",
        max_length=MAX_VALUE_CHARS,
        blank=True,
        default="Thank you for your call. Goodbye.",
        help_text="The text to read, the phone number, or the id of the box, receptionist, find me"
        " or IVR. Nothing to hang up.",
    )
    reply_form = models.CharField(
        "the platform is answered in",
        max_length=5,
        choices=ReplyForm,
        default=ReplyForm.JSON,
        help_text="Unless its Accept header says otherwise.",
    )
    redirect_url = models.CharField(
        "redirect URL",
        max_length=2048,
        blank=True,
        help_text="For TwiML: where your platform goes on with what TwiML has no words for, as"
        " another IVR; app, id and parameters go along in the query.",
    )

    class Meta:
        verbose_name = "IVR web hook"
        constraints = [
            models.CheckConstraint(
                condition=Q(budget_s__range=(1, MAX_BUDGET_S)), name="ivr_hook_budget"
            )
        ]

    def __str__(self) -> str:
        return str(self.ivr)

    @property
    def default_decision(self) -> Decision:
        """What happens when nobody answers in time; raises AnswerFault where it is not whole."""
        value = self.default_value.strip()
        if self.default_app == self.DefaultApp.MESSAGE:
            if not value:
                raise AnswerFault("Write the text that is read.")
            return Message(value)
        if self.default_app == self.DefaultApp.HANGUP:
            return check_action(App.HANGUP, {})
        name = "destination" if self.default_app == self.DefaultApp.TRANSFER else "id"
        return check_action(self.default_app, {name: value})

    def clean(self) -> None:
        """Refuse what would leave a caller in silence."""
        super().clean()
        if self.is_active and not self.target_url:
            raise ValidationError({"target_url": "Say where the results are sent."})
        try:
            action = as_plain(self.default_decision)["action"]
        except AnswerFault as fault:
            raise ValidationError({"default_value": str(fault)}) from None
        if self.reply_form == self.ReplyForm.TWIML and not has_verb(action, self.redirect_url):
            raise ValidationError(
                {"redirect_url": "TwiML needs it: it has no verb for the default action."}
            )


class IvrParameter(AccountOwned):
    """A parameter that the admin of an IVR sends along: a name of one's own and a token."""

    ID_PREFIX = "ivp"

    hook = models.ForeignKey(IvrHook, models.CASCADE, related_name="parameters")
    name = models.CharField(
        "parameter",
        max_length=100,
        validators=[
            RegexValidator(r"^[^\s&=#%]+\Z", "No blanks, percent signs, and none of & = #.")
        ],
        help_text="Under which the receiver gets it.",
    )
    token = models.CharField("value", max_length=120)

    class Meta:
        verbose_name = "parameter"
        verbose_name_plural = "Call Generated Parameters"
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["hook", "name"],
                name="ivr_parameter_name_once_a_hook",
                violation_error_message="Two parameters have the same name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name that every web hook has already."""
        super().clean()
        if self.name.lower().startswith(RESERVED_PREFIXES):
            raise ValidationError({"name": "Names with ivr_ and st_ are Hookline's own."})


class DecidedBy(models.TextChoices):
    """What said how a call went on."""

    TARGET = "target", "Target URL"
    FALLBACK = "fallback", "Fallback URL"
    DEFAULT = "default", "Default action"


class IvrExchange(AccountOwned):
    """One time that a receiver was asked while a caller waited, with all that is known of it.

    The call is named as the platform does: it may not be known here. `tries` are the requests in
    the shape of an attempt, with `step`; `reply` is what the platform was told, in the JSON form of
    `apps.ivr.replies`.
    """

    ID_PREFIX = "ivx"

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    ivr = models.ForeignKey(
        Ivr, models.CASCADE, related_name="exchanges", db_index=False, verbose_name="IVR"
    )
    call_external_id = models.CharField("platform's call id", max_length=128)
    response_id = models.CharField("response id", max_length=128)
    decided_by = models.CharField(max_length=8, choices=DecidedBy)
    reason = models.CharField(max_length=1000, blank=True)
    tries = models.JSONField(default=list)
    reply = models.JSONField()
    # Milliseconds: what each receiver took, and everything together.
    target_ms = models.FloatField(null=True)
    fallback_ms = models.FloatField(null=True)
    total_ms = models.FloatField()
    bodies_removed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "IVR exchange"
        ordering = ["-created_at"]
        indexes = [
            models.Index(F("ivr"), F("created_at").desc(), name="exchange_newest_of_ivr"),
            models.Index(
                F("account"),
                F("call_external_id"),
                F("created_at").desc(),
                name="exchange_newest_of_call",
            ),
            models.Index(F("account"), F("created_at").desc(), name="exchange_newest_of_account"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def pass_through(self) -> str:
        """What the receiver wants back with the next results of the call."""
        action = self.reply.get("action") or {}
        return str(action.get("pass_through") or "")
