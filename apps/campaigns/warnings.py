"""What may be missing from what an attachment sends."""

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.conditions import InvalidCondition, condition_from, rules_of
from apps.campaigns.models import Attachment, CampaignKind
from apps.webhooks.mapping import MappingError, from_plain
from apps.webhooks.tokens import UnknownToken, end_only, web_session_only

_MOST_NAMED = 6


def warnings_for(attachment: Attachment) -> list[str]:
    """Return what to tell somebody who attaches a webhook here at this moment of calls.

    Tokens that are known only at the end are empty at the begin; those of a web session are empty
    for calls of an offline campaign. Where it depends on business hours, a location without any
    sends nothing.
    """
    version = attachment.template.current_version
    if version is None:
        return []
    try:
        tokens = from_plain(version.mapping).tokens
    except (MappingError, UnknownToken):
        return []
    warnings = _without_hours(attachment)
    late, web = end_only(tokens), web_session_only(tokens)
    if attachment.timing == Timing.BEGIN and late:
        warnings.append(
            f"“{attachment.webhook}” is sent at the begin, when {_named(late)} is not known yet:"
            " it will be empty."
        )
    campaign = attachment.campaign
    if campaign is not None and campaign.kind == CampaignKind.OFFLINE and web:
        warnings.append(
            f"“{attachment.webhook}” sends {_named(web)}, which calls of an offline campaign do"
            " not have: it will be empty."
        )
    return warnings


def _without_hours(attachment: Attachment) -> list[str]:
    """Warn of locations whose business hours a condition asks for, and that have none."""
    try:
        rules = rules_of(condition_from(attachment.conditions))
    except InvalidCondition:
        return []
    if not any(rule.field == "business_hours" for rule in rules):
        return []
    locations = Location.objects.filter(account_id=attachment.account_id, business_hours={})
    if (place := attachment.place_id or attachment.webhook.location_id) is not None:
        locations = locations.filter(pk=place)
    names = [location.name for location in locations[:_MOST_NAMED]]
    if not names:
        return []
    return [
        f"“{attachment.webhook}” is sent by business hours, and {', '.join(names)} has none set up:"
        " nothing is sent for its calls."
    ]


def _named(names: frozenset[str]) -> str:
    shown = [f"%{name}%" for name in sorted(names)]
    rest = len(shown) - _MOST_NAMED
    return ", ".join(shown[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
