"""Which templates an account may use: its own, and those that its agency shares."""

import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from apps.common.access import Access
from apps.webhooks.models import Template


def templates_for(account_ids: Iterable[uuid.UUID], access: Access) -> QuerySet[Template]:
    """Return the templates that webhooks of these accounts may send."""
    keys = list(account_ids)
    agencies = [access.accounts[key].parent_id for key in keys if key in access.accounts]
    return Template.objects.filter(
        Q(account_id__in=keys)
        | Q(account_id__in=[key for key in agencies if key], is_shared_with_clients=True)
    )
