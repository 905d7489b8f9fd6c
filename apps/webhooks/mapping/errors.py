"""The one error of a mapping: every problem it has, each with its place."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place; `path` is the place in the sample, or in the plain form."""

    path: str
    message: str


class MappingError(ValueError):
    """A mapping that cannot be used. `path` and `message` are those of its first problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        self.path = self.problems[0].path
        self.message = self.problems[0].message
        super().__init__("; ".join(f"{each.path}: {each.message}" for each in self.problems))
