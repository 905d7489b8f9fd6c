"""Which places of a payload changed between two states of a call, and a mapping of those alone."""

from collections.abc import Iterable

from apps.webhooks.mapping.fields import FieldMapping, Kind, Mapping
from apps.webhooks.rendering.sources import source
from apps.webhooks.tokens import Snapshot, find_token

# What tells a receiver which call it is about; it goes along with every change.
_IDENTIFYING = frozenset({"callid"})
_FILLED = (Kind.TOKEN, Kind.TEXT, Kind.REPEAT)


def changed_places(mapping: Mapping, before: Snapshot, after: Snapshot) -> list[str]:
    """The paths of the places that the two states of a call fill differently."""
    return [
        field.path
        for field in mapping.fields
        if field.kind in _FILLED and _value(field, before) != _value(field, after)
    ]


def narrowed(mapping: Mapping, paths: Iterable[str]) -> Mapping:
    """The mapping in which mapped places are left out that are not among these paths.

    What is inside a repeat comes and goes with it.
    """
    kept = frozenset(paths)
    repeats = [field.path for field in mapping.fields if field.kind is Kind.REPEAT]
    fields = []
    for field in mapping.fields:
        around = [path for path in repeats if path != field.path and _is_inside(field.path, path)]
        if field.kind not in _FILLED or field.path in kept or around or _identifies(field):
            fields.append(field)
        else:
            fields.append(FieldMapping(field.path, Kind.OMIT))
    return Mapping(tuple(fields))


def _value(field: FieldMapping, snapshot: Snapshot) -> object:
    if field.kind is Kind.REPEAT:
        return find_token(field.token).read(snapshot)
    return source(field)(snapshot)


def _identifies(field: FieldMapping) -> bool:
    return bool(field.tokens) and field.tokens <= _IDENTIFYING


def _is_inside(path: str, container: str) -> bool:
    return path.startswith(container) and path[len(container) :][:1] in (".", "[", "/")
