"""What the rules of JSON and form entries share: reading a payload and judging its members."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import orjson

from apps.common.phones import E164
from apps.webhooks.mapping import Problem

Test = Callable[[Any], bool]

_E164 = re.compile(E164)
_DIGITS = re.compile(r"[0-9]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_ABSENT = object()


class JsonChecker:
    """Collects the problems of a JSON payload; paths are those of its template (`$.a.b[0]`)."""

    def __init__(self, payload: bytes) -> None:
        self.problems: list[Problem] = []
        try:
            self.root: Any = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            self.root = None
            self.note("$", f"This is not JSON: {error}.")

    def note(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def at(self, path: str) -> Any:
        """The value at a path, or None."""
        found = self._find(path)
        return None if found is _ABSENT else found

    def items(self, path: str) -> list[Any]:
        """The items of the list at a path; none where there is no list."""
        found = self._find(path)
        return found if isinstance(found, list) else []

    def need(self, path: str, test: Test, wanted: str) -> None:
        """Note a problem where nothing is at the path, or something that is not wanted."""
        found = self._find(path)
        if found is _ABSENT:
            self.note(path, f"This is missing; it must be {wanted}.")
        elif not test(found):
            self.note(path, f"This must be {wanted}.")

    def allow(self, path: str, test: Test, wanted: str) -> None:
        """Note a problem where something is at the path that is not wanted."""
        if self._find(path) is not _ABSENT:
            self.need(path, test, wanted)

    def only(self, path: str, names: Iterable[str]) -> None:
        """Note members of the object at the path that the system does not know."""
        found = self.at(path)
        known = set(names)
        for name in found if isinstance(found, dict) else ():
            if name not in known:
                self.note(f"{path}.{name}", "The system knows no such member.")

    def _find(self, path: str) -> Any:
        value = self.root
        for name, index in re.findall(r"\.([^.\[]+)|\[([0-9]+)\]", path):
            if name and isinstance(value, dict):
                value = value.get(name, _ABSENT)
            elif index and isinstance(value, list) and int(index) < len(value):
                value = value[int(index)]
            else:
                return _ABSENT
        return value


def form_pairs(payload: bytes) -> list[tuple[str, str]]:
    """The parameters of a form body, as its receiver reads them. Raises ValueError."""
    return parse_qsl(
        payload.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
    )


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_text_of(most: int) -> Test:
    return lambda value: is_text(value) and len(value) <= most


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_one_of(*values: str) -> Test:
    return lambda value: value in values


def matches(pattern: re.Pattern[str]) -> Test:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


is_e164 = matches(_E164)
is_digits = matches(_DIGITS)
is_sha256 = matches(_SHA256)
is_moment = matches(_MOMENT)
