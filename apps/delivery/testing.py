"""“Send test”: one request as the engine would send it, while somebody waits.

In parts, as no transaction may be open while a receiver is waited for: `prepare_test` reads all
that it takes, `send_test` sends, and `send_and_tell` writes it to the audit log, too.
"""

import datetime as dt
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings

from apps.accounts.models import Account
from apps.common.access import Access
from apps.common.audit import record
from apps.common.ids import new_id
from apps.common.models import AuditAction
from apps.common.spare_connections import spare_connections
from apps.common.tenancy import tenant_scope
from apps.delivery.clients.shared import shared_session
from apps.delivery.clients.waiting_client import send
from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.endpoints import Endpoint, endpoint_of
from apps.delivery.engine.requests import prepare
from apps.delivery.outcome import OutboundRequest, Outcome
from apps.delivery.retry import RetryPolicy, State, Verdict, judge
from apps.webhooks.headers import TEST_HEADER
from apps.webhooks.models import Webhook
from apps.webhooks.rendering import CompiledTemplate
from apps.webhooks.tokens import Snapshot

# Somebody looks at a page meanwhile.
MOST_TIMEOUT_S = 20
# Each test holds a thread of a web process. So many may be out for receivers of one account, and of
# one agency with its clients, who may be one person. In all there are TESTS_MOST_WAITING; the
# second half of these places is for whoever has none.
MOST_OF_ACCOUNT: Final = 2
MOST_OF_AGENCY: Final = 3
RETRY_AFTER_S: Final = 5
_NOBODY = uuid.UUID(int=0)

_counting = threading.Lock()
_of_accounts: Counter[uuid.UUID] = Counter()
_of_agencies: Counter[uuid.UUID] = Counter()


class TooManyTests(Exception):
    """So many tests are under way that this one was not sent; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("Other tests are still waiting for their receivers; try again soon.")


@dataclass(frozen=True, slots=True)
class PreparedTest:
    """A test with all that it takes to send it; an account without an agency is its own."""

    webhook: Webhook
    agency_id: uuid.UUID
    request: OutboundRequest
    masked_headers: dict[str, str]
    policy: RetryPolicy
    now: dt.datetime


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


def prepare_test(
    *,
    webhook: Webhook,
    headers: Sequence[tuple[str, str]],
    template: CompiledTemplate,
    snapshot: Snapshot,
    now: dt.datetime,
) -> PreparedTest:
    """Return the request that sends the payload of a call to a webhook, made as for a delivery.

    The webhook may be stored, or what a draft says that it will be; `headers` are names and values.
    The request says `webhook-test: true`, and has an id of its own.
    """
    claimed = Claimed(
        id=new_id(),
        account_id=_NOBODY,
        webhook_id=_NOBODY,
        template_version_id=_NOBODY,
        call_id=_NOBODY,
        event_id=_NOBODY,
        attempt_count=0,
        lost_count=0,
        revision=0,
        expires_at=None,
        changed_paths=None,
        last_error="",
        claim=_NOBODY,
        deadline=0.0,
    )
    endpoint = _endpoint(webhook, headers)
    prepared = prepare(claimed, snapshot, endpoint, template, started_at=now)
    mark = {TEST_HEADER: "true"}
    return PreparedTest(
        webhook=webhook,
        agency_id=agency_of(webhook.account_id),
        request=replace(prepared.request, headers={**prepared.request.headers, **mark}),
        masked_headers={**prepared.masked_headers, **mark},
        policy=endpoint.policy,
        now=now,
    )


def send_test(test: PreparedTest) -> TestRun:
    """Send a test, wait for 20 s at most, and return what became of it; nothing is stored.

    Must run outside of any transaction. The same guard and judgement as for a delivery. Raises
    TooManyTests where this process waits for as many receivers as it may.
    """
    with place_for_test(test.webhook.account_id, test.agency_id), spare_connections.lent():
        outcome = send(shared_session(), test.request)
    return TestRun(
        request=test.request,
        masked_headers=test.masked_headers,
        outcome=outcome,
        verdict=judge(outcome, 1, test.policy, now=test.now, random=random.random),
    )


def send_and_tell(test: PreparedTest, *, access: Access) -> TestRun:
    """Send a test as `send_test` does, and write to the audit log what became of it.

    A webhook that is not stored is named by what it is called so far.
    """
    run = send_test(test)
    webhook, told = test.webhook, run.verdict.reason
    is_stored = not webhook._state.adding
    with tenant_scope(access):
        record(
            action=AuditAction.TESTED,
            account_id=webhook.account_id,
            subject=webhook if is_stored else None,
            note=told if is_stored else f"“{webhook.name or 'unnamed'}” as typed: {told}",
        )
    return run


def agency_of(account_id: uuid.UUID) -> uuid.UUID:
    """Return the agency of an account; one without is its own."""
    agencies = Account.objects.filter(pk=account_id).values_list("parent_id", flat=True)
    return agencies.first() or account_id


@contextmanager
def place_for_test(account_id: uuid.UUID, agency_id: uuid.UUID) -> Iterator[None]:
    """Take a place for the length of the block; raise TooManyTests where there is none."""
    counts = (_of_accounts, account_id), (_of_agencies, agency_id)
    with _counting:
        if not _has_place(account_id, agency_id):
            raise TooManyTests
        for counter, key in counts:
            counter[key] += 1
    try:
        yield
    finally:
        with _counting:
            for counter, key in counts:
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]


def _has_place(account_id: uuid.UUID, agency_id: uuid.UUID) -> bool:
    of_agency = _of_agencies[agency_id]
    places = settings.TESTS_MOST_WAITING
    return (
        _of_accounts[account_id] < MOST_OF_ACCOUNT
        and of_agency < MOST_OF_AGENCY
        and _of_agencies.total() < (places // 2 if of_agency else places)
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
