"""Names that do not stand in a path: beside a value, or in its place.

{"property": "phone", "value": "555"}      phone, for the value
<param><name>phone</name><value/></param>  phone, for the value
fields[0][name]=phone&fields[0][value]=    phone, for the value
{"x1": "{{contact.phone}}"}                contact, phone
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.webhooks.extraction import Field, Sample
from apps.webhooks.suggestions.matching import CUT_OFF, OTHER, matches_of, subject_of
from apps.webhooks.suggestions.names import Steps, placeholder_steps, steps_of, words_of

# What a name beside a value is called, the likeliest first, and what the value is called.
_NAMING = (
    *("property", "propertyname", "key", "fieldname", "fieldkey", "fieldcode", "field", "name"),
    *("attribute", "attributename", "label", "title", "system", "type", "code", "slug", "id"),
)
_RANKS = {name: rank for rank, name in enumerate(_NAMING)}
_VALUES = frozenset(
    {"value", "val", "fieldvalue", "propertyvalue", "attributevalue", "stringvalue"}
)
# What holds such pairs without saying whose they are.
_HOLDERS = frozenset(
    {"form", "event", "webhook", "ticket", "case", "app", "application", "api", "list", "template"}
)
_STEP = re.compile(r"(?P<around>.*)(?:\.|/@?|\[)(?P<name>[A-Za-z][A-Za-z0-9_:-]*)\]?", re.DOTALL)
_ITEM = re.compile(r".*[0-9'\"]\]", re.DOTALL)
_INNER = re.compile(r"(?P<around>\$.*)\.values\[[0-9]+\]", re.DOTALL)
_JOINTS = str.maketrans("", "", "_- ")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Label:
    """What a value is called beside it: as it is written, and as steps of a path."""

    text: str
    steps: Steps

    @property
    def is_other(self) -> bool:
        """Whether it names something of which no token tells."""
        return subject_of(self.steps[-1:]) == OTHER


@dataclass(frozen=True)
class Labels:
    """The labels of a sample: by the path of the value, and the paths of what goes with one."""

    of: Mapping[str, Label] = field(default_factory=dict)
    naming: frozenset[str] = frozenset()


def labels_of(sample: Sample) -> Labels:
    """Find the names that stand beside values."""
    naming: dict[str, dict[int, Field]] = {}
    values: list[tuple[str, Field]] = []
    for place in sample.fields:
        around, name = _cut(place.path)
        if name in _RANKS:
            naming.setdefault(around, {})[_RANKS[name]] = place
        if name in _VALUES:
            inner = _INNER.fullmatch(around)
            values.append((inner["around"] if inner else around, place))
    # The text of <field name="phone"/> is its value, unless there is another.
    held = {around for around, _ in values}
    values += [(each.path, each) for each in sample.fields if each.path in naming.keys() - held]
    of: dict[str, Label] = {}
    named: set[str] = set()
    for around, place in values:
        beside = naming.get(around, {})
        label = _label(around, [beside[rank].sample for rank in sorted(beside)])
        if label is not None and not label.is_other and _is_known(steps_of(place.path)):
            # The label of an e-mail, as "work", only says which of them it is.
            label = None
        if label is not None:
            of[place.path] = label
        if label is not None or _ITEM.fullmatch(around):
            named |= {around, *(each.path for each in beside.values())} - {place.path}
    return Labels(of, frozenset(named))


def _cut(path: str) -> tuple[str, str]:
    """Cut a path into what is around its last step, and that step without joints."""
    step = _STEP.fullmatch(path)
    if step is None:
        return path, ""
    return step["around"], step["name"].rpartition(":")[2].translate(_JOINTS).lower()


def _label(around: str, names: list[str]) -> Label | None:
    """The first name that is known, be it of something of which no token tells."""
    context = steps_of(around)
    if _ITEM.fullmatch(around):
        context = context[:-1]
    context = tuple(step for step in context if subject_of((step,)) and not _HOLDERS & {*step})
    for name in names:
        words = () if placeholder_steps(name) else words_of(name[:_LONGEST])
        label = Label(name, (*context, words))
        if words and (label.is_other or _is_known(label.steps)):
            return label
    return None


def _is_known(steps: Steps) -> bool:
    return any(match.score >= CUT_OFF for match in matches_of(steps))
