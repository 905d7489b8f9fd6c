"""What tests start from: an account with a menu, a campaign, templates, webhooks and events."""

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model

from apps.accounts.models import Account, AccountKind, ApiKey, Location, Membership, Scope, User
from apps.calls.events import Timing
from apps.campaigns.models import (
    Attachment,
    Campaign,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.common.access import Role
from apps.webhooks.mapping import to_plain
from apps.webhooks.models import Template, TemplateVersion, Webhook, WebhookHeader
from apps.webhooks.secrets import Secret, new_signing_secret, parse_secret
from apps.webhooks.services import check_sample

PASSWORD = "correct-horse-battery"
JSON_SAMPLE = '{"call": "%callid%", "from": "%ani%", "name": "%ani_full_name%", "n": 7}'
XML_SAMPLE = '<lead id="%callid%"><name>%ani_full_name%</name><from>%ani%</from></lead>'
_numbers = itertools.count(1)
_read = cache(check_sample)


@dataclass
class World:
    """An account in working order; `token` is its key with every scope."""

    account: Account
    owner: User
    location: Location
    key: ApiKey
    token: str
    campaign: Campaign
    menu: Treatment
    sales: TreatmentOption
    service: TreatmentOption
    parts: TreatmentOption
    number: TrackingNumber
    menu_number: TrackingNumber
    json: Template
    xml: Template

    @property
    def headers(self) -> dict[str, str]:
        """What authenticates its key in Django's test client."""
        return bearer(self.token)


def make_world(
    name: str = "Acme", *, parent: Account | None = None, kind: AccountKind = AccountKind.CLIENT
) -> World:
    """Make an account whose `number` leads to a campaign and `menu_number` to its menu.

    The rows are those of the services, without their questions: most tests begin with them.
    """
    account = Account.objects.create(name=name, kind=kind, parent=parent)
    owner = User(email=f"owner{next(_numbers)}@example.com")
    owner.set_password(PASSWORD)
    owner.save()
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    location = Location.objects.create(account=account, name=name)
    key = ApiKey(account=account, name="First key", scopes=list(Scope), created_by=owner)
    token = key.issue_token()
    key.save()
    place: dict[str, Any] = {"account": account, "location": location}
    menu = Treatment.objects.create(**place, name="Menu")
    sales, service, parts = TreatmentOption.objects.bulk_create(
        TreatmentOption(account=account, treatment=menu, key=str(number), label=label)
        for number, label in enumerate(("Sales", "Service", "Parts"), start=1)
    )
    campaign = Campaign.objects.create(**place, name="Spring", tags={"Region": "south"})
    number, menu_number = TrackingNumber.objects.bulk_create(
        TrackingNumber(**place, number=new_number(), **target)
        for target in ({"campaign": campaign}, {"treatment": menu})
    )
    return World(
        account=account,
        owner=owner,
        location=location,
        key=key,
        token=token,
        campaign=campaign,
        menu=menu,
        sales=sales,
        service=service,
        parts=parts,
        number=number,
        menu_number=menu_number,
        json=make_template(account, "JSON lead", JSON_SAMPLE),
        xml=make_template(account, "XML lead", XML_SAMPLE, form="xml"),
    )


def new_number() -> str:
    """Return a number nobody has yet."""
    return f"+1555{next(_numbers):07d}"


def make_template(account: Account, name: str, sample: str, *, form: str = "json") -> Template:
    """Make a template whose mapping is what the sample's tokens say."""
    template = Template.objects.create(account=account, name=name, format=form)
    mapping = to_plain(_read(sample=sample, template_format=form))
    template.current_version = TemplateVersion.objects.create(
        account=account, template=template, number=1, sample=sample, mapping=mapping
    )
    template.save(update_fields=["current_version"])
    return template


def new_secret() -> Secret:
    """Return a signing secret as webhooks get it."""
    return parse_secret(new_signing_secret())


def make_webhook(world: World, url: str, **fields: Any) -> Webhook:
    """Make a webhook of the whole account with the JSON template, unless `fields` say otherwise."""
    headers: dict[str, str] = fields.pop("headers", {})
    webhook = Webhook.objects.create(
        **{
            "account": world.account,
            "name": "CRM",
            "url": url,
            "template": world.json,
            "secret": new_signing_secret(),
            **fields,
        }
    )
    for name, value in headers.items():
        WebhookHeader.objects.create(
            account=webhook.account, webhook=webhook, name=name, value=value
        )
    return webhook


def switch_off(webhook: Webhook, reason: str) -> None:
    """Stop a webhook, as a receiver that is gone does; its deliveries wait."""
    Webhook.objects.filter(pk=webhook.pk).update(is_active=False, disabled_reason=reason)
    webhook.refresh_from_db()


def switch_on(webhook: Webhook) -> None:
    """Let a webhook send again."""
    Webhook.objects.filter(pk=webhook.pk).update(is_active=True, disabled_reason="")
    webhook.refresh_from_db()


def lose_key(row: Model, name: str = "secret") -> None:
    """Let a secret of a row be one that no key of CREDENTIAL_KEYS reads."""
    table, column = map(connection.ops.quote_name, (row._meta.db_table, name))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = 'garbage' WHERE id = %s",  # noqa: S608
            [row.pk],
        )


def attach(webhook: Webhook, timing: Timing = Timing.BEGIN, **target: Any) -> Attachment:
    """Attach a webhook to one target, or to every call of its account."""
    return Attachment.objects.create(
        account=webhook.account, webhook=webhook, timing=timing, **target
    )


def event(world: World | None = None, **fields: Any) -> dict[str, Any]:
    """Return the body of an event, a started call unless `fields` say otherwise.

    With a world it happens on its campaign's number; None leaves a field out.
    """
    body = {
        "id": f"e{next(_numbers)}",
        "type": "call.started",
        "call_id": "c1",
        "occurred_at": "2026-03-28T00:05:00Z",
        "tracking_number": world.number.number if world else None,
        "from": "+15550001111",
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def bearer(token: str) -> dict[str, str]:
    """Return the header that authenticates a key."""
    return {"Authorization": f"Bearer {token}"}
