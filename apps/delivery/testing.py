"""“Send test”: one request as the engine would send it, while somebody waits."""

import datetime as dt
import random
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings

from apps.common.egress import EgressPolicy
from apps.common.ids import new_id
from apps.delivery.clients.requests_client import WaitingSession, send, waiting_session
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint, Header
from apps.delivery.engine.requests import prepare
from apps.delivery.outcome import OutboundRequest, Outcome
from apps.delivery.retry import RetryPolicy, State, Verdict, judge
from apps.delivery.signing import parse_secret
from apps.webhooks.headers import TEST_HEADER, is_secret_header
from apps.webhooks.rendering import CompiledTemplate, compile_text
from apps.webhooks.tokens import Snapshot

# Somebody looks at a page meanwhile, in a transaction.
MOST_TIMEOUT_S = 20
_making = threading.Lock()
_NOBODY = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Target:
    """What a test is sent to: a webhook as it is stored, or as a draft says that it will be."""

    url: str
    method: str
    timeout_s: int
    success_codes: Sequence[int]
    secret: str
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TestRun:
    """A test that was sent: the request, with its headers as they may be shown, and the answer."""

    request: OutboundRequest
    masked_headers: dict[str, str]
    outcome: Outcome
    verdict: Verdict

    @property
    def is_success(self) -> bool:
        """Whether a delivery would have succeeded."""
        return self.verdict.state is State.SUCCEEDED


def send_test(
    *, target: Target, template: CompiledTemplate, snapshot: Snapshot, now: dt.datetime
) -> TestRun:
    """Send the payload of a call, and return what became of it; nothing is stored.

    The same renderer, signer, guard and judgement as for a delivery. The request says
    `webhook-test: true`, has an id of its own, and waits for 20 s at most.
    """
    claimed = Claimed(
        claim=_NOBODY,
        deadline=0.0,
        id=new_id(),
        account_id=_NOBODY,
        webhook_id=_NOBODY,
        template_version_id=_NOBODY,
        call_id=_NOBODY,
        attempt_count=0,
        revision=0,
        snapshot=snapshot,
    )
    endpoint = _endpoint(target)
    prepared = prepare(claimed, endpoint, template, timestamp=int(now.timestamp()))
    mark = {TEST_HEADER: "true"}
    request = replace(prepared.request, headers={**prepared.request.headers, **mark})
    outcome = send(_session(), request)
    return TestRun(
        request=request,
        masked_headers={**prepared.masked_headers, **mark},
        outcome=outcome,
        verdict=judge(outcome, 1, endpoint.policy, now=now, random=random.random),
    )


def _endpoint(target: Target) -> Endpoint:
    return Endpoint(
        id=_NOBODY,
        revision=0,
        name="test",
        url=target.url,
        method=target.method,
        timeout_s=min(target.timeout_s, MOST_TIMEOUT_S),
        policy=RetryPolicy(success_codes=frozenset(target.success_codes)),
        secrets=(parse_secret(target.secret),),
        headers=tuple(
            Header(name, compile_text(value), is_secret_header(name))
            for name, value in target.headers
        ),
    )


def _session() -> WaitingSession:
    """The session of this process, for the policy that holds now."""
    with _making:
        return _session_of(tuple(settings.EGRESS_ALLOW))


@lru_cache(maxsize=2)
def _session_of(allowed: tuple[str, ...]) -> WaitingSession:
    return waiting_session(EgressPolicy.from_strings(allowed))
