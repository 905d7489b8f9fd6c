"""What the steps of the wizard were answered, and which step that leads to."""

from collections.abc import Mapping as MappingOf
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from apps.webhooks.schedules import DEFAULT_SUCCESS_CODES


class Choice(StrEnum):
    """What a new webhook is made with; EDIT makes none, but a new version of a template."""

    EXISTING = "existing"
    CREATE = "create"
    GALLERY = "gallery"
    EDIT = "edit"


class Step(StrEnum):
    """A page of the wizard."""

    WEBHOOK = "webhook"
    TEMPLATE = "template"
    FIELDS = "fields"
    ADVANCED = "advanced"
    SUMMARY = "summary"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Step.WEBHOOK: "Webhook",
    Step.TEMPLATE: "Template",
    Step.FIELDS: "Fields",
    Step.ADVANCED: "Advanced settings",
    Step.SUMMARY: "Summary",
}
_STEPS: dict[str, tuple[Step, ...]] = {
    Choice.EXISTING: (Step.WEBHOOK, Step.ADVANCED, Step.SUMMARY),
    Choice.EDIT: (Step.TEMPLATE, Step.FIELDS, Step.SUMMARY),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything but the header values, which are credentials.

    What was typed is kept as it is; `done` are the steps whose answers were found good. `mapping`
    is the plain form of a mapping, and `mapped` the digest of the sample that it was made for;
    `by_hand` are the paths whose rows a person filled. `version` is the number of the template's
    version that an edit began with.
    `more` are the rarer settings of the webhook, by the names of its columns; `back_to` is the page
    that led here.
    """

    choice: str = Choice.EXISTING.value
    name: str = ""
    url: str = ""
    template: str = ""
    gallery: str = ""
    template_name: str = ""
    group: str = ""
    is_shared: bool = False
    format: str = "json"
    sample: str = ""
    mapping: list[dict[str, Any]] = field(default_factory=list)
    mapped: str = ""
    by_hand: list[str] = field(default_factory=list)
    version: int = 0
    method: str = "POST"
    success_codes: list[int] = field(default_factory=lambda: list(DEFAULT_SUCCESS_CODES))
    timeout_s: int = 15
    more: dict[str, Any] = field(default_factory=dict)
    back_to: str = ""
    done: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, plain: MappingOf[str, Any]) -> Self:
        """Read what a draft stored; what this version does not know is left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in plain.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        """Return what a draft stores."""
        return asdict(self)

    @property
    def has_sample(self) -> bool:
        """Whether sample and mapping are answered here, and not those of an existing template."""
        return self.choice != Choice.EXISTING

    @property
    def is_edit(self) -> bool:
        """Whether a template is edited, and no webhook made."""
        return self.choice == Choice.EDIT

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of this choice, in order."""
        return _STEPS.get(self.choice, tuple(Step))

    @property
    def next_open(self) -> Step:
        """The first step that is not answered yet."""
        return next((step for step in self.steps if step not in self.done), Step.SUMMARY)

    def may_open(self, step: Step) -> bool:
        """Whether all steps before this one are answered."""
        steps = self.steps
        return step in steps and steps.index(step) <= steps.index(self.next_open)

    def after(self, step: Step) -> Step:
        """The step behind this one."""
        return self.steps[min(self.steps.index(step) + 1, len(self.steps) - 1)]

    def before(self, step: Step) -> Step | None:
        """The step in front of this one."""
        index = self.steps.index(step)
        return self.steps[index - 1] if index else None

    def marked(self, step: Step, *, is_done: bool) -> list[str]:
        """`done` with or without a step."""
        others = [name for name in self.done if name != step]
        return [*others, step.value] if is_done else others
