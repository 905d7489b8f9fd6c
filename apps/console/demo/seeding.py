"""Making the demo's world in the database, once."""

import secrets
from collections import Counter
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import (
    Account,
    AccountKind,
    ApiKey,
    Group,
    Location,
    Membership,
    Scope,
    User,
)
from apps.accounts.services import issue_key
from apps.campaigns.models import (
    Attachment,
    Campaign,
    CampaignKind,
    TrackingNumber,
    Treatment,
    TreatmentOption,
)
from apps.common.access import Role
from apps.common.locks import hold
from apps.console.demo import world
from apps.console.demo.keepsakes import Keepsakes
from apps.ivr.models import Ivr, IvrHook, IvrQuestion
from apps.ivr.setting_up import change_hook, create_ivr
from apps.webhooks.models import Template, Webhook, WebhookHeader
from apps.webhooks.secrets import new_signing_secret
from apps.webhooks.services import check_receiver, save_template

# The receiver is on this machine: who waits longer for it waits in vain.
TIMEOUT_S = 5
_KEY_NAME = "Simulated switch"
_PASSWORD_BYTES = 12
# Who changes the file of keepsakes holds this.
_KEEPSAKES = "keepsakes of the demo"


@transaction.atomic
def seed(*, receiver_url: str, keepsakes: Path) -> bool:
    """Make the demo unless it is there, and return whether it was made now.

    What people changed or deleted in it since stays so; only its webhooks and IVRs follow the
    receiver to another address, and lost keepsakes are made anew. Raises ValidationError when the
    receiver may not be reached.
    """
    receiver_url = receiver_url.rstrip("/")
    check_receiver(url=receiver_url)
    hold(_KEEPSAKES)
    accounts = _seeded_accounts()
    is_new = not accounts
    if is_new:
        accounts = _make_accounts()
        _make_people(accounts)
        _make_templates(accounts)
        for client in world.CLIENTS:
            _make_client(client, accounts[client.name], receiver_url)
    kept = Keepsakes.read(keepsakes)
    agency = accounts[world.AGENCY].public_id
    if kept.agency != agency:
        # Of another database, or of one that was emptied.
        kept = Keepsakes(agency=agency)
    if not is_new:
        _follow_receiver(accounts, kept.receiver_url, receiver_url)
    _give_passwords(kept)
    _give_keys(kept, accounts)
    kept.receiver_url = receiver_url
    kept.secrets = _secrets_by_path(accounts, receiver_url)
    # If the commit fails, the file names an agency that does not exist, and counts for nothing.
    kept.write(keepsakes)
    return is_new


@transaction.atomic
def keep_secrets(*, keepsakes: Path) -> None:
    """Keep the secrets that the receiver's webhooks have now; everything else stays as it is."""
    hold(_KEEPSAKES)
    accounts, kept = _seeded_accounts(), Keepsakes.read(keepsakes)
    if accounts and kept.agency == accounts[world.AGENCY].public_id:
        kept.secrets = _secrets_by_path(accounts, kept.receiver_url)
        kept.write(keepsakes)


def logins(*, keepsakes: Path) -> list[dict[str, str]]:
    """Return who can log in to the demo: `email`, `password`, `role`, `account`."""
    passwords = Keepsakes.read(keepsakes).passwords
    return [
        {
            "email": person.email,
            "password": passwords[person.email],
            "role": person.role,
            "account": person.account or "all accounts",
        }
        for person in world.PEOPLE
        if person.email in passwords
    ]


def _seeded_accounts() -> dict[str, Account]:
    """Return the accounts of an earlier seeding by their names in `world`; empty for none.

    The agency is known by its owner, since accounts may have been renamed: what can not be told
    by name any more is left alone.
    """
    membership = (
        Membership.objects.filter(
            user__email=world.PEOPLE[0].email, account__kind=AccountKind.AGENCY
        )
        .select_related("account")
        .first()
    )
    if membership is None:
        return {}
    agency = membership.account
    return {client.name: client for client in agency.clients.all()} | {world.AGENCY: agency}


def _make_accounts() -> dict[str, Account]:
    agency = Account(name=world.AGENCY, kind=AccountKind.AGENCY)
    made = [agency]
    made += [
        Account(name=client.name, parent=agency, time_zone=client.time_zone)
        for client in world.CLIENTS
    ]
    for account in made:
        account.save()
    return {account.name: account for account in made}


def _make_people(accounts: dict[str, Account]) -> None:
    for person in world.PEOPLE:
        user, _ = User.objects.get_or_create(
            email=person.email,
            defaults={"full_name": person.full_name, "is_superuser": not person.account},
        )
        if person.account:
            role = Role[person.role.upper()]
            Membership.objects.create(account=accounts[person.account], user=user, role=role)


def _make_templates(accounts: dict[str, Account]) -> None:
    """Make what the webhooks of each client use, once."""
    owners = {
        hook.template: world.AGENCY if hook.template.is_of_agency else client.name
        for client in world.CLIENTS
        for hook in client.hooks
    }
    for shape, owner in owners.items():
        template = Template(
            account=accounts[owner],
            name=shape.name,
            format=shape.format,
            is_shared_with_clients=shape.is_of_agency,
        )
        save_template(template=template, sample=shape.sample, by=None)


def _make_client(client: world.Client, account: Account, receiver_url: str) -> None:
    for place in client.places:
        _make_place(place, account)
    for hook in client.hooks:
        _make_hook(hook, account, receiver_url)
    for ivr in client.ivrs:
        _make_ivr(ivr, account, receiver_url)


def _make_place(place: world.Place, account: Account) -> None:
    group = None
    if place.group:
        group, _ = Group.objects.get_or_create(account=account, name=place.group)
    location = Location.objects.create(
        account=account,
        name=place.name,
        group=group,
        address_line_1=place.address,
        address_line_2=place.address_2,
        city=place.city,
        state=place.state,
        zip=place.zip,
        time_zone=place.time_zone,
        client_account_id=place.client_account_id,
        client_location_id=place.client_location_id,
        site_id=place.site_id,
        domain_id=place.domain_id,
    )
    menu = None
    if place.has_menu:
        menu = Treatment.objects.create(account=account, location=location, name=world.MENU)
        for key, label in world.OPTIONS.items():
            TreatmentOption.objects.create(account=account, treatment=menu, key=key, label=label)
    campaigns = {
        campaign.name: Campaign.objects.create(
            account=account,
            location=location,
            name=campaign.name,
            kind=CampaignKind.DIGITAL if campaign.domain else CampaignKind.OFFLINE,
            domain=campaign.domain,
            tags=dict(campaign.tags),
        )
        for campaign in place.campaigns
    }
    for line in place.lines:
        TrackingNumber.objects.create(
            account=account,
            location=location,
            number=line.number,
            label=line.label,
            campaign=campaigns.get(line.campaign),
            treatment=menu if line.has_menu else None,
        )


def _make_hook(hook: world.Hook, account: Account, receiver_url: str) -> None:
    webhook = Webhook(
        account=account,
        name=hook.name,
        url=check_receiver(url=receiver_url + hook.path),
        template=Template.objects.get(
            account_id__in=[account.pk, account.parent_id], name=hook.template.name
        ),
        method=hook.method,
        timeout_s=TIMEOUT_S,
        secret=new_signing_secret(),
    )
    webhook.full_clean()
    webhook.save()
    for name, value in hook.headers.items():
        header = WebhookHeader(account=account, webhook=webhook, name=name, value=value)
        header.full_clean()
        header.save()
    for timing, kind, name in hook.attached:
        for place in _places(account, kind, name):
            attachment = Attachment(
                account=account,
                webhook=webhook,
                timing=timing,
                is_active=not hook.is_off,
                **place,
            )
            attachment.full_clean()
            attachment.save()


def _places(account: Account, kind: str, name: str) -> list[dict[str, object]]:
    """Return every place of that name as arguments of an attachment; {} is the whole account."""
    match kind:
        case "campaign":
            found = Campaign.objects.filter(account=account, name=name)
            return [{"campaign": each} for each in found]
        case "option":
            options = TreatmentOption.objects.filter(account=account, label=name)
            return [{"option": each} for each in options]
        case "location":
            return [{"location": Location.objects.get(account=account, name=name)}]
    return [{}]


def _make_ivr(ivr: world.Ivr, account: Account, receiver_url: str) -> None:
    made = create_ivr(
        ivr=Ivr(
            account=account,
            number=ivr.number,
            name=ivr.name,
            location=Location.objects.get(account=account, name=ivr.place),
        ),
        questions=[
            IvrQuestion(number=number, prompt=prompt)
            for number, prompt in enumerate(ivr.questions, start=1)
        ],
    )
    change_hook(
        hook=made.hook,
        changes={
            "is_active": True,
            "target_url": check_receiver(url=receiver_url + ivr.path),
            "default_value": ivr.default_text,
        },
        parameters=ivr.parameters,
        transcription_url=None,
        by=None,
    )


def _follow_receiver(accounts: dict[str, Account], before: str, now: str) -> None:
    if not before or before == now:
        return
    for webhook in _receiver_webhooks(accounts, before):
        webhook.url = now + webhook.url.removeprefix(before)
        webhook.save(update_fields=["url"])
    for hook in IvrHook.objects.filter(
        account__in=accounts.values(), target_url__startswith=f"{before}/"
    ):
        hook.target_url = now + hook.target_url.removeprefix(before)
        hook.save(update_fields=["target_url"])


def _secrets_by_path(accounts: dict[str, Account], receiver_url: str) -> dict[str, str]:
    """Leave out what several webhooks lead to: the secret of one would refuse the others.

    So would a secret that is for `sha256=` only.
    """
    found = {
        webhook: webhook.url.removeprefix(receiver_url).partition("?")[0]
        for webhook in _receiver_webhooks(accounts, receiver_url)
    }
    webhooks = Counter(found.values())
    return {
        path: webhook.secret
        for webhook, path in found.items()
        if webhooks[path] == 1 and webhook.signature == Webhook.Signature.STANDARD
    }


def _receiver_webhooks(accounts: dict[str, Account], receiver_url: str) -> list[Webhook]:
    return list(
        Webhook.objects.filter(
            account__in=accounts.values(), url__startswith=f"{receiver_url}/"
        ).order_by("-created_at")
    )


def _give_passwords(kept: Keepsakes) -> None:
    """Set a password for everybody whose password is not kept."""
    for user in User.objects.filter(email__in=[person.email for person in world.PEOPLE]):
        if user.email not in kept.passwords:
            kept.passwords[user.email] = secrets.token_urlsafe(_PASSWORD_BYTES)
            user.set_password(kept.passwords[user.email])
            user.save(update_fields=["password"])


def _give_keys(kept: Keepsakes, accounts: dict[str, Account]) -> None:
    """Issue an ingest key for each client whose key is not kept, and revoke the lost one."""
    for client in world.CLIENTS:
        account = accounts.get(client.name)
        if account is not None and client.name not in kept.keys:
            for lost in ApiKey.objects.filter(account=account, name=_KEY_NAME, revoked_at=None):
                lost.revoke(timezone.now())
            _, token = issue_key(account=account, name=_KEY_NAME, scopes=[Scope.INGEST], by=None)
            kept.keys[client.name] = token
