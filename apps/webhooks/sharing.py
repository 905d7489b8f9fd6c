"""Which templates an account may use: its own, and those that its agency shares."""

import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from apps.accounts.models import Account
from apps.common.access import Access
from apps.common.tenancy import system_scope
from apps.webhooks.models import Template

_MOST_NAMED = 3


def templates_for(account_ids: Iterable[uuid.UUID], access: Access) -> QuerySet[Template]:
    """Return the templates that webhooks of these accounts may send."""
    keys = list(account_ids)
    agencies = [access.accounts[key].parent_id for key in keys if key in access.accounts]
    return Template.objects.filter(
        Q(account_id__in=keys)
        | Q(account_id__in=[key for key in agencies if key], is_shared_with_clients=True)
    )


def templates_held(account: Account, agency_id: uuid.UUID) -> str:
    """Name the templates of an agency that webhooks of a client account send."""
    # Accounts that are off are out of reach, and come back.
    with system_scope():
        rows = Template.objects.filter(account_id=agency_id, webhooks__account=account).distinct()
        return ", ".join(f"the template “{template}”" for template in rows[:_MOST_NAMED])


Account.held_by_agency.append(templates_held)
