"""What an account's own earlier mappings teach."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from apps.webhooks.suggestions.matching import subject_of
from apps.webhooks.suggestions.names import Steps, steps_of

PathKey = tuple[str, ...]
NameKey = tuple[str, str]


@dataclass(frozen=True)
class Learned:
    """How many templates mapped a path, or a name of the same subject, to a token."""

    paths: dict[PathKey, Counter[str]] = field(default_factory=dict)
    names: dict[NameKey, Counter[str]] = field(default_factory=dict)

    @classmethod
    def from_templates(cls, templates: Iterable[AbstractSet[tuple[str, str]]]) -> "Learned":
        """Count templates; each is the (path of a field, name of a token) pairs that it maps."""
        learned = cls()
        for pairs in templates:
            steps = [(steps_of(path), token) for path, token in pairs]
            for path_key, token in {(path_key_of(each), token) for each, token in steps}:
                learned.paths.setdefault(path_key, Counter())[token] += 1
            for name_key, token in {(name_key_of(each), token) for each, token in steps}:
                learned.names.setdefault(name_key, Counter())[token] += 1
        return learned


def path_key_of(steps: Steps) -> PathKey:
    """The key of a path: its steps, however they are spelled."""
    return tuple("".join(words) for words in steps)


def name_key_of(steps: Steps) -> NameKey:
    """The key of a name and of whom it is about."""
    return "".join(steps[-1]) if steps else "", subject_of(steps[:-1])


NOTHING_LEARNED: Final = Learned()
