"""Finding deliveries by the webhook and the call that they are about."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from apps.calls.models import Call
from apps.webhooks.models import Webhook

WEBHOOK_FIELDS = ("name",)
CALL_FIELDS = ("caller", "tracking_number", "external_id")
# So many calls are looked up by key. A word that more have is soon met among their deliveries.
_MOST_CALLS = 2_000


def having(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return the deliveries whose webhook or call has each word of a text; quotes make one word.

    Webhooks and calls are looked up first. Compared delivery by delivery, a word that few have
    would be looked for in all that was ever sent.
    """
    for word in map(_unquoted, smart_split(text)):
        webhooks = Webhook.objects.filter(_any_has(word, WEBHOOK_FIELDS)).values_list("pk")
        calls = Call.objects.filter(_any_has(word, CALL_FIELDS)).values_list("pk", flat=True)
        few = list(calls[: _MOST_CALLS + 1])
        has_few = len(few) <= _MOST_CALLS
        of_call = Q(call__in=few) if has_few else _any_has(word, CALL_FIELDS, of="call__")
        rows = rows.filter(Q(webhook__in=[key for (key,) in webhooks]) | of_call)
    return rows


def _unquoted(word: str) -> str:
    is_quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
    return unescape_string_literal(word) if is_quoted else word


def _any_has(word: str, fields: tuple[str, ...], *, of: str = "") -> Q:
    # To compare in any case takes twice as long, and numbers have none.
    lookup = "contains" if word.lower() == word.upper() else "icontains"
    return reduce(or_, (Q((f"{of}{name}__{lookup}", word)) for name in fields))
