"""“Send test” of an IVR: its receiver is asked as if a caller had answered, while somebody waits.

In parts, as no transaction may be open while a receiver is waited for: `prepare_test` reads all
that it takes, `send_test` asks, and `send_and_tell` writes it to the audit log, too. No exchange is
stored, and no caller hears of it.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from apps.common.access import Access
from apps.common.audit import record
from apps.common.ids import encode_public_id, new_id
from apps.common.models import AuditAction
from apps.common.spare_connections import spare_connections
from apps.common.tenancy import tenant_scope
from apps.delivery.clients.shared import shared_session
from apps.delivery.clients.waiting_client import send
from apps.delivery.outcome import OutboundRequest
from apps.delivery.testing import agency_of, place_for_test
from apps.ivr.asking import ask
from apps.ivr.models import DecidedBy, IvrExchange, IvrHook
from apps.ivr.replies import Form
from apps.ivr.requests import requests_of
from apps.ivr.results import Results
from apps.ivr.services import Asked, exchange_of, read_answer
from apps.webhooks.headers import TEST_HEADER
from apps.webhooks.tokens import Snapshot


@dataclass(frozen=True, slots=True)
class PreparedTest:
    """A test with all that it takes to ask; an account without an agency is its own."""

    agency_id: uuid.UUID
    asked: Asked
    target: OutboundRequest
    fallback: OutboundRequest | None


def prepare_test(
    *, hook: IvrHook, snapshot: Snapshot, answers: Mapping[str, str], now: dt.datetime
) -> PreparedTest:
    """Return what asks the receiver of a web hook, as for a caller who gave these answers.

    `snapshot` is the call, `answers` go by the number of their question. The requests say
    `webhook-test: true`, and have ids of their own, so that no receiver takes them for a repeat.
    """
    key = new_id()
    message_id = encode_public_id(IvrExchange.ID_PREFIX, key)
    results = Results(
        response_id=f"test-{message_id}",
        call_id=str(snapshot.get("call_id") or ""),
        started_at=now,
        facts={},
        answers=answers,
        completed=True,
        opted_out=False,
        call_result="",
        monitored_s=None,
        pass_through=None,
    )
    target, fallback = requests_of(
        hook,
        [(parameter.name, parameter.token) for parameter in hook.parameters.all()],
        {**snapshot, "ivr": results.as_snapshot(hook.ivr, "")},
        message_id=message_id,
    )
    return PreparedTest(
        agency_id=agency_of(hook.account_id),
        asked=Asked(key, hook, results, Form(hook.reply_form)),
        target=_marked(target),
        fallback=_marked(fallback) if fallback else None,
    )


def send_test(test: PreparedTest) -> IvrExchange:
    """Ask within the budget of a caller, and return the exchange that it would have been.

    Must run outside of any transaction. The same guard, retry and fallback as for a caller, and the
    places of webhooks' tests: raises TooManyTests where this process has none left.
    """
    hook = test.asked.hook
    session = shared_session()
    with place_for_test(hook.account_id, test.agency_id), spare_connections.lent():
        began = perf_counter()
        heard = ask(
            target=test.target,
            fallback=test.fallback,
            send=lambda request: send(session, request),
            read=lambda outcome: read_answer(test.asked, outcome),
            began=began,
            budget_s=hook.budget_s,
        )
    return exchange_of(test.asked, heard, began, next_ivr=None)


def send_and_tell(test: PreparedTest, *, access: Access) -> IvrExchange:
    """Ask as `send_test` does, and write to the audit log what a caller would have got, and why."""
    exchange = send_test(test)
    told = f"{DecidedBy(exchange.decided_by).label} decided. {exchange.reason}".strip()
    ivr = test.asked.hook.ivr
    with tenant_scope(access):
        record(action=AuditAction.TESTED, account_id=ivr.account_id, subject=ivr, note=told)
    return exchange


def _marked(request: OutboundRequest) -> OutboundRequest:
    return replace(request, headers={**request.headers, TEST_HEADER: "true"})
