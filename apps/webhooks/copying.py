"""Making an account's own templates from the gallery."""

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Account, User
from apps.webhooks.gallery import GALLERY
from apps.webhooks.mapping import to_plain
from apps.webhooks.models import Template, TemplateVersion


@transaction.atomic
def copy_from_gallery(*, account: Account, key: str, name: str, by: User | None) -> Template:
    """Store a built-in template as the account's own, with its first version, and return it.

    "" takes the entry's own name. Raises ValidationError for a key that the gallery does not
    have (`key`) and for a name that is taken (`name`), and then stores nothing.
    """
    entry = GALLERY.get(key)
    if entry is None:
        raise ValidationError({"key": f"The gallery has no template “{key}”."})
    template = Template(account=account, name=name.strip() or entry.name, format=entry.format.value)
    template.full_clean(exclude=["current_version"])
    template.save()
    template.current_version = TemplateVersion.objects.create(
        account=account,
        template=template,
        number=1,
        sample=entry.sample,
        mapping=to_plain(entry.mapping),
        created_by=by,
    )
    template.save(update_fields=["current_version"])
    return template
