"""What is read before a receiver is asked and stored afterwards, in one statement each."""

import logging
import uuid
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.core.exceptions import ImproperlyConfigured

from apps.accounts.models import Location
from apps.common.access import Access
from apps.common.bulk import new_row
from apps.common.documents import as_json
from apps.common.fields import decrypt
from apps.common.ids import InvalidPublicId
from apps.common.problems import Problem
from apps.common.queries import as_array
from apps.common.tenancy import tenant_scope
from apps.common.trips import Asked, Trip, tenant_trip
from apps.ivr.models import Ivr, IvrExchange, IvrHook
from apps.ivr.retention import bare

logger = logging.getLogger(__name__)

# Exchanges of the same call among which a repeat is looked for.
_MOST_BEFORE: Final = 20
_OF_IVR: Final = ("id", "account_id", "number", "name", "location_id")
_OF_HOOK: Final = (
    "id",
    "is_active",
    "mode",
    "method",
    "target_url",
    "includes_attribution",
    "fallback_url",
    "budget_s",
    "default_app",
    "default_value",
    "reply_form",
    "redirect_url",
)
# As texts: PostgreSQL multiplies the odds of this with those of the wall, which say the same, takes
# the calls of an account for one or two, and goes through all of them instead of asking for one.
_SAME_ACCOUNT: Final = "account_id::text = ivr.account_id::text"
_QUERY: Final = f"""
SELECT {", ".join(f"ivr.{name}" for name in _OF_IVR)},
  {", ".join(f"hook.{name}" for name in _OF_HOOK)},
  hook.authorization,
  coalesce(location.is_active, true),
  (SELECT json_agg(json_build_array(name, token) ORDER BY created_at, id)
    FROM ivr_ivrparameter WHERE hook_id = hook.id)::text,
  (SELECT json_build_array(snapshot, erased_at IS NOT NULL) FROM calls_call
    WHERE {_SAME_ACCOUNT} AND external_id = %(call)s::text)::text,
  (SELECT json_agg(json_build_array(ivr_id = ivr.id, response_id, reply) ORDER BY created_at DESC)
    FROM (SELECT ivr_id, response_id, reply, created_at FROM ivr_ivrexchange
      WHERE {_SAME_ACCOUNT} AND call_external_id = %(call)s::text AND bodies_removed_at IS NULL
      ORDER BY created_at DESC LIMIT {_MOST_BEFORE}) before)::text
FROM ivr_ivr ivr
JOIN ivr_ivrhook hook ON hook.ivr_id = ivr.id
LEFT JOIN accounts_location location ON location.id = ivr.location_id
WHERE ivr.account_id = ANY (%(accounts)s::uuid[])
  AND (ivr.id = %(key)s::uuid OR ivr.number = %(number)s::bigint)
LIMIT 2
"""  # noqa: S608 - made of the constants above
_QUESTIONS: Final = """
SELECT ivr.number, ivr.name, question.number, question.prompt, question.audio, question.is_recorded
FROM ivr_ivr ivr LEFT JOIN ivr_ivrquestion question ON question.ivr_id = ivr.id
WHERE ivr.account_id = %s::uuid AND ivr.number = %s::bigint ORDER BY question.number
"""


_OF_EXCHANGE: Final = tuple(field.attname for field in IvrExchange._meta.concrete_fields)
_COLUMNS: Final = ", ".join(_OF_EXCHANGE)
# The caller does not wait for the disk (decision 25). If PostgreSQL crashes, it may have lost what
# it was told in the second before; nothing else of Hookline is stored like that.
# The call may have been erased while the receiver was waited for. The lock waits for who erases it
# just now, and for nobody else.
_INSERT: Final = f"""
INSERT INTO ivr_ivrexchange ({_COLUMNS})
SELECT {_COLUMNS} FROM json_populate_record(NULL::ivr_ivrexchange, %(row)s)
WHERE %(is_bare)s::boolean OR (
  SELECT erased_at FROM calls_call
  WHERE account_id::text = %(account)s::uuid::text AND external_id = %(call)s::text
  FOR KEY SHARE) IS NULL
RETURNING set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - made of the fields of the model


@dataclass(frozen=True, slots=True)
class Known:
    """An IVR with its web hook, and the call that results are about.

    `is_readable` says that the credential of the hook is there in clear, if it has one;
    `parameters` are names and tokens; `call` is its snapshot, or where the IVR is, if no event has
    told of it; `is_erased` says that nothing about a person is kept of it. `before` are the newest
    exchanges of the call that are not forgotten, the last one first: whether it was this IVR, the
    response id, and the reply.
    """

    ivr: Ivr
    hook: IvrHook
    is_readable: bool
    is_location_active: bool
    parameters: list[tuple[str, str]]
    call: dict[str, Any]
    is_erased: bool
    before: list[tuple[bool, str, dict[str, Any]]]

    @property
    def pass_through(self) -> str:
        """What the receiver wants back with these results."""
        last = self.before[0][2] if self.before else {}
        return str((last.get("action") or {}).get("pass_through") or "")

    def reply_to(self, response_id: str) -> dict[str, Any] | None:
        """Return what the same results were answered before."""
        for is_this_ivr, known_id, reply in self.before:
            if is_this_ivr and known_id == response_id:
                return reply
        return None


def read_known(*, access: Access, name: str, call_id: str) -> Known:
    """Return what is known of an IVR, by its id or number, and of a call; raises Problem.

    Opens a scope of its own.
    """
    key: uuid.UUID | None = None
    number: int | None = None
    try:
        key = Ivr.key_of(name)
    except InvalidPublicId:
        if name.isascii() and name.isdigit() and len(name) <= 15:
            number = int(name)
    asked = {
        "accounts": as_array(access.account_ids),
        "key": key,
        "number": number,
        "call": call_id,
    }
    with tenant_trip(access) as trip:
        found = trip.ask(_QUERY, asked)
    rows = found.rows()
    if not rows:
        raise Problem(404, "unknown_ivr", f"There is no IVR {name[:64]}.")
    if len(rows) > 1:
        raise Problem(409, "ambiguous_ivr", f"Several accounts have an IVR {name}; use its id.")
    return _known(access, rows[0])


def read_next_ivr(trip: Trip, *, account_id: uuid.UUID, number: int) -> list[tuple[Any, ...]]:
    """Return number and name of an IVR with each of its questions; nothing if it is not here."""
    return trip.ask(_QUESTIONS, [account_id, number]).rows()


def record(trip: Trip, exchange: IvrExchange, *, is_bare: bool) -> Asked:
    """Store a new exchange, in a transaction that ends without waiting for the disk.

    A bare one tells what was done and how long it took, and nothing of what was said. Another one
    is not stored if its call was erased meanwhile: then the answer has no row.
    """
    values = {name: getattr(exchange, name) for name in _OF_EXCHANGE}
    return trip.ask(
        _INSERT,
        {
            "row": as_json(bare(values) if is_bare else values).decode(),
            "is_bare": is_bare,
            "account": exchange.account_id,
            "call": exchange.call_external_id,
        },
    )


def _known(access: Access, row: tuple[Any, ...]) -> Known:
    of_ivr, rest = row[: len(_OF_IVR)], row[len(_OF_IVR) :]
    of_hook, rest = rest[: len(_OF_HOOK)], rest[len(_OF_HOOK) :]
    authorization, is_location_active, parameters, call, before = rest
    ivr = new_row(Ivr, dict(zip(_OF_IVR, of_ivr, strict=True)))
    in_clear = _in_clear(ivr, authorization)
    hook = new_row(
        IvrHook,
        {
            **dict(zip(_OF_HOOK, of_hook, strict=True)),
            "account_id": ivr.account_id,
            "authorization": in_clear or "",
        },
        ivr=ivr,
    )
    snapshot, is_erased = orjson.loads(call) if call else (_place(access, ivr), False)
    return Known(
        ivr=ivr,
        hook=hook,
        is_readable=in_clear is not None,
        is_location_active=is_location_active,
        parameters=[(name, token) for name, token in orjson.loads(parameters or "[]")],
        call=snapshot,
        is_erased=is_erased,
        before=[(is_this, key, reply) for is_this, key, reply in orjson.loads(before or "[]")],
    )


def _in_clear(ivr: Ivr, authorization: str) -> str | None:
    """Return a credential as it is sent; None where the key to read it is missing."""
    try:
        return decrypt(authorization) if authorization else ""
    except ImproperlyConfigured as error:
        # The caller waits, and gets the default action.
        logger.error("The web hook of %s is not asked: %s", ivr.public_id, error)
        return None


def _place(access: Access, ivr: Ivr) -> dict[str, Any]:
    """Return what is known of a call that no event has told of: where its IVR is."""
    if ivr.location_id is None:
        return {}
    with tenant_scope(access):
        return {"location": Location.objects.get(pk=ivr.location_id).snapshot()}
