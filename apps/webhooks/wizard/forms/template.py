"""The forms of the Template step."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account, Group, Location
from apps.common.admin.theme import SearchableSelect, Select, Textarea, TextInput
from apps.webhooks.extraction import SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.models import Template, TemplateFormat
from apps.webhooks.services import check_sample

_LONGEST_LINE = 200
_AROUND = 60


@dataclass(frozen=True, slots=True)
class BadLine:
    """The line of a sample with its fault: the text before, at and behind the place.

    Of a long line, what is around it. `at` is "" behind the end of the line.
    """

    line: int
    column: int
    before: str
    at: str
    behind: str

    @classmethod
    def of(cls, sample: str, error: SampleError) -> "BadLine":
        """Find the place of an error."""
        text = sample.removeprefix("\ufeff").split("\n")[error.line - 1].rstrip("\r")
        start = error.column - 1
        before, at, behind = text[:start], text[start : start + 1], text[start + 1 :]
        if len(text) > _LONGEST_LINE:
            before = f"…{before[-_AROUND:]}" if len(before) > _AROUND else before
            behind = f"{behind[:_AROUND]}…" if len(behind) > _AROUND else behind
        return cls(error.line, error.column, before, at, behind)


class SampleStep(forms.Form):
    """The sample from which the fields are found, of a format that is fixed."""

    sample = forms.CharField(
        label="Template Format",
        strip=False,
        widget=Textarea(
            attrs={"rows": 14, "class": "hl-code", "spellcheck": "false", "wrap": "off"}
        ),
        help_text="Paste an example of what the receiver expects. Its fields are found for you;"
        " %tokens% in it are understood.",
    )

    def __init__(self, *args: Any, format_: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Extraction refuses null characters, too, and says where.
        self.fields["sample"].validators.clear()
        self._format = format_
        self.bad_line: BadLine | None = None

    def clean(self) -> dict[str, Any]:
        """Refuse a sample that is not usable, and say where."""
        cleaned = super().clean() or {}
        sample, format_ = cleaned.get("sample"), cleaned.get("format") or self._format
        if not sample or not format_:
            return cleaned
        try:
            extract(sample, Format(format_))
        except SampleError as error:
            self.bad_line = BadLine.of(sample, error)
            message = f"Line {error.line}, column {error.column}: {error.message}"
            self.add_error("sample", message)
            return cleaned
        try:
            check_sample(sample=sample, template_format=format_)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


class TemplateStep(SampleStep):
    """A new template: its sample, what it is called, and who else can use it."""

    title = forms.CharField(
        label="Template Name",
        max_length=120,
        widget=TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="The name of your custom template.",
    )
    group = forms.ChoiceField(
        label="Template Group",
        required=False,
        widget=SearchableSelect,
        help_text="Who else can use it.",
    )
    format = forms.ChoiceField(label="Template Type", choices=TemplateFormat.choices, widget=Select)
    CLIENTS: ClassVar[str] = "clients"

    def __init__(
        self, *args: Any, account: Account, location: Location | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._account, self._location = account, location
        choices = [("", "Whole account")]
        choices += [(str(row.pk), row.name) for row in Group.objects.filter(account=account)]
        if account.is_agency:
            choices.append((self.CLIENTS, "All client accounts"))
        group = self.fields["group"]
        assert isinstance(group, forms.ChoiceField)  # noqa: S101 - tells the type checker
        group.choices = choices

    def clean_title(self) -> str:
        """Refuse a name that another template has."""
        name = str(self.cleaned_data["title"])
        if Template.objects.filter(account=self._account, name=name).exists():
            raise ValidationError("The account has a template of this name already.")
        return name

    def clean_group(self) -> str:
        """Refuse a group that the webhook's own location is not in: it could not send it."""
        group = str(self.cleaned_data["group"])
        location = self._location
        if group in ("", self.CLIENTS) or (location and str(location.group_id) == group):
            return group
        raise ValidationError(
            f"The webhook is for {location or 'all locations'}, which this group does not cover:"
            " choose the whole account, or another location for the webhook."
        )
