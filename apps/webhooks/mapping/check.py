"""Whether a mapping fits its sample: every problem, each with its place."""

import re

from apps.webhooks.extraction import Field, FieldType, Sample, SampleError, extract
from apps.webhooks.extraction.xml_sample import is_element
from apps.webhooks.formats import Format
from apps.webhooks.mapping.conversions import boolean, number_text, wanted_type
from apps.webhooks.mapping.errors import MappingError, Problem
from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping, ValueType, WhenEmpty
from apps.webhooks.mapping.formatters import FormatterError, steps
from apps.webhooks.tokens import UnknownToken, find_token, split

MAX_TEXT = 10_000

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def check(mapping: Mapping, sample: Sample) -> None:
    """Raise MappingError with all problems, if the mapping does not fit the sample."""
    problems = find_problems(mapping, sample)
    if problems:
        raise MappingError(problems)


def find_problems(mapping: Mapping, sample: Sample) -> list[Problem]:
    """What is wrong with a mapping, in its own order."""
    problems: list[Problem] = []
    for field in mapping.fields:
        place = sample.find(field.path)
        if place is None:
            messages = ["The sample has no such place."]
        else:
            messages = [*_kind_faults(field, place, sample), *_value_faults(field, place, sample)]
        problems += [Problem(field.path, message) for message in messages]
    return problems


def _kind_faults(field: FieldMapping, place: Field, sample: Sample) -> list[str]:
    leaves_out = field.kind is Kind.OMIT or field.when_empty is WhenEmpty.OMIT or field.only_if
    if leaves_out and _is_root(place, sample):
        return ["The root cannot be left out."]
    try:
        if field.kind in (Kind.TOKEN, Kind.REPEAT):
            find_token(field.token)
        if field.kind in (Kind.TEXT, Kind.REPEAT):
            split(field.text)
        if field.only_if:
            find_token(field.only_if)
        steps(field.formatters)
    except (UnknownToken, FormatterError) as error:
        return [str(error)]
    return _repeat_faults(field, place, sample) if field.kind is Kind.REPEAT else []


def _repeat_faults(field: FieldMapping, place: Field, sample: Sample) -> list[str]:
    faults = []
    if find_token(field.token).narrow is None:
        faults.append(f"%{field.token}% is no list that could be repeated over.")
    if sample.format is Format.JSON:
        if place.type is not FieldType.ARRAY or place.sample:
            faults.append("Only a list that has an item can repeat.")
    elif sample.format is not Format.XML or _is_root(place, sample) or not is_element(place):
        faults.append("Only a list in JSON, or in XML an element inside the root, can repeat.")
    return faults


def _value_faults(field: FieldMapping, place: Field, sample: Sample) -> list[str]:
    faults = []
    for value in (field.constant, field.default, field.text):
        if value is not None and len(value) > MAX_TEXT:
            faults.append(f"Longer than {MAX_TEXT:,} characters.")
        if value is not None and (unusable := _UNUSABLE.search(value)):
            code = ord(unusable[0])
            faults.append(f"The text contains U+{code:04X}, which no receiver can take.")
    wanted = wanted_type(field, place.type if sample.format is Format.JSON else FieldType.STRING)
    if field.kind is Kind.CONSTANT and field.constant is not None:
        faults += _type_faults(field.constant, wanted)
        if wanted is ValueType.JSON:
            faults += _json_faults(field.constant)
    if field.default:
        faults += _type_faults(field.default, wanted)
    return faults


def _type_faults(text: str, wanted: ValueType) -> list[str]:
    match wanted:
        case ValueType.NUMBER if number_text(text) is None:
            return [f'"{text[:40]}" is no number.']
        case ValueType.BOOLEAN if boolean(text) is None:
            return [f'"{text[:40]}" is neither true nor false.']
    return []


def _json_faults(text: str) -> list[str]:
    try:
        extract(text, Format.JSON)
    except SampleError as error:
        return [f"This is not JSON: {error.message}"]
    return []


def _is_root(place: Field, sample: Sample) -> bool:
    if sample.format is Format.JSON:
        return place.path == "$"
    return sample.format is Format.XML and place.path.count("/") == 1
