"""Making IVRs, and changing what their web hooks do: one call each for admin and API."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.common.faults import faults_at
from apps.common.fields import is_kept
from apps.ivr.models import Ivr, IvrHook, IvrParameter, IvrQuestion
from apps.ivr.transcripts import set_transcription_url
from apps.ivr.values import answers_of, tokens_while_waiting
from apps.webhooks.changing import less_safe


@transaction.atomic
def create_ivr(*, ivr: Ivr, questions: Sequence[IvrQuestion] = ()) -> Ivr:
    """Save an IVR with its questions, and its web hook, which is off until it has a target.

    Raises ValidationError, and saves nothing, for what does not fit; a fault of the third question
    is told as `questions/2/prompt`.
    """
    ivr.full_clean()
    ivr.save(force_insert=True)
    IvrHook.objects.create(account_id=ivr.account_id, ivr=ivr)
    for index, question in enumerate(questions):
        question.account_id, question.ivr = ivr.account_id, ivr
        with faults_at(f"questions/{index}"):
            question.full_clean()
            question.save(force_insert=True)
    return ivr


@transaction.atomic
def change_hook(
    *,
    hook: IvrHook,
    changes: Mapping[str, Any],
    parameters: Mapping[str, str] | None,
    transcription_url: str | None,
    by: User | None,
) -> IvrHook:
    """Change what is named of a web hook; None leaves parameters and transcripts as they are.

    `parameters` has the value of each by its name, and replaces all of them. Raises
    ValidationError, and saves nothing, for what does not fit.
    """
    fault = fault_of_authorization(
        is_saved=is_kept(hook, "authorization"),
        given=changes.get("authorization"),
        before=hook.target_url,
        after=changes.get("target_url", hook.target_url),
    )
    if fault:
        raise ValidationError({"authorization": fault})
    for name, value in changes.items():
        setattr(hook, name, value)
    hook.full_clean()
    if changes:
        hook.save(update_fields=list(changes))
    if parameters is not None:
        _replace_parameters(hook, parameters)
    if transcription_url is not None:
        try:
            set_transcription_url(ivr=hook.ivr, url=transcription_url, by=by)
        except ValidationError as error:
            raise ValidationError({"transcription_url": error.messages}) from None
    return hook


def fault_of_authorization(*, is_saved: bool, given: str | None, before: str, after: str) -> str:
    """Say what is against an Authorization; "" for nothing.

    A saved one goes to the host it was saved for only, and with TLS if it had that there, so that
    nobody is sent it who can not read it. None is one that is not given.
    """
    if given is not None:
        is_plain = given.isascii() and given.isprintable()
        return "" if is_plain or not given else "This is one line of plain characters."
    if is_saved and after and (where := less_safe(after, before)):
        return f"Give it again: it is not sent {where}."
    return ""


def _replace_parameters(hook: IvrHook, parameters: Mapping[str, str]) -> None:
    known = {*answers_of(hook.ivr), *(token.name for token in tokens_while_waiting())}
    saved = {parameter.name: parameter for parameter in hook.parameters.all()}
    for name in saved.keys() - parameters.keys():
        saved[name].delete()
    for index, (name, token) in enumerate(parameters.items()):
        with faults_at(f"parameters/{index}"):
            if token not in known:
                raise ValidationError({"token": "This is no token or answer that is known then."})
            parameter = saved.get(name) or IvrParameter(
                account_id=hook.account_id, hook=hook, name=name
            )
            if parameter.token != token:
                parameter.token = token
                parameter.full_clean()
                parameter.save()
