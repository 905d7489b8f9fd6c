"""The exchange: results come in, a receiver is asked, and the platform is told what is next."""

import logging
import uuid
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from apps.common.access import Access
from apps.common.bulk import new_row
from apps.common.ids import encode_public_id, new_id
from apps.common.outages import in_a_line, is_database_away
from apps.common.spare_connections import spare_connections
from apps.common.trips import Trip, tenant_trip
from apps.delivery.clients.shared import shared_session
from apps.delivery.clients.waiting_client import send
from apps.delivery.outcome import OutboundRequest, Outcome
from apps.ivr.asking import Heard, Try, ask
from apps.ivr.decisions import Action, AnswerFault, App, Decision, as_plain
from apps.ivr.known import Known, read_known, read_next_ivr, record
from apps.ivr.models import DecidedBy, IvrExchange, IvrHook
from apps.ivr.prompts import resolved
from apps.ivr.reading import read_action, read_message
from apps.ivr.replies import Form, document, wanted_form, written
from apps.ivr.requests import masked, requests_of
from apps.ivr.results import Results
from apps.ivr.steps import link_to
from apps.ivr.twiml import begun, has_verb
from apps.ivr.waiting import place_to_wait

logger = logging.getLogger(__name__)

# What is left of the budget for writing down what came of it, and answering.
_RESERVE_S = 0.05
_MAX_REASON_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What the platform is told, and in which form."""

    reply: dict[str, Any]
    form: Form
    redirect_url: str

    @property
    def body(self) -> bytes:
        """Return it as it is sent."""
        if self.form is Form.TWIML:
            return document(begun(self.reply, self.redirect_url, link_to))
        return written(self.reply, self.form)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known before the receiver is asked. No request is made without a `target`."""

    key: uuid.UUID
    hook: IvrHook
    results: Results
    form: Form
    target: OutboundRequest | None = None
    fallback: OutboundRequest | None = None
    reason: str = ""


def answer_results(
    *, access: Access, ivr: str, results: Results, began: float, accept: str = ""
) -> Answered:
    """Tell the receiver of an IVR's results, wait, and return what is next.

    `ivr` is an id of ours or a number; `began` a `perf_counter` reading, from which the budget
    counts; `accept` what the platform says of the forms that it reads. Results that were answered
    before get the same answer, and nobody is asked again, until that is forgotten. Must run outside
    of any transaction: none is open while a receiver is waited for. Raises Problem for an IVR that
    does not exist.
    """
    known = read_known(access=access, name=ivr, call_id=results.call_id)
    reply = known.reply_to(results.response_id)
    if reply is not None:
        form = _form(known.hook, accept, reply["action"])
        return Answered(reply, form, known.hook.redirect_url)
    asked = _prepare(known, results, accept)
    heard = _ask(asked, began)
    try:
        with tenant_trip(access) as trip:
            exchange = exchange_of(asked, heard, began, next_ivr=_next_ivr(trip, asked, heard))
            kept = record(trip, exchange, is_bare=known.is_erased)
        if not kept.rows():
            with tenant_trip(access) as trip:
                record(trip, exchange, is_bare=True)
    except DatabaseError as error:
        # The caller waits: an answer that nobody wrote down is better than none.
        if is_database_away(error):
            logger.warning("The exchange %s could not be recorded: %s", asked.key, in_a_line(error))
        else:
            logger.exception("The exchange %s could not be recorded", asked.key)
        exchange = exchange_of(asked, heard, began, next_ivr=None)
    return Answered(exchange.reply, asked.form, asked.hook.redirect_url)


def _form(hook: IvrHook, accept: str, action: dict[str, Any] | None) -> Form:
    """Return the form that a platform is answered in: TwiML only where it can say this action."""
    for form in (wanted_form(accept, Form(hook.reply_form)), Form(hook.reply_form)):
        if form is not Form.TWIML or has_verb(action, hook.redirect_url):
            return form
    return Form.JSON


def _prepare(known: Known, results: Results, accept: str) -> Asked:
    default = as_plain(known.hook.default_decision)
    form = _form(known.hook, accept, default["action"])
    asked = Asked(new_id(), known.hook, results, form)
    if not known.hook.is_active:
        return replace(asked, reason="The web hook is switched off.")
    if not known.is_readable:
        return replace(asked, reason="The credential of the web hook can not be read.")
    if not known.is_location_active:
        return replace(asked, reason="The location is switched off.")
    told = results.pass_through
    pass_data = known.pass_through if told is None else told
    ivr = results.as_snapshot(known.ivr, pass_data)
    target, fallback = requests_of(
        known.hook,
        known.parameters,
        {**known.call, **results.facts, "ivr": ivr},
        message_id=encode_public_id(IvrExchange.ID_PREFIX, asked.key),
    )
    return replace(asked, target=target, fallback=fallback)


def _ask(asked: Asked, began: float) -> Heard:
    if asked.target is None:
        return Heard(faults=[asked.reason])
    most = settings.IVR_MOST_WAITING
    with place_to_wait(asked.hook.account_id, most=most) as has_place:
        if not has_place:
            return Heard(faults=[f"Nobody was asked: {most} callers were waiting already."])
        session = shared_session()
        with spare_connections.lent():
            return ask(
                target=asked.target,
                fallback=asked.fallback,
                send=lambda request: send(session, request),
                read=lambda outcome: read_answer(asked, outcome),
                began=began,
                budget_s=asked.hook.budget_s - _RESERVE_S,
            )


def read_answer(asked: Asked, outcome: Outcome) -> Decision:
    """Read an answer; raises AnswerFault, also for what the platform could not be told."""
    reads_message = asked.hook.mode == IvrHook.Mode.MESSAGE
    decision = read_message(outcome) if reads_message else read_action(outcome)
    action = as_plain(decision)["action"]
    if asked.form is Form.TWIML and not has_verb(action, asked.hook.redirect_url):
        raise AnswerFault(f"TwiML has no verb for this {action['app']}; set a redirect URL.")
    return decision


def _decision(asked: Asked, heard: Heard) -> Decision:
    return heard.decision or asked.hook.default_decision


def exchange_of(
    asked: Asked, heard: Heard, began: float, *, next_ivr: dict[str, Any] | None
) -> IvrExchange:
    """Return what is kept of asking a receiver; nothing is stored."""
    reason = heard.reason[:_MAX_REASON_CHARS]
    values = {
        "id": asked.key,
        "account_id": asked.hook.account_id,
        "ivr_id": asked.hook.ivr_id,
        "call_external_id": asked.results.call_id,
        "response_id": asked.results.response_id,
        "decided_by": heard.decided_by,
        "reason": reason,
        "tries": [_plain_try(number, each) for number, each in enumerate(heard.tries, start=1)],
        "reply": {
            "exchange": encode_public_id(IvrExchange.ID_PREFIX, asked.key),
            "decided_by": str(heard.decided_by),
            "reason": reason,
            **as_plain(_decision(asked, heard)),
            "ivr": next_ivr,
        },
        "target_ms": heard.took_ms(DecidedBy.TARGET),
        "fallback_ms": heard.took_ms(DecidedBy.FALLBACK),
        "total_ms": (perf_counter() - began) * 1000,
    }
    return new_row(IvrExchange, values)


def _next_ivr(trip: Trip, asked: Asked, heard: Heard) -> dict[str, Any] | None:
    """Return the IVR that the caller goes to, prompts with the user parameters in.

    None for another action, and for an IVR that is not set up here.
    """
    decision = _decision(asked, heard)
    if not isinstance(decision, Action) or decision.app is not App.SURVO:
        return None
    given = decision.user_parameters
    number = int(decision.parameters["id"])
    rows = read_next_ivr(trip, account_id=asked.hook.account_id, number=number)
    if not rows:
        return None
    questions = [
        {
            "number": number,
            "prompt": resolved(prompt, given),
            "audio": resolved(audio, given),
            "is_recorded": is_recorded,
        }
        for _, _, number, prompt, audio, is_recorded in rows
        if number is not None
    ]
    return {"id": rows[0][0], "name": rows[0][1], "questions": questions}


def _plain_try(number: int, each: Try) -> dict[str, Any]:
    """Return a try in the shape of an attempt, credentials masked."""
    request, outcome, timings = each.request, each.outcome, each.outcome.timings
    return {
        "step": str(each.step),
        "number": number,
        "method": request.method,
        "url": request.url,
        "request_headers": masked(request),
        "request_body": request.body.decode("utf-8", "replace"),
        "response_status": outcome.status,
        "response_headers": [list(pair) for pair in outcome.headers],
        "response_body": outcome.body.decode("utf-8", "replace").replace("\0", "\ufffd"),
        "is_response_truncated": outcome.body_truncated,
        "error_kind": str(outcome.error_kind or ""),
        "error_message": each.fault,
        "dns_ms": timings.dns_ms,
        "connect_ms": timings.connect_ms,
        "first_byte_ms": timings.first_byte_ms,
        "total_ms": timings.total_ms,
        "sends": outcome.sends,
    }
