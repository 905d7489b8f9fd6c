"""What an entry of the gallery is: a template that is ready to be copied, and its own rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from apps.webhooks.extraction import Sample, extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import (
    FieldMapping,
    Formatter,
    Problem,
    ValueType,
    WhenEmpty,
    auto_map,
    check,
)
from apps.webhooks.mapping import Mapping as FieldMappings

Rules = Callable[[bytes], list[Problem]]
"""Judges a rendered payload: every problem with its place; none for what the system accepts."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How a token of the sample is written at its place; the names are those of FieldMapping."""

    formatters: tuple[Formatter, ...] = ()
    default: str | None = None
    when_empty: WhenEmpty = WhenEmpty.KEEP
    type: ValueType = ValueType.SAMPLE
    only_if: str = ""

    def applied_to(self, mapping: FieldMapping) -> FieldMapping:
        """The mapping of the place with these rules."""
        return replace(
            mapping,
            formatters=self.formatters,
            default=self.default,
            when_empty=self.when_empty,
            type=self.type,
            only_if=self.only_if,
        )


@dataclass(frozen=True, slots=True)
class Blank:
    """What the admin has to fill in before it works.

    `placeholder` is the text that stands there until then: in the sample, the URL or a header.
    """

    placeholder: str
    label: str
    where_from: str


@dataclass(frozen=True)
class Entry:
    """A built-in template.

    `sample` says with %tokens% what goes where, `fills` how (by path). `url`, `method` and
    `headers` are what to suggest for the webhook. `notes` are hints in whole sentences.
    """

    key: str
    name: str
    purpose: str
    format: Format
    sample: str
    fills: Mapping[str, Fill]
    rules: Rules = field(repr=False)
    url: str = ""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    blanks: tuple[Blank, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def extracted(self) -> Sample:
        """The sample's tree and fields."""
        return extract(self.sample, self.format)

    @cached_property
    def mapping(self) -> FieldMappings:
        """The mapping of the sample. Raises MappingError for `fills` that do not fit it."""
        brought = auto_map(self.extracted)
        fitted = brought.replaced(
            fill.applied_to(brought.get(path)) for path, fill in self.fills.items()
        )
        check(fitted, self.extracted)
        return fitted

    def validate(self, payload: bytes) -> list[Problem]:
        """Judge a rendered payload by the rules of the system that it is for."""
        return self.rules(payload)

    def unfilled(self, *texts: str) -> list[Blank]:
        """The blanks whose placeholder still stands in a sample, a URL or a header's value."""
        return [blank for blank in self.blanks if any(blank.placeholder in text for text in texts)]


def omitted(*formatters: Formatter, type: ValueType = ValueType.SAMPLE) -> Fill:  # noqa: A002
    """A fill that leaves its place out when there is nothing."""
    return Fill(formatters, when_empty=WhenEmpty.OMIT, type=type)


def step(name: str, **options: object) -> Formatter:
    """A formatter of a fill."""
    return Formatter(name, options)


def at_most(length: int) -> Formatter:
    """Cut to what the system takes."""
    return step("truncate", length=length)


E164 = step("phone", style="e164")
NO_ANONYMOUS = step("map", values={"anonymous": ""})
"""A withheld number is nothing: for systems that want a number or none."""
