"""What a phone platform posts when a caller has come to the end of an IVR, or has left it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from apps.calls.services import ANONYMOUS
from apps.calls.snapshots import MAX_SECONDS
from apps.campaigns.models import validate_e164
from apps.common.api.fields import Moment
from apps.common.phones import is_withheld
from apps.ivr import pass_through
from apps.ivr.models import Ivr

_MOST_ANSWERS = 200
MAX_ANSWER_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one interaction. `facts` are in the shape of a snapshot; None is unknown."""

    response_id: str
    call_id: str
    started_at: dt.datetime
    facts: Mapping[str, Any]
    answers: Mapping[str, str]
    completed: bool | None
    opted_out: bool | None
    call_result: str
    monitored_s: int | None
    # None: that of the call so far.
    pass_through: str | None

    def as_snapshot(self, ivr: Ivr, pass_data: str) -> dict[str, Any]:
        """Return the part of a snapshot that tokens of IVRs read."""
        return {
            "id": str(ivr.number),
            "name": ivr.name,
            "response_id": self.response_id,
            "started_at": iso_utc(self.started_at),
            "pass_through": pass_data,
            "call_result": self.call_result,
            "completed": self.completed,
            "opted_out": self.opted_out,
            "monitored_s": self.monitored_s,
            "answers": dict(self.answers),
        }


def iso_utc(moment: dt.datetime) -> str:
    """Return a time as snapshots keep it."""
    text = moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class CallerField(serializers.CharField):
    """An E.164 number, or a word for one that is not shown."""

    def to_internal_value(self, data: Any) -> str:
        """Return the number, or `anonymous`."""
        text: str = super().to_internal_value(data)
        if is_withheld(text):
            return ANONYMOUS
        validate_e164(text)
        return text


class AnswersField(serializers.DictField):
    """Answers by the number of their question."""

    child = serializers.CharField(max_length=MAX_ANSWER_CHARS, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the answers; refuse keys that are no numbers."""
        answers: dict[str, str] = super().to_internal_value(data)
        if len(answers) > _MOST_ANSWERS:
            raise serializers.ValidationError(
                f"At most {_MOST_ANSWERS} answers.", code="too_many_answers"
            )
        for number in answers:
            if not (number.isascii() and number.isdigit() and len(number) <= 3):
                raise serializers.ValidationError(
                    {number: "Answers go by the number of their question, as 1."}
                )
        return {str(int(number)): answer for number, answer in answers.items()}


class ResultsSerializer(serializers.Serializer[Results]):
    """The body of `POST /api/v1/ivr/{ivr}/results`."""

    response_id = serializers.CharField(max_length=128)
    call_id = serializers.CharField(max_length=128)
    started_at = Moment()
    # `from` is a word of Python.
    to = serializers.CharField(required=False, allow_null=True, validators=[validate_e164])
    answers = AnswersField(required=False, default=dict)
    completed = serializers.BooleanField(required=False, allow_null=True, default=None)
    opted_out = serializers.BooleanField(required=False, allow_null=True, default=None)
    call_result = serializers.CharField(max_length=64, allow_blank=True, default="")
    monitored_s = serializers.IntegerField(
        min_value=0, max_value=MAX_SECONDS, allow_null=True, default=None
    )
    pass_through = serializers.CharField(
        max_length=pass_through.MAX_CHARS,
        allow_blank=True,
        allow_null=True,
        default=None,
        trim_whitespace=False,
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`."""
        caller = CallerField(max_length=16, required=False, allow_null=True)
        return {**super().get_fields(), "from": caller}


# It keeps nothing of what it reads; one for each request would copy all its fields.
_FORM = ResultsSerializer()


def read_results(body: Any) -> Results:
    """Return the results; raises REST framework's ValidationError with each fault."""
    given: dict[str, Any] = dict(_FORM.run_validation(body))
    caller, dialled = given.pop("from", None), given.pop("to", None)
    facts = {"call_id": given["call_id"], "from": caller, "to": dialled, "tracking_number": dialled}
    return Results(
        facts={name: value for name, value in facts.items() if value is not None}, **given
    )
