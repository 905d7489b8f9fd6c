"""Switching off endpoints that only fail, and telling people: the sweep's work, never a try's."""

import datetime as dt
import logging
import time
import uuid
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Membership
from apps.common.access import Role
from apps.delivery.alerting import Rung, is_hopeless, rung
from apps.delivery.breaker import FAILING_AFTER
from apps.delivery.models import Alert, Delivery, DeliveryState, EndpointHealth
from apps.delivery.retry import MOST_LOST
from apps.webhooks.models import Webhook

logger = logging.getLogger(__name__)

HOPELESS = "Nothing but failures for 5 days."
# Alerts that one sweep sends, and for how many seconds it begins with another, so that a slow mail
# server does not keep it.
MOST_MAILS = 20
MAIL_S = 2.0
# How a mail server refuses one mail, while others go; and from which answer on that is final
# (RFC 5321, section 4.2.1).
_REFUSALS = (SMTPRecipientsRefused, SMTPDataError)
_REFUSED_FOR_GOOD = 500
# An endpoint that works again after longer was long forgotten, or made new.
RECENT = dt.timedelta(days=60)
# Deliveries that were given up are told of once in so long.
_LOST_EACH = dt.timedelta(days=1)
_SUBJECTS = {
    Rung.FAILING: "“{webhook}” is failing",
    Rung.HALF: "“{webhook}” keeps failing: half-way to being switched off",
    Rung.SEVENTY: "“{webhook}” keeps failing: 70% of the way to being switched off",
    Rung.NINETY: "“{webhook}” keeps failing: soon it is switched off",
    Rung.DISABLED: "“{webhook}” was switched off",
    Rung.RECOVERED: "“{webhook}” works again",
    Rung.LOST: "“{webhook}”: not everything was sent",
}


def watch_endpoints() -> None:
    """Switch off what is hopeless and note what is to be told. One look at what fails."""
    now = timezone.now()
    of_now = Alert.objects.filter(webhook__health__failing_since=F("failing_since"))
    told = set(of_now.values_list("webhook_id", "rung"))
    failing = EndpointHealth.objects.filter(
        failing_since__isnull=False, last_failure_at__isnull=False
    ).select_related("webhook")
    for health in failing.defer("slices", "webhook__secret").iterator():
        since, last = health.failing_since, health.last_failure_at
        if since is None or last is None:
            continue
        reached = _reached(health, since, last, now)
        if reached is not None and (health.webhook_id, reached.value) not in told:
            _note(health, since, reached)
    _note_recoveries()


def _reached(
    health: EndpointHealth, since: dt.datetime, last: dt.datetime, now: dt.datetime
) -> Rung | None:
    """Return what is to be told of an endpoint that fails; one that is hopeless is off then."""
    webhook = health.webhook
    if not webhook.is_active:
        return Rung.DISABLED if webhook.disabled_reason else None
    if is_hopeless(since, last, now):
        _disable(webhook)
        return Rung.DISABLED
    if health.failures_in_row < FAILING_AFTER:
        return None
    return rung(since, now, is_open=health.probe_at is not None)


def send_alerts() -> int:
    """Mail what is noted to the admins and owners of its account; return how many were worked off.

    At least once: each is marked after it was handed over. A mail server that is away is left
    alone until the next time, and so is an alert that it refuses for now.
    """
    until = time.monotonic() + MAIL_S
    put_off: list[uuid.UUID] = []
    for sent in range(MOST_MAILS):
        if time.monotonic() > until:
            return sent
        with transaction.atomic():
            alert = (
                Alert.objects.filter(sent_at=None)
                .exclude(pk__in=put_off)
                .select_related("webhook", "account")
                # Credentials that can not be read must not keep other accounts from being told.
                .defer("webhook__secret")
                .select_for_update(of=("self",), skip_locked=True)
                .order_by("created_at")
                .first()
            )
            if alert is None:
                return sent
            if _is_told_by_another(alert):
                alert.delete()
                continue
            try:
                _mail(alert)
            except _REFUSALS:
                put_off.append(alert.pk)
                continue
            except (OSError, SMTPException) as error:
                logger.warning("The mail server can not be reached: %s", error)
                return sent
            alert.sent_at = timezone.now()
            alert.save(update_fields=["sent_at"])
    return MOST_MAILS


def _disable(webhook: Webhook) -> None:
    """Switch it off, unless somebody else just has."""
    Webhook.objects.filter(pk=webhook.pk, is_active=True).update(
        is_active=False, disabled_reason=HOPELESS
    )


def _note(health: EndpointHealth, since: dt.datetime, reached: Rung) -> None:
    """Note it once for this time of failing."""
    Alert.objects.get_or_create(
        webhook_id=health.webhook_id,
        failing_since=since,
        rung=reached.value,
        defaults={"account_id": health.account_id},
    )


def _note_recoveries() -> None:
    """Tell of endpoints that were told of as failing, and have succeeded since."""
    recent = Alert.objects.filter(created_at__gte=timezone.now() - RECENT).exclude(
        rung=Rung.LOST.value
    )
    last = recent.order_by("webhook_id", "-created_at").distinct("webhook_id")
    told = Alert.objects.filter(pk__in=last.values("pk")).exclude(rung=Rung.RECOVERED.value)
    for alert in told.select_related("webhook__health").defer("webhook__secret"):
        succeeded_at = alert.webhook.health.last_success_at
        if succeeded_at is not None and succeeded_at > alert.failing_since:
            Alert.objects.get_or_create(
                webhook_id=alert.webhook_id,
                failing_since=alert.failing_since,
                rung=Rung.RECOVERED.value,
                defaults={"account_id": alert.account_id},
            )


def _is_told_by_another(alert: Alert) -> bool:
    """Tell whether workers that gave up at the same moment noted it more than once."""
    if alert.rung != Rung.LOST:
        return False
    at = alert.created_at
    others = Alert.objects.filter(
        webhook_id=alert.webhook_id,
        rung=alert.rung,
        created_at__range=(at - _LOST_EACH, at + _LOST_EACH),
    ).exclude(pk=alert.pk)
    # Of those that nobody was sent, the one that goes back furthest is.
    return others.filter(
        Q(sent_at__isnull=False) | Q(failing_since__lt=alert.failing_since)
    ).exists()


def _mail(alert: Alert) -> None:
    """Mail it to each; raises one of `_REFUSALS` where the server takes it for nobody now.

    Where it was taken for somebody, an address that is refused for now is not told any more:
    everybody else would be told again with it.
    """
    people = Membership.objects.filter(
        account_id=alert.account_id, role__gte=Role.ADMIN, user__is_active=True
    )
    addresses = list(people.values_list("user__email", flat=True))
    if not addresses:
        return
    subject = _SUBJECTS[Rung(alert.rung)].format(webhook=alert.webhook.name)
    figures, page = _told_of(alert, timezone.now())
    lines = [
        f"Webhook: {alert.webhook.name}",
        f"Account: {alert.account.name}",
        *figures,
        "",
        _advice(alert),
        f"{settings.PUBLIC_URL}{page}",
    ]
    was_taken, refused_for_now = False, None
    for address in addresses:
        try:
            # One each: nobody learns who else is told.
            send_mail(" ".join(subject.split()), "\n".join(lines), None, [address])
            was_taken = True
        except _REFUSALS as error:
            logger.warning("The mail server refuses a mail to account %s.", alert.account_id)
            if not _is_final(error):
                refused_for_now = error
    if refused_for_now is not None and not was_taken:
        raise refused_for_now


def _is_final(error: SMTPRecipientsRefused | SMTPDataError) -> bool:
    """Tell whether the same mail will be refused again."""
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= _REFUSED_FOR_GOOD
    return all(code >= _REFUSED_FOR_GOOD for code, _ in error.recipients.values())


def _told_of(alert: Alert, now: dt.datetime) -> tuple[list[str], str]:
    """Return since when it fails, or what was given up until now, and the page that shows it."""
    since = f"{alert.failing_since:%Y-%m-%d %H:%M} UTC"
    if alert.rung != Rung.LOST:
        page = reverse("admin:webhooks_webhook_health", args=[alert.webhook_id])
        return [f"Failing since: {since}"], page
    given_up = {
        "webhook__id__exact": alert.webhook_id,
        "state__exact": DeliveryState.FAILED,
        "lost_count__gte": MOST_LOST,
        "created_at__gte": alert.failing_since,
        "finished_at__lte": now,
    }
    count = Delivery.objects.filter(account_id=alert.account_id, **given_up).count()
    page = f"{reverse('admin:delivery_delivery_changelist')}?{urlencode(given_up)}"
    return [f"Deliveries given up: {count}", f"First planned at: {since}"], page


def _advice(alert: Alert) -> str:
    match Rung(alert.rung):
        case Rung.RECOVERED:
            return "What was waiting for it is on its way."
        case Rung.DISABLED:
            reason = alert.webhook.disabled_reason
            return f"{reason} What waits for it goes out when it is switched on again.".strip()
        case Rung.LOST:
            return (
                f"Deliveries were given up after {MOST_LOST} tries that broke down in Hookline."
                " They may have arrived; if not, send them again. You are told once a day at most."
            )
        case _:
            return "It is tried again; after 5 days of nothing but failures it is switched off."
