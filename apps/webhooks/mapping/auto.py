"""The mapping that a sample brings along: a sample that contains `%ani%` comes pre-mapped."""

from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.mapping.errors import MappingError, Problem
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping
from apps.webhooks.tokens import Token, UnknownToken, find_token, split


def auto_map(sample: Sample) -> Mapping:
    """Map every place of the sample that refers to tokens; all others stay as in the sample.

    A value that is one token is mapped to it, a longer text becomes a text with tokens. A list
    whose item refers to parts of a list token (`%question%`, `%response%`) repeats over it.
    Raises MappingError for names that no token has, with their places.
    """
    mapped: list[FieldMapping] = []
    problems: list[Problem] = []
    inner: dict[str, str] = {}
    for field in sample.fields:
        try:
            mapping = _map_field(field)
        except UnknownToken as error:
            problems.append(Problem(field.path, str(error)))
            continue
        if mapping is not None:
            mapped.append(mapping)
            if mapping.kind is Kind.TOKEN and (inside := find_token(mapping.token).inside):
                inner[field.path] = inside
    if problems:
        raise MappingError(problems)
    return Mapping((*_repeats(sample, inner), *mapped))


def _map_field(field: Field) -> FieldMapping | None:
    if field.type is not FieldType.STRING:
        return None
    parts = split(field.sample)
    if len(parts) == 1 and isinstance(parts[0], Token):
        return FieldMapping(field.path, Kind.TOKEN, token=parts[0].name)
    if any(isinstance(part, Token) for part in parts):
        return FieldMapping(field.path, Kind.TEXT, text=field.sample)
    return None


def _repeats(sample: Sample, inner: dict[str, str]) -> list[FieldMapping]:
    """A repeat for the innermost array around each place that holds a part of a list token."""
    arrays = [each.path for each in sample.containers if each.type is FieldType.ARRAY]
    repeats: dict[str, FieldMapping] = {}
    for path, token in inner.items():
        around = [array for array in arrays if path.startswith(f"{array}[0]")]
        if around:
            array = max(around, key=len)
            repeats.setdefault(array, FieldMapping(array, Kind.REPEAT, token=token))
    return list(repeats.values())
