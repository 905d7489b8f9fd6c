"""Editing a finished template in the wizard: its sample and its fields become a new version."""

import uuid
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.common.access import Access, Role
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import Template, TemplateVersion, Webhook, WebhookDraft
from apps.webhooks.services import save_template
from apps.webhooks.versions import Use, use_of
from apps.webhooks.wizard.answers import Answers, Choice, Step
from apps.webhooks.wizard.drafts import answers_of, begin, digest_of, keep, mapping_of


def begin_edit(*, template: Template, user: User) -> WebhookDraft:
    """Return a person's draft of the next version of a template, which they may have begun before.

    Raises ValidationError for a template without a version.
    """
    begun = WebhookDraft.objects.filter(
        account_id=template.account_id,
        user=user,
        answers__choice=Choice.EDIT.value,
        answers__template=str(template.pk),
    )
    return begun.first() or begin(
        account=template.account, location=None, user=user, answers=_as_it_is(template)
    )


def _as_it_is(template: Template) -> Answers:
    version = template.current()
    return Answers(
        choice=Choice.EDIT.value,
        name=f"Fields of {template.name}",
        template=str(template.pk),
        template_name=template.name,
        format=template.format,
        sample=version.sample,
        mapping=version.mapping,
        mapped=digest_of(template.format, version.sample),
        by_hand=[field.path for field in from_plain(version.mapping).fields],
        version=version.number,
        done=[Step.TEMPLATE.value],
    )


def edited_template(draft: WebhookDraft) -> Template:
    """Return the template that a draft edits. Raises ValidationError if it is gone."""
    rows = Template.objects.filter(account_id=draft.account_id)
    try:
        return rows.select_related("current_version").get(
            pk=uuid.UUID(answers_of(draft).template), current_version__isnull=False
        )
    except (Template.DoesNotExist, ValueError):
        raise ValidationError("This template does not exist any more.") from None


def use_by_webhooks(draft: WebhookDraft) -> Use | None:
    """Return who sends the template that a draft edits; None if it is gone."""
    try:
        return use_of(edited_template(draft))
    except ValidationError:
        return None


def senders_of(draft: WebhookDraft, access: Access) -> list[Webhook]:
    """Return webhooks that send the template that a draft edits, where the person works.

    By one of them it can be tested; those of other accounts are not lent for that.
    """
    use = use_by_webhooks(draft)
    webhooks = use.webhooks if use else []
    return [each for each in webhooks if access.has_role(Role.MEMBER, each.account_id)]


def version_of(draft: WebhookDraft) -> TemplateVersion:
    """Return the version that the draft would become, not stored."""
    answers = answers_of(draft)
    return TemplateVersion(
        account_id=draft.account_id, sample=answers.sample, mapping=answers.mapping
    )


@transaction.atomic
def finish_edit(*, draft: WebhookDraft) -> TemplateVersion:
    """Make the draft the current version of its template, and let the draft go.

    Raises ValidationError, and changes nothing, for what does not fit, for a template that is gone,
    and for one of which another version was saved since `know_newest`.
    """
    answers = answers_of(draft)
    # Held until the end: of two people who save at once, the second is told of the first.
    Template.objects.select_for_update().filter(pk=edited_template(draft).pk).first()
    template = edited_template(draft)
    newest = template.current_version
    if newest is not None and newest.number != answers.version:
        raise ValidationError(
            f"Version {newest.number} was saved meanwhile. Look at what changes from there, and"
            " save again if that is right."
        )
    version = save_template(
        template=template, sample=answers.sample, by=draft.user, mapping=mapping_of(answers)
    )
    draft.delete()
    return version


def know_newest(*, draft: WebhookDraft) -> None:
    """Take note of the current version, with which the person has compared the draft."""
    if (current := edited_template(draft).current_version) is not None:
        keep(draft=draft, answers=replace(answers_of(draft), version=current.number))
