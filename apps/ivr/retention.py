"""Forgetting exchanges: bodies first, then all of it, after the days that their account says.

Also what was said in those of a call whose personal data is erased.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db import connection

from apps.calls.models import Call
from apps.delivery.retention import walk
from apps.ivr.models import IvrExchange

_EXCHANGES = """
SELECT created_at, id, bodies_removed_at IS NOT NULL FROM ivr_ivrexchange
WHERE account_id = %s AND created_at < %s AND (created_at, id) > (%s, %s)
ORDER BY created_at, id LIMIT %s
"""
# Addresses stay without their query, which has the parameters, and actions without theirs.
_REMOVE_BODIES = """
UPDATE ivr_ivrexchange SET bodies_removed_at = now(),
  tries = (
    SELECT coalesce(jsonb_agg(each || jsonb_build_object(
      'url', split_part(each->>'url', '?', 1), 'request_headers', '{}'::jsonb,
      'request_body', '', 'response_headers', '[]'::jsonb, 'response_body', '')), '[]')
    FROM jsonb_array_elements(tries) each),
  reply = reply || jsonb_build_object('ivr', NULL,
    'message', CASE WHEN reply->>'message' IS NOT NULL THEN '' END,
    'action', CASE WHEN jsonb_typeof(reply->'action') = 'object' THEN reply->'action'
      || '{"parameters": {}, "user_parameters": {}, "pass_through": ""}'::jsonb END)
WHERE id = ANY (%s)
"""
# What was wrong with an answer is told in words of it.
_REMOVE_FAULTS = """
UPDATE ivr_ivrexchange SET reason = '', reply = reply || '{"reason": ""}',
  tries = (
    SELECT coalesce(jsonb_agg(each || '{"error_message": ""}'), '[]')
    FROM jsonb_array_elements(tries) each)
WHERE id = ANY (%s)
"""
_NOTHING_SAID: Final[Mapping[str, Any]] = {
    "request_headers": {},
    "request_body": "",
    "response_headers": [],
    "response_body": "",
    "error_message": "",
}
_DELETE = "DELETE FROM ivr_ivrexchange WHERE id = ANY (%s)"


def purge_exchanges(
    account_id: uuid.UUID, bodies_until: dt.datetime, records_until: dt.datetime
) -> Iterator[None]:
    """Walk over the old exchanges of an account, a step at a time."""
    for rows in walk(_EXCHANGES, account_id, bodies_until):
        over = [key for at, key, _ in rows if at < records_until]
        full = [key for at, key, is_bare in rows if at >= records_until and not is_bare]
        with connection.cursor() as cursor:
            if over:
                cursor.execute(_DELETE, [over])
            if full:
                cursor.execute(_REMOVE_BODIES, [full])
        yield


def bare(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a new exchange as `forget_exchanges` leaves them of an old one."""
    reply = values["reply"]
    empty = {"parameters": {}, "user_parameters": {}, "pass_through": ""}
    return {
        **values,
        "bodies_removed_at": values["created_at"],
        "reason": "",
        "tries": [
            {**each, "url": each["url"].partition("?")[0], **_NOTHING_SAID}
            for each in values["tries"]
        ],
        "reply": {
            **reply,
            "reason": "",
            "ivr": None,
            "message": None if reply["message"] is None else "",
            "action": reply["action"] and {**reply["action"], **empty},
        },
    }


def forget_exchanges(call: Call) -> None:
    """Take out what was said and answered while the caller waited."""
    exchanges = IvrExchange.objects.filter(
        account_id=call.account_id, call_external_id=call.external_id
    )
    keys = list(exchanges.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE_BODIES, [keys])
        cursor.execute(_REMOVE_FAULTS, [keys])
