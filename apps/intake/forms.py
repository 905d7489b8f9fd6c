"""Forms of sources."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from apps.calls.events import CallStatus, EventType
from apps.common.admin import AccountScopedForm
from apps.common.admin.theme import Textarea, TextInput
from apps.common.fields import is_kept
from apps.intake.adapters.event_fields import BY_NAME, EVENT_FIELDS, EventField, Kind
from apps.intake.adapters.generic import fill, meanings_of, place_of, suggested
from apps.intake.models import Source
from apps.webhooks.extraction import Field, Sample
from apps.webhooks.mapping import FieldMapping, Mapping
from apps.webhooks.mapping import Kind as Fill

_FIXED = "="
_SHOWN_CHARACTERS = 40
_FIRST = EVENT_FIELDS[:10]
# Written for fields that take one of a few words: each word, and what it is called on screens.
_WORDS = {Kind.TYPE: EventType.choices, Kind.STATUS: CallStatus.choices}


class _SecretField(forms.CharField):
    """A credential: never shown again, and kept when left empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=512, widget=TextInput, **kwargs)
        self.widget.input_type = "password"
        self.widget.attrs |= {"autocomplete": "new-password"}


class SourceForm(AccountScopedForm):
    """A source; its credentials are never shown again, and kept when left empty."""

    # What is typed here goes into these columns, which no form shows.
    SECRETS = {
        "token": "auth_token",
        "second_token": "second_auth_token",
        "signing_secret": "signature_secret",
    }

    token = _SecretField(
        label="Auth Token", help_text="In the Twilio console under Account, API keys & tokens."
    )
    second_token = _SecretField(
        label="Second Auth Token",
        help_text="While you replace it: Twilio's secondary token. Both are good until you retire"
        " the first.",
    )
    signing_secret = _SecretField(label="Signing secret")

    class Meta:
        model = Source
        fields = ["name", "kind", "location", "format", "sample", "signature_header", "is_active"]
        widgets = {
            "sample": Textarea(attrs={"rows": 14, "class": "hl-code", "spellcheck": "false"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, column in self.SECRETS.items():
            if name in self.fields and is_kept(self.instance, column):
                self.fields[name].widget.attrs["placeholder"] = "•••••••• saved; type to replace"

    def clean(self) -> dict[str, Any]:
        """Take over what was typed as a credential."""
        cleaned = super().clean() or {}
        for name, column in self.SECRETS.items():
            if typed := (cleaned.get(name) or "").strip():
                setattr(self.instance, column, typed)
        if "signature_header" in self.fields and not cleaned.get("signature_header"):
            self.instance.signature_secret = ""
        return cleaned


@dataclass(frozen=True, slots=True)
class EventRow:
    """A field of an event as the page shows it; `words` where values must be given a meaning."""

    field: EventField
    place: BoundField
    fixed: BoundField
    words: tuple[BoundField, ...]
    is_needed: bool

    @property
    def is_first(self) -> bool:
        """Whether it is shown at once: what every platform has, what is filled, what is wrong."""
        is_wrong = any(each.errors for each in (self.place, self.fixed, *self.words))
        return self.field in _FIRST or bool(self.place.value()) or is_wrong

    @property
    def shows_words(self) -> bool:
        """Whether the meanings of values are shown at once."""
        return self.is_needed or any(each.errors for each in self.words)


class MappingForm(forms.Form):
    """What of a source's callbacks fills each field of an event."""

    def __init__(self, sample: Sample, mapping: Mapping, data: Any = None) -> None:
        super().__init__(data)
        # A field that was filled, or would be, is emptied for good.
        self._fillable = {each.path for each in (*mapping.fields, *suggested(sample).fields)}
        places = [
            ("", "nothing"),
            (_FIXED, "a fixed value"),
            *((each.path, _shown(each)) for each in sample.fields),
        ]
        for field in EVENT_FIELDS:
            known = mapping.get(field.name)
            self.fields[f"place-{field.name}"] = forms.ChoiceField(
                label=field.label,
                choices=places,
                required=False,
                initial=_FIXED if known.constant is not None else place_of(known),
                widget=forms.Select(attrs={"class": "hl-input"}),
            )
            self.fields[f"fixed-{field.name}"] = forms.CharField(
                label=f"Fixed value of {field.label}",
                required=False,
                max_length=200,
                initial=known.constant,
                widget=_input("The value"),
            )
            meanings = meanings_of(known)
            for word, label in _WORDS.get(field.kind, ()):
                values = [value for value, meaning in meanings.items() if meaning == word]
                self.fields[f"word-{field.name}-{word}"] = forms.CharField(
                    label=label,
                    required=False,
                    max_length=500,
                    initial=", ".join(values),
                    widget=_input("values, with commas between"),
                )

    @property
    def rows(self) -> list[EventRow]:
        """Return the fields that are shown at once."""
        return [row for row in self._all_rows() if row.is_first]

    @property
    def more_rows(self) -> list[EventRow]:
        """Return the others."""
        return [row for row in self._all_rows() if not row.is_first]

    def _all_rows(self) -> Iterator[EventRow]:
        for field in EVENT_FIELDS:
            yield EventRow(
                field=field,
                place=self[f"place-{field.name}"],
                fixed=self[f"fixed-{field.name}"],
                words=tuple(
                    self[f"word-{field.name}-{word}"] for word, _ in _WORDS.get(field.kind, ())
                ),
                is_needed=field.name in ("type", "call_id"),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a fixed value that is none, and a value that means two things."""
        cleaned = super().clean() or {}
        for field in EVENT_FIELDS:
            fixed = f"fixed-{field.name}"
            if cleaned.get(f"place-{field.name}") == _FIXED and cleaned.get(fixed) == "":
                self.add_error(fixed, "Enter the value, or choose nothing.")
            known: dict[str, str] = {}
            for word, label in _WORDS.get(field.kind, ()):
                name = f"word-{field.name}-{word}"
                for value in _values(cleaned.get(name, "")):
                    if known.setdefault(value, label) != label:
                        self.add_error(name, f"“{value}” means “{known[value]}” already.")
        return cleaned

    def mapping(self) -> Mapping:
        """Return what was chosen; the form must be valid."""
        chosen = ((field, self._chosen(field)) for field in BY_NAME.values())
        return Mapping(tuple(found for _, found in chosen if found is not None))

    def _chosen(self, field: EventField) -> FieldMapping | None:
        place = self.cleaned_data[f"place-{field.name}"]
        if place == _FIXED:
            fixed = self.cleaned_data[f"fixed-{field.name}"]
            return FieldMapping(field.name, Fill.CONSTANT, constant=fixed)
        if place:
            return fill(field, place, self._meanings(field))
        return FieldMapping(field.name, Fill.OMIT) if field.name in self._fillable else None

    def _meanings(self, field: EventField) -> dict[str, str] | None:
        if field.kind not in _WORDS:
            return None
        # A platform may use our own words.
        meanings = {word: word for word, _ in _WORDS[field.kind]}
        for word, _ in _WORDS[field.kind]:
            typed = self.cleaned_data[f"word-{field.name}-{word}"]
            meanings |= dict.fromkeys(_values(typed), word)
        return meanings


def _values(typed: str) -> list[str]:
    """Return what is typed with commas between, in small letters, as callbacks are compared."""
    return [value.strip().lower() for value in typed.split(",") if value.strip()]


def _input(hint: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "hl-input", "placeholder": hint})


def _shown(field: Field) -> str:
    value = field.sample[:_SHOWN_CHARACTERS]
    more = "…" if len(field.sample) > _SHOWN_CHARACTERS else ""
    name = field.path.removeprefix("$.")
    return f"{name}: {value}{more}" if value else name
