"""What the forms of all systems have in common."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account
from apps.common.access import Access
from apps.common.admin import AccountScopedForm
from apps.webhooks.changing import checked_url

EVERYWHERE = "Every location"
CALLS_OF = "Whose calls are told of."
SUBMIT_TYPES = [("GET", "GET"), ("POST", "POST")]


class FaceForm(AccountScopedForm):
    """A webhook of one system: whose it is, and the address that is made of the answers."""

    access: ClassVar[Access]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        location = self.fields.get("location")
        if isinstance(location, forms.ModelChoiceField):
            location.empty_label = EVERYWHERE

    @property
    def account(self) -> Account | None:
        """Return the account of the webhook: its own, or the one that is chosen."""
        if self.instance.account_id:
            own: Account = self.instance.account
            return own
        field = self.fields.get("account")
        if field is None:
            return None
        try:
            chosen = field.clean(self.data.get("account") or self.initial.get("account"))
        except ValidationError:
            return None
        return chosen if isinstance(chosen, Account) else None

    def clean_url(self) -> str:
        """Refuse an address that Hookline may not send to, where one is typed whole."""
        return checked_url(
            self.cleaned_data["url"],
            webhook=self.instance,
            before=self.initial.get("url", ""),
            access=self.access,
        )

    def take_url(self, url: str, *, field: str) -> None:
        """Take the address over, or say what is wrong with it at a field."""
        try:
            self.instance.url = checked_url(
                url, webhook=self.instance, before=self.instance.url, access=self.access
            )
        except ValidationError as error:
            self.add_error(field, error)
