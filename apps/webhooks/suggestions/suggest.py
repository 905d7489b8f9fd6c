"""Suggestions: which token belongs in each place of a sample, how sure that is, and why."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.mapping import Formatter
from apps.webhooks.suggestions.aliases import HASHED, NOISE, STRUCTURAL
from apps.webhooks.suggestions.labels import Label, labels_of
from apps.webhooks.suggestions.learned import (
    NOTHING_LEARNED,
    Learned,
    name_key_of,
    path_key_of,
)
from apps.webhooks.suggestions.matching import (
    CUT_OFF,
    DOUBTFUL,
    EXACT,
    OTHER,
    Match,
    matches_of,
    subject_of,
)
from apps.webhooks.suggestions.names import Steps, is_attribute, placeholder_steps, steps_of
from apps.webhooks.suggestions.shapes import NAMES, Shape, fits, shape_of
from apps.webhooks.suggestions.writing import formatters_for
from apps.webhooks.tokens import TOKENS, Token, UnknownToken, find_token

_MOST = 3
# Places of which there may be more: items of lists, and parameters as tags[] or the second tag.
_ITEM = re.compile(r"^\$.*\[[0-9]+\]$|^[^$/].*(?:\[[0-9]*\]|#[0-9]+)$", re.DOTALL)
_LATER_ITEM = re.compile(r"^\$.*\[[1-9][0-9]*\]$", re.DOTALL)
_IN_LIST = re.compile(r"^\$.*\[[0-9]+\]\.", re.DOTALL)
_NESTED = (FieldType.ARRAY, FieldType.OBJECT)
_LEARNED_NAME = 95
_MISFIT = 60
_PROPER = frozenset({"Google", "Meta"})
_BY_VALUE = {
    Shape.PHONE: ("ani", 70),
    Shape.EMAIL: ("ani_email", 75),
    Shape.RECORDING: ("rec_audiourl", 75),
    Shape.MOMENT: ("call_start_time", 65),
    Shape.UNIX: ("call_start_time", 65),
    Shape.IP: ("visitor_ip_address", 75),
    Shape.VIN: ("vehicle_vin", 75),
}
# Names that say little: they need a value that fits, not one that merely could.
_TERSE = {"from": Shape.PHONE, "to": Shape.PHONE, "number": Shape.PHONE, "did": Shape.PHONE}


Reasoned = tuple[Token, int, str]
"""A token, its score and the reason."""
_Reason = Callable[[str, str, int], str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A token for a place: a score from 0 to 100, why, and how to write it as the sample does."""

    token: str
    score: int
    reason: str
    formatters: tuple[Formatter, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether it may be selected beforehand."""
        return self.score >= CUT_OFF


def suggest(
    sample: Sample, learned: Learned = NOTHING_LEARNED, here: Learned = NOTHING_LEARNED
) -> Mapping[str, tuple[Suggestion, ...]]:
    """Suggestions by the path of each field that has any, best first, at most three.

    What is mapped in this sample already (`here`) comes first, as it tells of others of the same
    name, then what the account mapped elsewhere (`learned`). Arrays and objects that could be
    filled by a list or an object token are among the places; an array is then meant to repeat.
    """
    labels = labels_of(sample)
    found = {
        field.path: _suggestions(field, labels.of.get(field.path), learned, here)
        for field in sample.fields
        if field.path not in labels.naming
    }
    found |= {
        field.path: tuple(each for each in _suggestions(field, None, learned, here) if each.is_sure)
        for field in sample.containers
    }
    return {path: suggestions for path, suggestions in found.items() if suggestions}


def _suggestions(
    field: Field, label: Label | None, learned: Learned, here: Learned
) -> tuple[Suggestion, ...]:
    steps = label.steps if label else steps_of(field.path)
    if not steps:
        return ()
    words = frozenset(steps[-1])
    best: dict[str, Suggestion] = {}
    reasoned = sorted(_judged(field, label, steps), key=_by_score)
    if label is None and not _shares_its_name(field, steps):
        reasoned = [
            *_learned(steps, here, _mapped_here),
            *_learned(steps, learned, _mapped_elsewhere),
            *reasoned,
        ]
    for token, score, reason in reasoned:
        known = best.get(token.name)
        if _belongs(token, field) and (known is None or known.score < min(score, CUT_OFF)):
            best[token.name] = Suggestion(
                token.name, score, reason, formatters_for(token, field, words)
            )
    # Stable, so what was learned stays before all that is sure as well.
    return tuple(sorted(best.values(), key=lambda each: not each.is_sure)[:_MOST])


def _shares_its_name(field: Field, steps: Steps) -> bool:
    """Whether other places have the same steps and another meaning: nothing is learned of them."""
    is_in_list = _IN_LIST.search(field.path) is not None and NOISE.issuperset(steps[-1])
    return is_in_list or _LATER_ITEM.search(field.path) is not None


def _by_score(reasoned: Reasoned) -> int:
    return -reasoned[1]


def _judged(field: Field, label: Label | None, steps: Steps) -> Iterator[Reasoned]:
    """Tokens that the name or the value speaks for."""
    if is_attribute(field.path) and label is None and STRUCTURAL.issuperset(steps[-1]):
        return
    shape = shape_of(field)
    if shape is Shape.HASH:
        # Hashed is only what is about the person, whatever it is in.
        steps = steps[-1:]
    called = f"the field is called {_called(field) if label is None else label.text}"
    named = list(_named(field, steps, shape, called))
    if placeholder := placeholder_steps(field.sample.strip()):
        named = list(_with_placeholder(field, named, placeholder))
    yield from named
    if shape in _BY_VALUE:
        name, score = _BY_VALUE[shape]
        yield TOKENS[name], score, f"the sample value looks like {shape.value}"


def _named(field: Field, steps: Steps, shape: Shape, called: str) -> Iterator[Reasoned]:
    """Tokens that the words speak for, as sure as the value allows."""
    matches = matches_of(steps)
    if shape is Shape.HASH and (hashed := HASHED.get("".join(steps[-1]))):
        matches = (Match(hashed, EXACT, " ".join(steps[-1])), *matches)
    for match in matches:
        token = TOKENS[match.token]
        score = match.score
        if not fits(token, shape):
            score = min(score, _MISFIT)
        elif shape not in (_TERSE.get(match.alias, shape), Shape.NOTHING) or (
            token.name in NAMES and _LATER_ITEM.search(field.path)
        ):
            score = min(score, DOUBTFUL)
        yield token, score, _why(called, match.alias, token, is_exact=match.score == EXACT)


def _with_placeholder(
    field: Field, named: list[Reasoned], placeholder: Steps
) -> Iterator[Reasoned]:
    """Tokens for a value that is a placeholder: it helps a name that says nothing, or doubts it."""
    if subject_of(placeholder) == OTHER:
        yield from ((token, min(score, DOUBTFUL), why) for token, score, why in named)
        return
    yield from named
    if not any(score >= CUT_OFF for _, score, _ in named):
        called = f"the sample value is {field.sample.strip()}"
        yield from _named(field, placeholder, Shape.NOTHING, called)


def _belongs(token: Token, field: Field) -> bool:
    """Whether a nested token is meant for a nested place, and others for the rest."""
    if token.type.is_nested and field.type not in _NESTED and _ITEM.search(field.path):
        return False
    if field.type is FieldType.ARRAY:
        return token.narrow is not None
    if field.type is FieldType.OBJECT:
        return token.type.is_nested and token.narrow is None
    return True


def _learned(steps: Steps, learned: Learned, why: _Reason) -> Iterator[Reasoned]:
    """Tokens to which this path, or this name of the same subject, was mapped."""
    by_path = learned.paths.get(path_key_of(steps))
    if by_path:
        name = ".".join(" ".join(words) for words in steps)
        yield from _counted(by_path, EXACT, name, why)
    by_name = learned.names.get(name_key_of(steps))
    if by_name:
        yield from _counted(by_name, _LEARNED_NAME, " ".join(steps[-1]), why)


def _counted(counts: Counter[str], score: int, name: str, why: _Reason) -> Iterator[Reasoned]:
    total = counts.total()
    for token_name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        try:
            token = find_token(token_name)
        except UnknownToken:
            continue
        is_usual = count * 2 > total
        yield token, score if is_usual else DOUBTFUL, why(name, token_name, count)


def _mapped_here(name: str, token: str, count: int) -> str:
    return f"{name} is mapped to %{token}% here"


def _mapped_elsewhere(name: str, token: str, count: int) -> str:
    times = "1 template" if count == 1 else f"{count} templates"
    return f"your account mapped {name} to %{token}% in {times}"


def _called(field: Field) -> str:
    is_told_apart = field.path.endswith("]") and field.path.startswith("/")
    return field.path.rpartition("/")[2] if is_told_apart else field.name


def _why(called: str, alias: str, token: Token, *, is_exact: bool) -> str:
    if alias.replace(" ", "_") == token.name:
        return f"{called}, as the token is"
    usual = f"a usual name for {_thing(token.label)}"
    if is_exact or alias.replace(" ", "") in called.lower():
        return f"{called}, {usual}"
    return f"{called}, which is like {alias}, {usual}"


@lru_cache(maxsize=256)
def _thing(label: str) -> str:
    """A token's label inside a sentence: "Caller: first name" is the caller's first name."""
    whose, colon, what = label.partition(": ")
    if colon:
        return f"the {whose.lower()}'s {what}"
    first, _, rest = label.partition(" ")
    is_name = first.isupper() or first in _PROPER
    return f"the {first if is_name else first.lower()} {rest}".rstrip()
