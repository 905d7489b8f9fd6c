"""An account with webhooks, and deliveries planned to them as intake leaves them.

Imports models, so it is imported inside `bench.installation.installed()` only.
"""

import itertools
import math
import secrets
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from apps.accounts.access import access_of_key
from apps.accounts.models import Account, ApiKey, Location
from apps.accounts.services import open_account
from apps.calls.events import Timing
from apps.calls.models import Call, CallEvent
from apps.calls.services import RecordedEvent
from apps.campaigns.matching import Match
from apps.campaigns.models import Attachment, TrackingNumber
from apps.delivery.models import Delivery
from apps.delivery.services import plan
from apps.delivery.wake import wake
from apps.intake.services import accept_events
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import save_template
from bench.processes import BenchmarkFailed

# About 700 bytes when it is rendered for the calls below.
SAMPLE = """{
  "call": {"id": "%callid%", "status": "%dialstatus%", "started": "%call_start_time%",
    "seconds": "%dialed_time%", "tracking": "%tracking%", "recording": "%rec_audiourl%"},
  "caller": {"phone": "%ani%", "first_name": "%ani_first_name%", "last_name": "%ani_last_name%",
    "email": "%ani_email%", "street": "%ani_street_line_1%", "city": "%ani_city%",
    "zip": "%ani_zip%", "state": "%ani_state%", "carrier": "%ani_carrier%"},
  "place": {"name": "%location_name%", "city": "%location_address_city%"},
  "summary": "%ani_full_name% called %tracking% from %ani_city%, and was answered",
  "source": "call-tracking", "kind": "lead", "version": 3,
  "consent": {"recorded": true, "text": "This call may be recorded for training and quality"}
}"""
_BATCH = 500
_serial = itertools.count(1)


@dataclass(frozen=True, slots=True)
class World:
    """An account, its key, and its webhooks by location: a call at one starts all of its own."""

    account: Account
    key: ApiKey
    token: str
    numbers: Sequence[str]
    webhooks: Sequence[Webhook]

    @property
    def fan_out(self) -> int:
        """How many webhooks one event starts."""
        return len(self.webhooks) // len(self.numbers)


def make_world(urls: Sequence[str], *, fan_out: int = 1, **fields: Any) -> World:
    """Open an account with a webhook for each URL, `fan_out` of them at each location.

    They are attached to the end of calls, signed, and carry a secret header. `fields` are those
    of the webhooks.
    """
    serial = next(_serial)
    opened = open_account(
        name=f"Bench {serial}",
        email=f"bench{serial}@example.com",
        password=secrets.token_urlsafe(),
    )
    account = opened.account
    template = Template(account=account, name="Lead", format="json")
    save_template(template=template, sample=SAMPLE, by=None)
    numbers, webhooks = [], []
    for first in range(0, len(urls), fan_out):
        location = Location.objects.create(
            account=account, name=f"Location {first}", city="Los Angeles"
        )
        number = f"+1555{serial:03}{first:04}"
        TrackingNumber.objects.create(account=account, location=location, number=number)
        numbers.append(number)
        for index, url in enumerate(urls[first : first + fan_out], first):
            webhook = Webhook.objects.create(
                **{
                    "account": account,
                    "location": location,
                    "name": f"Webhook {index}",
                    "url": url,
                    "template": template,
                    "secret": new_signing_secret(),
                    **fields,
                }
            )
            WebhookHeader.objects.create(
                account=account, webhook=webhook, name="X-Api-Key", value=f"key-of-{index}"
            )
            Attachment.objects.create(
                account=account, webhook=webhook, timing=Timing.END, location=location
            )
            webhooks.append(webhook)
    return World(account, opened.key, opened.token, numbers, webhooks)


def plant(
    world: World,
    deliveries: int,
    *,
    seeded: Callable[[], None] = lambda: None,
    made_at: str = "seed.created_at",
) -> int:
    """Plan so many deliveries, evenly over the world's webhooks, due now; return how many.

    A first event at each location goes through intake, and the rest are copies of what that left
    in the database, with keys and call ids of their own: rows like those of as many calls. What
    `seeded` does to the first ones is copied, too. `made_at` is SQL for when a copy was made.
    """
    known = set(Call.objects.filter(account=world.account).values_list("pk", flat=True))
    take_calls(world, len(world.numbers))
    seeds = Call.objects.filter(account=world.account).exclude(pk__in=known)
    seeded()
    rounds = deliveries // len(world.webhooks)
    _copy([call.pk for call in seeds], rounds - 1, made_at)
    return rounds * len(world.webhooks)


@contextmanager
def unchecked() -> Iterator[None]:
    """Leave foreign keys unchecked for a block, which makes a million copies in half the time."""
    owner = connection.get_connection_params()
    login = {name: owner[name] for name in ("dbname", "password", "host")}
    with psycopg.connect(**login, user="postgres") as lifted:
        lifted.execute(
            sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(
                sql.Identifier(owner["user"])
            )
        )
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("RESET session_replication_role")


def plan_later(world: World, shares: Sequence[int]) -> list[Callable[[], list[str]]]:
    """Store calls without their deliveries; return what plans a share of them each, when called.

    A call tells the ids of the deliveries that it planned.
    """
    attachments = {
        attachment.location_id: attachment
        for attachment in Attachment.objects.filter(account=world.account).select_related(
            "webhook__template"
        )
    }
    take_calls(world, len(world.numbers))
    seeds = Call.objects.filter(account=world.account)
    Delivery.objects.filter(call__in=seeds).delete()
    _copy([call.pk for call in seeds], math.ceil(sum(shares) / len(world.numbers)))
    events = CallEvent.objects.filter(account=world.account).select_related("call").order_by("pk")
    matches = iter(
        [
            Match(
                RecordedEvent(event, event.call, is_end=True),
                Timing.END,
                attachments[event.call.location_id],
            )
            for event in events[: sum(shares)]
        ]
    )

    def plan_share(share: Sequence[Match]) -> list[str]:
        with transaction.atomic():
            return [delivery.public_id for delivery in plan(matches=share)]

    return [partial(plan_share, list(itertools.islice(matches, share))) for share in shares]


def take_calls(world: World, count: int) -> None:
    """Take the end of so many calls in, location by location, through intake."""
    access = access_of_key(world.key)
    bodies = [
        call_body(number) for number in itertools.islice(itertools.cycle(world.numbers), count)
    ]
    for first in range(0, count, _BATCH):
        receipt = accept_events(access=access, bodies=bodies[first : first + _BATCH])
        if receipt.rejected:
            raise BenchmarkFailed(f"Intake refused {receipt.rejected[0]}.")


def call_body(number: str) -> dict[str, Any]:
    """Return the event that ends a call to a tracking number, as a phone platform posts it."""
    key = uuid.uuid4().hex
    return {
        "id": f"evt-{key}",
        "type": "call.ended",
        "call_id": key,
        "occurred_at": "2026-03-28T00:05:36Z",
        "started_at": "2026-03-28T00:05:00Z",
        "tracking_number": number,
        "from": "+17776734736",
        "status": "answered",
        "duration_s": 36,
        "talk_s": 29,
        "caller": {
            "first_name": "Freddy",
            "last_name": "Krueger",
            "full_name": "Freddy Krueger",
            "email": "freddy@example.com",
            "street_line_1": "1428 Elm Street",
            "city": "Springwood",
            "zip": "50035",
            "state": "Ohio",
            "carrier": "Verizon Wireless",
        },
        "recording": {"url": f"https://audio.example.com/202603/{key}.mp3", "duration_s": 29},
    }


def switch(world: World, *, on: bool) -> None:
    """Let the account's deliveries wait, or go out, all at one moment."""
    Account.objects.filter(pk=world.account.pk).update(is_active=on)
    if on:
        wake()


# --- Copies --------------------------------------------------------------------------------------

_PAIRS = """
CREATE TEMPORARY TABLE copies AS
SELECT call.id AS seed, uuidv7() AS call_id, uuidv7() AS event_id, gen_random_uuid()::text AS name
FROM generate_series(1, %s) AS round, calls_call AS call WHERE call.id = ANY (%s)
ORDER BY round, call.id
"""
_CALL_ID = "jsonb_set(seed.snapshot, '{call_id}', to_jsonb(copies.name))"


def _copy(calls: Sequence[uuid.UUID], times: int, made_at: str = "seed.created_at") -> None:
    """Copy calls with their events and deliveries."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, [times, list(calls)])
        _insert(
            cursor,
            Call,
            "copies.seed = seed.id",
            id="copies.call_id",
            created_at=made_at,
            external_id="copies.name",
            snapshot=_CALL_ID,
        )
        _insert(
            cursor,
            CallEvent,
            "copies.seed = seed.call_id",
            id="copies.event_id",
            call_id="copies.call_id",
            external_id="copies.name",
            snapshot=_CALL_ID,
        )
        _insert(
            cursor,
            Delivery,
            "copies.seed = seed.call_id",
            id="uuidv7()",
            created_at=made_at,
            call_id="copies.call_id",
            event_id="copies.event_id",
        )
        cursor.execute("DROP TABLE copies")
        # As PostgreSQL does by itself. Only to analyze would leave pages without rows, and plans as
        # for a table that stays empty.
        cursor.execute("VACUUM ANALYZE")


def _insert(cursor: Any, model: type[Model], join: str, **instead: str) -> None:
    """Insert a copy of each row of a table that belongs to a pair, some columns replaced."""
    columns = [column for field in model._meta.concrete_fields if (column := field.column)]
    values = ", ".join(instead.get(column, f"seed.{column}") for column in columns)
    table = model._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - of our own models
        f" SELECT {values} FROM copies JOIN {table} seed ON {join}"
    )
