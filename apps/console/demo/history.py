"""Past calls of the demo, taken in as real ones are, so that lists have something to show."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from apps.accounts.access import access_of_user
from apps.accounts.models import User
from apps.calls.models import Call
from apps.campaigns.models import Attachment
from apps.common.access import Access
from apps.console.demo import world
from apps.console.demo.calls import simulate
from apps.intake.services import accept_events
from apps.ivr.results import read_results
from apps.ivr.services import answer_results

_CALLS = 24
_SEED = 1984
_SPAN = dt.timedelta(days=3)


def make_history(*, now: dt.datetime) -> None:
    """Take in the calls of the last days; their webhooks are sent as soon as a worker runs.

    The first call of each client also goes to its webhooks that are off otherwise: one fails for
    good, one is tried again and again.
    """
    access = access_of_user(User.objects.get(email=world.PEOPLE[0].email))
    untold = {client.name for client in world.CLIENTS}
    calls = simulate(count=_CALLS, seed=_SEED, begin=now - _SPAN, spacing=_SPAN / (_CALLS + 1))
    for call in calls:
        with _switched_on(call.client if call.client.name in untold else None, access):
            for bodies in call.posts:
                accept_events(access=access, bodies=bodies)
        untold.discard(call.client.name)


def make_exchanges() -> None:
    """Let the last callers answer the questions of the IVRs, whose receivers are asked now.

    Must run outside of any transaction, with the calls of the history stored.
    """
    access = access_of_user(User.objects.get(email=world.PEOPLE[0].email))
    for client in world.CLIENTS:
        for ivr in client.ivrs:
            calls = Call.objects.filter(
                account__name=client.name, location__name=ivr.place
            ).order_by("-started_at")
            for typed, call in zip(ivr.typed, calls[: len(ivr.typed)], strict=False):
                results = read_results(
                    {
                        "response_id": f"{call.external_id}-{ivr.number}",
                        "call_id": call.external_id,
                        "started_at": call.started_at,
                        "answers": {str(n): said for n, said in enumerate(typed, start=1)},
                        "completed": True,
                    }
                )
                answer_results(
                    access=access, ivr=str(ivr.number), results=results, began=perf_counter()
                )


@contextmanager
def _switched_on(client: world.Client | None, access: Access) -> Iterator[None]:
    """Let the webhooks of a client that are off take part in a `with` block."""
    names = [hook.name for hook in client.hooks if hook.is_off] if client else []
    attachments = Attachment.objects.filter(
        account_id__in=access.account_ids, webhook__name__in=names
    )
    attachments.update(is_active=True)
    try:
        yield
    finally:
        attachments.update(is_active=False)
