"""The rows of the Fields step: each place of the sample, and what fills it."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import Any

from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.extraction.xml_sample import is_element
from apps.webhooks.formats import Format
from apps.webhooks.mapping import FieldMapping, Kind, Mapping
from apps.webhooks.suggestions import Suggestion
from apps.webhooks.tokens import TOKENS, Token, UnknownToken, as_text, find_token
from apps.webhooks.wizard.options import options_posted

ROWS_ON_A_PAGE = 300
AS_SAMPLE = "sample"
_KIND_LABELS = {
    Kind.TOKEN.value: "Token",
    Kind.TEXT.value: "Text with tokens",
    Kind.CONSTANT.value: "Fixed value",
    AS_SAMPLE: "As in the sample",
    Kind.REPEAT.value: "Repeat for each",
    Kind.OMIT.value: "Leave out",
}
_BY_LABEL = {token.label.lower(): token.name for token in TOKENS.values()}


@dataclass(frozen=True, slots=True)
class Row:
    """A place as it is shown. `value` is the token, the text or the constant, by its kind."""

    index: int
    place: Field
    name: str
    is_container: bool
    depth: int
    kind: str
    kinds: Sequence[tuple[str, str]]
    value: str
    token: Token | None
    suggestion: Suggestion | None
    others: Sequence[Suggestion]
    problems: Sequence[str]
    has_options: bool

    @property
    def example(self) -> str:
        """What the chosen token is in the example call."""
        return as_text(self.token.example) if self.token else ""

    @property
    def is_suggested(self) -> bool:
        """Whether what fills it is what was suggested."""
        return self.suggestion is not None and self.value == self.suggestion.token


def places_of(sample: Sample) -> list[tuple[Field, bool]]:
    """Return every place that can be mapped, in order, and whether it holds other places."""
    waiting = [each for each in sample.containers if not _is_root(each, sample)]
    places: list[tuple[Field, bool]] = []
    for field in sample.fields:
        while waiting and _holds(waiting[0].path, field.path):
            places.append((waiting.pop(0), True))
        places.append((field, False))
    return [*places, *((each, True) for each in waiting)]


def rows_of(
    places: Sequence[tuple[Field, bool]],
    sample: Sample,
    mapping: Mapping,
    suggestions: MappingOf[str, Sequence[Suggestion]],
    problems: MappingOf[str, Sequence[str]],
    page: int,
) -> Iterator[Row]:
    """Yield the rows of a page."""
    first = page * ROWS_ON_A_PAGE
    for index, (place, is_container) in enumerate(places[first : first + ROWS_ON_A_PAGE], first):
        field = mapping.get(place.path)
        best, *others = suggestions.get(place.path, ()) or (None,)
        value = value_of(field)
        yield Row(
            index=index,
            place=place,
            name=_name(place, sample),
            is_container=is_container,
            depth=_depth(place.path, sample),
            kind=AS_SAMPLE if keeps_sample(field) else field.kind.value,
            kinds=kinds_of(place, is_container=is_container, sample=sample),
            value=value,
            token=_known(value) if field.kind in (Kind.TOKEN, Kind.REPEAT) else None,
            suggestion=best,
            others=[each for each in (best, *others) if each and not is_container and not value],
            problems=problems.get(place.path, ()),
            has_options=has_options(field),
        )


def kinds_of(place: Field, *, is_container: bool, sample: Sample) -> list[tuple[str, str]]:
    """Return what may fill a place, with labels."""
    is_json, is_xml = sample.format is Format.JSON, sample.format is Format.XML
    repeats = (is_json and place.type is FieldType.ARRAY and not place.sample) or (
        is_xml and is_element(place) and not _is_root(place, sample)
    )
    if is_container:
        kinds = [AS_SAMPLE, *([Kind.TOKEN.value] if is_json else [])]
    else:
        kinds = [Kind.TOKEN.value, Kind.TEXT.value, Kind.CONSTANT.value, AS_SAMPLE]
    if repeats:
        kinds.append(Kind.REPEAT.value)
    if not _is_root(place, sample):
        kinds.append(Kind.OMIT.value)
    labels = {**_KIND_LABELS, AS_SAMPLE: "Its fields"} if is_container else _KIND_LABELS
    return [(kind, labels[kind]) for kind in kinds]


def value_of(field: FieldMapping) -> str:
    """Return what a row shows of a field mapping."""
    match field.kind:
        case Kind.TOKEN | Kind.REPEAT:
            return field.token
        case Kind.TEXT:
            return field.text
        case Kind.CONSTANT:
            return field.constant or ""
    return ""


def has_options(field: FieldMapping) -> bool:
    """Tell whether something is set that the row itself does not show."""
    plain = FieldMapping(field.path)
    return (field.formatters, field.default, field.when_empty, field.type, field.only_if) != (
        plain.formatters,
        plain.default,
        plain.when_empty,
        plain.type,
        plain.only_if,
    )


def keeps_sample(field: FieldMapping) -> bool:
    """Tell whether a place holds what stands in the sample, even if it is not always sent."""
    return field.kind is Kind.CONSTANT and field.constant is None


def mapping_posted(
    posted: MappingOf[str, Any], places: Sequence[tuple[Field, bool]], old: Mapping
) -> Mapping:
    """Return the mapping with what the rows of a page were changed to."""
    changed: list[FieldMapping] = []
    for index, (place, _) in enumerate(places):
        kind = posted.get(f"kind-{index}")
        if kind is None:
            continue
        before = old.get(place.path)
        field = _field(place.path, kind, str(posted.get(f"value-{index}", "")), before)
        changed.append(options_posted(posted, index, field))
    order = {place.path: index for index, (place, _) in enumerate(places)}
    whole = [each for each in old.replaced(changed).fields if each != FieldMapping(each.path)]
    return Mapping(tuple(sorted(whole, key=lambda field: order.get(field.path, len(order)))))


def changed_paths(old: Mapping, new: Mapping) -> list[str]:
    """Return the places that two mappings fill differently."""
    paths = dict.fromkeys(field.path for field in (*old.fields, *new.fields))
    return [path for path in paths if old.get(path) != new.get(path)]


def _field(path: str, kind: str, value: str, before: FieldMapping) -> FieldMapping:
    if kind == AS_SAMPLE and _known(_token_name(value)) is not None:
        kind = Kind.TOKEN.value
    same = replace(before, text="", token="", constant=None)
    match kind:
        case Kind.TOKEN.value | Kind.REPEAT.value:
            name = _token_name(value)
            is_alike = before.kind is not Kind.TOKEN or _type_of(before.token) == _type_of(name)
            return replace(
                same,
                kind=Kind(kind),
                token=name,
                text=before.text if before.kind.value == kind else "",
                formatters=before.formatters if is_alike else (),
            )
        case Kind.TEXT.value:
            return replace(same, kind=Kind.TEXT, text=value)
        case Kind.CONSTANT.value:
            return FieldMapping(path, constant=value, type=before.type, only_if=before.only_if)
        case Kind.OMIT.value:
            return FieldMapping(path, Kind.OMIT)
    if before.only_if:
        return replace(same, kind=Kind.CONSTANT, formatters=(), default=None)
    return FieldMapping(path)


def _token_name(typed: str) -> str:
    """The name of what was typed: a name, %name%, or a label."""
    text = typed.strip()
    if len(text) > 2 and text.startswith("%") and text.endswith("%"):
        text = text[1:-1]
    return text if text in TOKENS else _BY_LABEL.get(text.lower(), text)


def _known(name: str) -> Token | None:
    try:
        return find_token(name)
    except UnknownToken:
        return None


def _type_of(name: str) -> object:
    token = _known(name)
    return token.type if token else None


def _is_root(place: Field, sample: Sample) -> bool:
    if sample.format is Format.JSON:
        return place.path == "$"
    return sample.format is Format.XML and place.path.count("/") == 1


def _name(place: Field, sample: Sample) -> str:
    """What a place is called; an attribute along with its element, whose row may stand below."""
    element, _, attribute = place.path.rpartition("/@")
    owner = sample.find(element) if sample.format is Format.XML and attribute else None
    return f"{owner.name} {place.name}" if owner else place.name


def _holds(container: str, path: str) -> bool:
    return path.startswith(container) and path[len(container) :][:1] in (".", "[", "/")


def _depth(path: str, sample: Sample) -> int:
    if sample.format is Format.XML:
        return min(max(path.count("/") - 2, 0), 6)
    return min(path.count(".") + path.count("[") - 1, 6) if path != "$" else 0
