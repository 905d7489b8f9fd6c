"""One webhook or template for many locations, with a result for each. Repeating it changes nothing.

Each location is by itself: what does not fit there is told, and the others go on.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from apps.accounts.models import Location
from apps.calls.events import Timing
from apps.campaigns.models import Attachment
from apps.common.access import Access, Role
from apps.common.audit import record
from apps.common.collisions import is_collision
from apps.common.ids import new_id
from apps.common.models import AuditAction, HooklineModel
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret

MOST_LOCATIONS = 500
# What a copy of a webhook does not take along.
_OWN = {"id", "created_at", "account", "location", "secret", "disabled_reason", "revision"}


class Outcome(StrEnum):
    """What became of one location."""

    CREATED = "created"
    ATTACHED = "attached"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Applied:
    """A location, what became of it, why in words, and the webhooks that it is about."""

    location: Location
    outcome: Outcome
    message: str
    webhooks: tuple[Webhook, ...] = ()


def apply_webhook(
    *,
    webhook: Webhook,
    locations: Sequence[Location],
    by: Access,
    timings: Sequence[str] = (),
) -> list[Applied]:
    """See to it that calls of each location are told as this webhook tells of its own.

    One of the whole account is attached at locations of that account. Elsewhere a location gets a
    copy of its own, with the same headers; in the same account it signs with the same secret, in
    another with a new one. It is sent at `timings`, by default at those of the webhook's own
    location, else at the end of calls. Raises PermissionDenied unless the webhook's account may be
    worked in, ValidationError for more than `MOST_LOCATIONS`.
    """
    _check(by, webhook, locations)
    headers = list(webhook.headers.all())
    attachments = _attachments_of(webhook, timings)
    present = {
        found.location_id: found
        for found in Webhook.objects.filter(
            location__in=[location.pk for location in locations],
            url=webhook.url,
            method=webhook.method,
            template_id=webhook.template_id,
        ).order_by("-created_at")
    }

    def apply(location: Location) -> Applied:
        if webhook.location_id == location.pk or (
            webhook.location_id is None and webhook.account_id == location.account_id
        ):
            there, is_new = webhook, False
        elif location.pk in present:
            there, is_new = present[location.pk], False
        else:
            there, is_new = _copy_to(location, webhook, headers, by), True
        added = [_attach(there, location, attachment) for attachment in attachments]
        if is_new:
            note = "" if there.account_id == webhook.account_id else " with a secret of its own"
            return Applied(location, Outcome.CREATED, f"It has a copy{note}.", (there,))
        if any(added):
            return Applied(location, Outcome.ATTACHED, "It is attached.", (there,))
        return Applied(location, Outcome.UNCHANGED, "It was there already.", (there,))

    return _for_each(webhook, locations, by, apply)


def apply_template(
    *,
    template: Template,
    locations: Sequence[Location],
    by: Access,
    replaces: Template | None = None,
) -> list[Applied]:
    """Let the webhooks of each location send this template.

    Only those that send `replaces`, if it is given; else all of the same type but for those of a
    system with a screen of its own. Raises as `apply_webhook`; a template that an agency shares
    needs no role in the agency.
    """
    _check(by, None if template.is_shared_with_clients else template, locations)
    found: dict[object, list[Webhook]] = {}
    webhooks = Webhook.objects.filter(
        location__in=[location.pk for location in locations], template__format=template.format
    )
    for one in webhooks.filter(face="").select_related("account", "location", "template"):
        if replaces is None or one.template_id in (replaces.pk, template.pk):
            found.setdefault(one.location_id, []).append(one)

    def apply(location: Location) -> Applied:
        these = found.get(location.pk, [])
        if not these:
            raise ValidationError("No webhook of this location could send it.")
        others = [one for one in these if one.template_id != template.pk]
        for one in others:
            one.template = template
            one.full_clean()
            one.save(update_fields=["template"])
        if not others:
            return Applied(location, Outcome.UNCHANGED, "It sends it already.", tuple(these))
        total = f"{len(others)} webhook{'s' if len(others) != 1 else ''}"
        return Applied(location, Outcome.CHANGED, f"{total} send it from now on.", tuple(others))

    return _for_each(template, locations, by, apply)


def _check(by: Access, source: Webhook | Template | None, locations: Sequence[Location]) -> None:
    if source is not None and not by.has_role(Role.MEMBER, source.account_id):
        raise PermissionDenied
    if len(locations) > MOST_LOCATIONS:
        raise ValidationError(f"Choose {MOST_LOCATIONS} locations at most.")


def _for_each(
    subject: Webhook | Template,
    locations: Sequence[Location],
    by: Access,
    apply: Callable[[Location], Applied],
) -> list[Applied]:
    # In one order, so that of two who apply at once none waits for one that waits for it.
    in_order = sorted(enumerate(locations), key=lambda place: place[1].pk)
    applied = {number: _safely(location, by, apply) for number, location in in_order}
    results = [applied[number] for number in range(len(locations))]
    counts = {outcome: sum(one.outcome == outcome for one in results) for outcome in Outcome}
    note = ", ".join(f"{total} {outcome}" for outcome, total in counts.items() if total)
    for account_id in {
        one.account_id for one in locations if by.has_role(Role.MEMBER, one.account_id)
    }:
        record(action=AuditAction.APPLIED, account_id=account_id, subject=subject, note=note)
    return results


def _safely(location: Location, by: Access, apply: Callable[[Location], Applied]) -> Applied:
    """Apply to one location, all or nothing; a fault becomes its result."""
    if not by.has_role(Role.MEMBER, location.account_id):
        return Applied(location, Outcome.REFUSED, "You can only look at this location.")
    try:
        with transaction.atomic():
            return apply(location)
    except ValidationError as error:
        return Applied(location, Outcome.REFUSED, " ".join(error.messages))
    except DatabaseError as error:
        if not is_collision(error):
            raise
        return Applied(location, Outcome.REFUSED, "Somebody saved the same just now: try again.")


def _attachments_of(webhook: Webhook, timings: Sequence[str]) -> list[Attachment]:
    """Return what a location is to have, as the webhook's own location or account has it."""
    own = {
        attachment.timing: attachment
        for attachment in webhook.attachments.filter(
            campaign=None, option=None, treatment=None, is_active=True
        ).order_by("location")
    }
    wanted = timings or list(own) or [Timing.END]
    return [own.get(timing) or Attachment(timing=timing) for timing in wanted]


def _copy_to(
    location: Location, webhook: Webhook, headers: Sequence[WebhookHeader], by: Access
) -> Webhook:
    is_another_account = location.account_id != webhook.account_id
    if (
        is_another_account
        and any(header.is_secret for header in headers)
        and not by.has_role(Role.ADMIN, webhook.account_id)
    ):
        raise ValidationError("Saved header values go to another account only by an admin.")
    if is_another_account and not webhook.template.is_shared_with_clients:
        raise ValidationError(
            f"The template “{webhook.template}” is not shared with client accounts."
        )
    made = Webhook(
        account=location.account,
        location=location,
        secret=new_signing_secret() if is_another_account else webhook.secret,
        **{
            field.name: copy.copy(getattr(webhook, field.name))
            for field in Webhook._meta.concrete_fields
            if field.name not in _OWN
        },
    )
    made.full_clean()
    made.save(force_insert=True)
    for header in headers:
        copied = WebhookHeader(
            account=location.account, webhook=made, name=header.name, value=header.value
        )
        copied.full_clean()
        copied.save(force_insert=True)
    return made


def _attach(webhook: Webhook, location: Location, pattern: Attachment) -> bool:
    """Attach a webhook at a location as the pattern is, unless it is; tell whether it was not."""
    if webhook.attachments.filter(
        location=location, campaign=None, option=None, treatment=None, timing=pattern.timing
    ).exists():
        return False
    made = copy.copy(pattern)
    _as_new(made)
    made.account, made.webhook, made.location = location.account, webhook, location
    made.full_clean()
    made.save(force_insert=True)
    return True


def _as_new(row: HooklineModel) -> None:
    fresh = type(row)()
    row.pk, row.created_at, row._state = new_id(), fresh.created_at, fresh._state
