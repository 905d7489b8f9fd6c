"""Forms of the web hooks of IVRs."""

from typing import Any, ClassVar

from django import forms
from django.core.validators import URLValidator

from apps.common.admin import AccountScopedForm
from apps.common.admin.theme import NumberInput, Select, Switch, TextInput
from apps.common.fields import is_kept
from apps.ivr.models import Ivr, IvrHook, IvrParameter, IvrQuestion
from apps.ivr.setting_up import fault_of_authorization
from apps.ivr.values import answers_of, tokens_while_waiting
from apps.webhooks.services import check_receiver
from apps.webhooks.tokens import TOKENS, Category

_Choices = list[tuple[str, str | list[tuple[str, str]]]]


class IvrHookForm(AccountScopedForm):
    """A web hook; its addresses are looked up and judged when it is saved."""

    new_authorization = forms.CharField(
        label="Authorization",
        required=False,
        max_length=2048,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Sent to the target URL as the Authorization header, as “Basic …” or “Bearer …”;"
        " kept encrypted, and never shown again.",
    )
    forgets_authorization = forms.BooleanField(
        label="Send no Authorization any more", required=False, widget=Switch
    )
    transcription_url = forms.CharField(
        label="Transcription post back",
        required=False,
        max_length=2048,
        widget=TextInput,
        help_text="Gets one GET request for each transcript of a recorded question, sent and tried"
        " again as any webhook. Empty: none.",
    )

    class Meta:
        model = IvrHook
        fields = [
            "is_active",
            "mode",
            "method",
            "target_url",
            "includes_attribution",
            "fallback_url",
            "budget_s",
            "default_app",
            "default_value",
            "reply_form",
            "redirect_url",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_authorization" in self.fields and is_kept(self.instance, "authorization"):
            placeholder = "•••••••• saved; type to replace"
            self.fields["new_authorization"].widget.attrs["placeholder"] = placeholder
        if "transcription_url" in self.fields and not self.instance._state.adding:
            webhook = self.instance.ivr.transcription_webhook
            self.fields["transcription_url"].initial = webhook.url if webhook else ""

    def clean_target_url(self) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(self.cleaned_data["target_url"])

    def clean_fallback_url(self) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(self.cleaned_data["fallback_url"])

    def clean_transcription_url(self) -> str:
        """Return the address in the spelling that is sent."""
        return _checked(self.cleaned_data["transcription_url"])

    def clean_redirect_url(self) -> str:
        """Refuse what a phone platform can not fetch; Hookline never does."""
        url: str = self.cleaned_data["redirect_url"].strip()
        if url:
            URLValidator(["http", "https"])(url)
        return url

    def clean(self) -> dict[str, Any]:
        """Take a new Authorization over; a saved one goes to the host it was saved for only."""
        cleaned = super().clean() or {}
        given = cleaned.get("new_authorization") or ""
        replaces = bool(cleaned.get("forgets_authorization") or given)
        before = self.initial.get("target_url") or ""
        fault = fault_of_authorization(
            is_saved=is_kept(self.instance, "authorization"),
            given=given if replaces else None,
            before=before,
            after=cleaned.get("target_url", before),
        )
        if fault:
            self.add_error("new_authorization", fault)
        elif replaces:
            self.instance.authorization = given
        return cleaned


def _checked(url: str) -> str:
    url = url.strip()
    return check_receiver(url=url) if url else ""


class IvrParameterForm(AccountScopedForm):
    """A parameter: a name of one's own, and a value from the list."""

    class Meta:
        model = IvrParameter
        fields = ["name", "token"]


class IvrQuestionForm(AccountScopedForm):
    """A question; a new one has the next number."""

    class Meta:
        model = IvrQuestion
        fields = ["number", "prompt", "audio", "is_recorded"]
        widgets: ClassVar[dict[str, Any]] = {
            "number": NumberInput(attrs={"data-next": ""}),
        }


class TokenField(forms.ChoiceField):
    """The values that a parameter of an IVR may have."""

    def __init__(self, ivr: Ivr | None) -> None:
        super().__init__(label="Value", choices=values_of(ivr), widget=Select)


def label_of(parameter: IvrParameter) -> str:
    """Return what the value of a parameter is called."""
    token = TOKENS.get(parameter.token)
    return token.label if token else f"Answer to question {parameter.token.rpartition('.')[2]}"


def values_of(ivr: Ivr | None) -> _Choices:
    """Return what a parameter may be: answers to questions that are not recorded, and tokens."""
    choices: _Choices = [("", "Choose a value")]
    if ivr is not None and (answers := answers_of(ivr)):
        choices.append(("Answers to questions", list(answers.items())))
    known = tokens_while_waiting()
    for category in Category:
        of_category = [(token.name, token.label) for token in known if token.category is category]
        if of_category:
            choices.append((category.label, of_category))
    return choices
