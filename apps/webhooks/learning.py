"""Learning from an account's own mappings."""

from itertools import islice

from django.db.models import F

from apps.accounts.models import Account
from apps.webhooks.mapping import Kind
from apps.webhooks.models import TemplateVersion
from apps.webhooks.suggestions import Learned

MOST_TEMPLATES = 200
MOST_FIELDS = 1_000
_TAUGHT_BY = frozenset({Kind.TOKEN.value, Kind.REPEAT.value})


def learn_mappings(*, account: Account) -> Learned:
    """Count what the account's own templates map to what, by their current versions.

    One query: the newest 200 templates, and of each the first 1,000 places that hold a token.
    """
    mappings = (
        TemplateVersion.objects.filter(account=account, template__current_version=F("pk"))
        .order_by("-created_at")
        .values_list("mapping", flat=True)[:MOST_TEMPLATES]
    )
    return Learned.from_templates(_pairs(mapping) for mapping in mappings)


def _pairs(mapping: object) -> set[tuple[str, str]]:
    """The places of a stored mapping that hold a token; what is no mapping has none."""
    fields = mapping if isinstance(mapping, list) else []
    taught = (
        (field["path"], field["token"])
        for field in fields
        if isinstance(field, dict)
        and field.get("kind") in _TAUGHT_BY
        and isinstance(field.get("path"), str)
        and isinstance(field.get("token"), str)
    )
    return set(islice(taught, MOST_FIELDS))
