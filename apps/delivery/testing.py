"""“Send test”: one request as the engine would send it, while somebody waits."""

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.common.ids import new_id
from apps.delivery.clients.requests_client import send
from apps.delivery.clients.shared import shared_session
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint, endpoint_of
from apps.delivery.engine.requests import prepare
from apps.delivery.outcome import OutboundRequest, Outcome
from apps.delivery.retry import State, Verdict, judge
from apps.webhooks.headers import TEST_HEADER
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import Snapshot

# Somebody looks at a page meanwhile, in a transaction.
MOST_TIMEOUT_S = 20
_NOBODY = uuid.UUID(int=0)


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
    *,
    webhook: Webhook,
    headers: Sequence[tuple[str, str]],
    template: CompiledTemplate,
    snapshot: Snapshot,
    now: dt.datetime,
) -> TestRun:
    """Send the payload of a call to a webhook, and return what became of it; nothing is stored.

    The webhook may be stored, or what a draft says that it will be; `headers` are names and values.

    The same renderer, signer, guard and judgement as for a delivery. The request says
    `webhook-test: true`, has an id of its own, and waits for 20 s at most.
    """
    claimed = Claimed(
        id=new_id(),
        account_id=_NOBODY,
        webhook_id=_NOBODY,
        template_version_id=_NOBODY,
        call_id=_NOBODY,
        event_id=_NOBODY,
        attempt_count=0,
        revision=0,
        expires_at=None,
        changed_paths=None,
        claim=_NOBODY,
        deadline=0.0,
    )
    endpoint = _endpoint(webhook, headers)
    prepared = prepare(claimed, snapshot, endpoint, template, timestamp=int(now.timestamp()))
    mark = {TEST_HEADER: "true"}
    request = replace(prepared.request, headers={**prepared.request.headers, **mark})
    outcome = send(shared_session(), request)
    return TestRun(
        request=request,
        masked_headers={**prepared.masked_headers, **mark},
        outcome=outcome,
        verdict=judge(outcome, 1, endpoint.policy, now=now, random=random.random),
    )


def _endpoint(webhook: Webhook, headers: Sequence[tuple[str, str]]) -> Endpoint:
    return endpoint_of(
        headers,
        webhook.pk,
        0,
        webhook.name,
        webhook.url,
        webhook.method,
        webhook.success_codes,
        min(webhook.timeout_s, MOST_TIMEOUT_S),
        webhook.secret,
        webhook.body_contains,
        webhook.retry_waits_s,
        webhook.concurrency,
        webhook.rate_limit is not None,
        webhook.signature,
        webhook.signature_header,
        webhook.key_id_header,
        webhook.key_id,
        read=str,
    )
