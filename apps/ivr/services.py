"""The exchange: results come in, a receiver is asked, and the platform is told what is next."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from django.db import DatabaseError

from apps.calls.models import Call
from apps.common.access import Access
from apps.common.ids import InvalidPublicId, encode_public_id, new_id
from apps.common.problems import Problem
from apps.common.tenancy import let_connection_go, tenant_scope
from apps.delivery.clients.requests_client import send
from apps.delivery.clients.shared import shared_session
from apps.delivery.outcome import OutboundRequest
from apps.ivr.asking import Heard, Try, ask
from apps.ivr.decisions import Action, App, Decision, as_plain
from apps.ivr.models import DecidedBy, Ivr, IvrExchange, IvrHook
from apps.ivr.prompts import resolved
from apps.ivr.reading import read_action, read_message
from apps.ivr.requests import masked, requests_of
from apps.ivr.results import Results

logger = logging.getLogger(__name__)

# What is left of the budget for writing down what came of it, and answering.
_RESERVE_S = 0.05
_MAX_REASON_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known before the receiver is asked. No request is made without a `target`."""

    key: uuid.UUID
    ivr: Ivr
    hook: IvrHook
    results: Results
    target: OutboundRequest | None = None
    fallback: OutboundRequest | None = None
    reason: str = ""


def answer_results(*, access: Access, ivr: str, results: Results, began: float) -> IvrExchange:
    """Tell the receiver of an IVR's results, wait, and return the exchange with what is next.

    `ivr` is an id of ours or a number; `began` a `perf_counter` reading, from which the budget
    counts. Results that were answered before get the same answer, and nobody is asked again.
    Must run outside of any transaction: none is open while a receiver is waited for, and no
    connection to the database is held. Raises Problem for an IVR that does not exist.
    """
    with tenant_scope(access):
        asked = _prepare(access, ivr, results)
    if isinstance(asked, IvrExchange):
        return asked
    let_connection_go()
    heard = _ask(asked, began)
    try:
        with tenant_scope(access):
            return _record(asked, heard, began)
    except DatabaseError:
        # The caller waits: an answer that nobody wrote down is better than none.
        logger.exception("The exchange %s could not be recorded", asked.key)
        return _exchange(asked, heard, began, next_ivr=None)


def find_ivr(*, access: Access, name: str) -> Ivr:
    """Return an IVR by its id or number, with its web hook; raises Problem."""
    reachable = Ivr.objects.filter(
        account_id__in=access.account_ids, hook__isnull=False
    ).select_related("hook", "location")
    try:
        found = list(reachable.filter(pk=Ivr.key_of(name))[:1])
    except InvalidPublicId:
        is_number = name.isascii() and name.isdigit() and len(name) <= 15
        found = list(reachable.filter(number=int(name))[:2]) if is_number else []
    if not found:
        raise Problem(404, "unknown_ivr", f"There is no IVR {name[:64]}.")
    if len(found) > 1:
        raise Problem(409, "ambiguous_ivr", f"Several accounts have an IVR {name}; use its id.")
    return found[0]


def _prepare(access: Access, name: str, results: Results) -> Asked | IvrExchange:
    ivr = find_ivr(access=access, name=name)
    of_call = IvrExchange.objects.filter(
        account_id=ivr.account_id, call_external_id=results.call_id
    ).order_by("-created_at")
    if answered := of_call.filter(ivr=ivr, response_id=results.response_id).first():
        answered.ivr = ivr
        return answered
    call = Call.objects.filter(account_id=ivr.account_id, external_id=results.call_id).first()
    hook = ivr.hook
    asked = Asked(new_id(), ivr, hook, results)
    if not hook.is_active:
        return replace(asked, reason="The web hook is switched off.")
    if ivr.location is not None and not ivr.location.is_active:
        return replace(asked, reason="The location is switched off.")
    pass_data = results.pass_through
    if pass_data is None:
        before = of_call.only("reply").first()
        pass_data = before.pass_through if before else ""
    known: Mapping[str, Any] = call.snapshot if call else _place_of(ivr)
    snapshot = {**known, **results.facts, "ivr": results.as_snapshot(ivr, pass_data)}
    message_id = encode_public_id(IvrExchange.ID_PREFIX, asked.key)
    target, fallback = requests_of(
        hook, list(hook.parameters.all()), snapshot, message_id=message_id
    )
    return replace(asked, target=target, fallback=fallback)


def _place_of(ivr: Ivr) -> dict[str, Any]:
    return {"location": ivr.location.snapshot()} if ivr.location else {}


def _ask(asked: Asked, began: float) -> Heard:
    if asked.target is None:
        return Heard(faults=[asked.reason])
    session = shared_session()
    reads_message = asked.hook.mode == IvrHook.Mode.MESSAGE
    return ask(
        target=asked.target,
        fallback=asked.fallback,
        send=lambda request: send(session, request),
        read=read_message if reads_message else read_action,
        began=began,
        budget_s=asked.hook.budget_s - _RESERVE_S,
    )


def _record(asked: Asked, heard: Heard, began: float) -> IvrExchange:
    decision = heard.decision or asked.hook.default_decision
    next_ivr = None
    if isinstance(decision, Action) and decision.app is App.SURVO:
        next_ivr = (
            Ivr.objects.filter(
                account_id=asked.ivr.account_id, number=int(decision.parameters["id"])
            )
            .prefetch_related("questions")
            .first()
        )
    exchange = _exchange(asked, heard, began, next_ivr=next_ivr)
    exchange.save(force_insert=True)
    return exchange


def _exchange(asked: Asked, heard: Heard, began: float, *, next_ivr: Ivr | None) -> IvrExchange:
    decision = heard.decision or asked.hook.default_decision
    return IvrExchange(
        id=asked.key,
        account_id=asked.ivr.account_id,
        ivr=asked.ivr,
        call_external_id=asked.results.call_id,
        response_id=asked.results.response_id,
        decided_by=heard.decided_by,
        reason=heard.reason[:_MAX_REASON_CHARS],
        tries=[_plain_try(number, each) for number, each in enumerate(heard.tries, start=1)],
        reply=_reply(asked.key, heard, decision, next_ivr),
        target_ms=heard.took_ms(DecidedBy.TARGET),
        fallback_ms=heard.took_ms(DecidedBy.FALLBACK),
        total_ms=(perf_counter() - began) * 1000,
    )


def _reply(
    key: uuid.UUID, heard: Heard, decision: Decision, next_ivr: Ivr | None
) -> dict[str, Any]:
    """Return what the platform is told, prompts of the next IVR with the user parameters in."""
    reply = {
        "exchange": encode_public_id(IvrExchange.ID_PREFIX, key),
        "decided_by": str(heard.decided_by),
        "reason": heard.reason[:_MAX_REASON_CHARS],
        **as_plain(decision),
    }
    if next_ivr is None or not isinstance(decision, Action):
        return {**reply, "ivr": None}
    given = decision.user_parameters
    questions = [
        {
            "number": question.number,
            "prompt": resolved(question.prompt, given),
            "audio": resolved(question.audio, given),
            "is_recorded": question.is_recorded,
        }
        for question in next_ivr.questions.all()
    ]
    return {
        **reply,
        "ivr": {"id": next_ivr.number, "name": next_ivr.name, "questions": questions},
    }


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
