"""The mapping that a sample brings along: a sample that contains `%ani%` comes pre-mapped."""

from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.extraction.xml_sample import is_element
from apps.webhooks.formats import Format
from apps.webhooks.mapping.errors import MappingError, Problem
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping
from apps.webhooks.tokens import Part, Token, UnknownToken, find_token, split


def auto_map(sample: Sample) -> Mapping:
    """Map every place of the sample that refers to tokens; all others stay as in the sample.

    A value that is one token is mapped to it, a longer text becomes a text with tokens. What holds
    parts of a list token (`%question%`, `%response%`) repeats over the list: in JSON the innermost
    array around them, in XML the innermost element around at least two of them and no other token.
    Raises MappingError for names that no token has, with their places.
    """
    written = _written_values(sample)
    mapped: list[FieldMapping] = []
    problems: list[Problem] = []
    for field in sample.fields:
        if field.type is FieldType.STRING:
            try:
                mapping = _map_field(field, split(written.get(field.path, field.sample)))
            except UnknownToken as error:
                problems.append(Problem(field.path, str(error)))
            else:
                mapped += [mapping] if mapping else []
    if problems:
        raise MappingError(problems)
    return Mapping(tuple(mapped)).replaced(_repeats(sample, mapped))


def _written_values(sample: Sample) -> dict[str, str]:
    """Form and query values as written: there %25ani%25 is text and %ani% a token."""
    if not isinstance(sample.tree, tuple):
        return {}
    return {pair.path: pair.raw_value for pair in sample.tree}


def _map_field(field: Field, parts: tuple[Part, ...]) -> FieldMapping | None:
    if len(parts) == 1 and isinstance(parts[0], Token):
        return FieldMapping(field.path, Kind.TOKEN, token=parts[0].name)
    if any(isinstance(part, Token) for part in parts):
        return FieldMapping(field.path, Kind.TEXT, text=field.sample)
    return None


def _repeats(sample: Sample, mapped: list[FieldMapping]) -> list[FieldMapping]:
    inner = {each.path: lists for each in mapped if (lists := _lists_of(each))}
    if sample.format is Format.JSON:
        return _array_repeats(sample, inner)
    if sample.format is Format.XML:
        return _element_repeats(sample, inner, mapped)
    return []


def _lists_of(mapping: FieldMapping) -> list[str]:
    """The list tokens of whose items a place holds a part."""
    return sorted({inside for name in mapping.tokens if (inside := find_token(name).inside)})


def _array_repeats(sample: Sample, inner: dict[str, list[str]]) -> list[FieldMapping]:
    arrays = [each.path for each in sample.containers if each.type is FieldType.ARRAY]
    repeats: dict[str, FieldMapping] = {}
    for path, lists in inner.items():
        around = [array for array in arrays if path.startswith(f"{array}[0]")]
        if around:
            array = max(around, key=len)
            repeats.setdefault(array, FieldMapping(array, Kind.REPEAT, token=lists[0]))
    return list(repeats.values())


def _element_repeats(
    sample: Sample, inner: dict[str, list[str]], mapped: list[FieldMapping]
) -> list[FieldMapping]:
    if len(inner) < 2:
        return []
    elements = [each.path for each in (*sample.containers, *sample.fields) if is_element(each)]
    around = [path for path in elements if all(_is_within(place, path) for place in inner)]
    element = max(around, key=len)
    others = [each for each in mapped if each.path not in inner and _is_within(each.path, element)]
    if others or element.count("/") == 1:
        return []
    token = next(iter(inner.values()))[0]
    own = next((each for each in mapped if each.path == element), None)
    text = "" if own is None else own.text or f"%{own.token}%"
    return [FieldMapping(element, Kind.REPEAT, token=token, text=text)]


def _is_within(path: str, element: str) -> bool:
    return path == element or path.startswith(f"{element}/")
