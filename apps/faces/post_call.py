"""A post-call action as what it sends: its parameters, turned into a template and back. Pure.

The template is the only place where the parameters are kept. One that was changed elsewhere, into
something that the screen has no words for, is not read.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote_plus

from apps.webhooks.extraction import SampleError, extract
from apps.webhooks.extraction.trees import Pair
from apps.webhooks.formats import Format
from apps.webhooks.gallery.parameters import ATTRIBUTION, POST_CALL, Parameter
from apps.webhooks.mapping import FieldMapping, Mapping

MOST_STATIC = 50
MOST_DYNAMIC = 100
LONGEST_NAME = 100


class InvalidParameters(ValueError):
    """Parameters that can not be sent; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A dynamic parameter, by the key of `POST_CALL`, under a name of the admin's own."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """All that a post-call action sends, in this order; attribution comes last."""

    static: tuple[tuple[str, str], ...] = ()
    dynamic: tuple[Chosen, ...] = ()
    has_attribution: bool = False


def template_of(parameters: Parameters, target: Format) -> tuple[str, Mapping]:
    """Return the sample and the mapping that send these parameters.

    Raises InvalidParameters for none at all, and for a name that is given twice.
    """
    if parameters == Parameters():
        raise InvalidParameters("Add a parameter: there is nothing to send yet.")
    _refuse_repeats(parameters)
    wanted: list[tuple[str, Parameter]] = [
        (chosen.name, POST_CALL[chosen.key]) for chosen in parameters.dynamic
    ]
    if parameters.has_attribution:
        wanted += [(parameter.key, parameter) for parameter in ATTRIBUTION]
    static = [
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.static
    ]
    dynamic = [f"{quote(name, safe='')}=%{parameter.token}%" for name, parameter in wanted]
    sample = "&".join([*static, *dynamic])
    pairs = _pairs(sample, target)[len(static) :]
    fields = [
        parameter.mapped_at(pair.path) for pair, (_, parameter) in zip(pairs, wanted, strict=True)
    ]
    return sample, Mapping(tuple(fields))


def read(sample: str, mapping: Mapping, target: Format) -> Parameters | None:
    """Return the parameters of a template; None if it sends anything else."""
    try:
        pairs = _pairs(sample, target)
    except SampleError:
        return None
    static: list[tuple[str, str]] = []
    dynamic: list[Chosen] = []
    attribution: list[str] = []
    for pair in pairs:
        field = mapping.get(pair.path)
        if field.is_as_sample:
            static.append((pair.name, pair.value))
        elif pair.name in _ATTRIBUTION and field == _ATTRIBUTION[pair.name].mapped_at(pair.path):
            attribution.append(pair.name)
        elif (key := _key_of(field)) is not None:
            dynamic.append(Chosen(key, pair.name))
        else:
            return None
    parameters = Parameters(tuple(static), tuple(dynamic), bool(attribution))
    is_all = not attribution or attribution == list(_ATTRIBUTION)
    # What the screen shows must be what is sent, in its order.
    is_same = is_all and [pair.name for pair in pairs] == list(_names(parameters))
    return parameters if is_same else None


def static_from(text: str) -> tuple[tuple[str, str], ...]:
    """Read `name1=value1&name2=value2`, percent-encoded or not. Raises InvalidParameters."""
    pairs = []
    for part in text.strip().removeprefix("?").split("&"):
        if not part.strip():
            continue
        name, equals, value = part.strip().partition("=")
        if not equals or not name:
            raise InvalidParameters(
                f"“{part.strip()[:60]}” is no parameter: write name1=value1&name2=value2."
            )
        pairs.append((_decoded(name), _decoded(value)))
        if len(pairs[-1][0]) > LONGEST_NAME:
            raise InvalidParameters(f"A name has at most {LONGEST_NAME} characters.")
    if len(pairs) > MOST_STATIC:
        raise InvalidParameters(f"At most {MOST_STATIC} static parameters.")
    return tuple(pairs)


def static_as_text(pairs: tuple[tuple[str, str], ...]) -> str:
    """Write static parameters as they are typed."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


def _refuse_repeats(parameters: Parameters) -> None:
    name, count = next(iter(Counter(_names(parameters)).most_common(1)), ("", 0))
    if count > 1:
        raise InvalidParameters(f"Two parameters are called “{name}”: the receiver gets one only.")


def _names(parameters: Parameters) -> Iterator[str]:
    yield from (name for name, _ in parameters.static)
    yield from (chosen.name for chosen in parameters.dynamic)
    yield from _ATTRIBUTION if parameters.has_attribution else ()


def _pairs(sample: str, target: Format) -> tuple[Pair, ...]:
    tree = extract(sample, target).tree
    return tree if isinstance(tree, tuple) else ()


def _key_of(field: FieldMapping) -> str | None:
    fits = (key for key, each in POST_CALL.items() if field == each.mapped_at(field.path))
    return next(fits, None)


def _decoded(text: str) -> str:
    try:
        decoded = unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidParameters(f"“{text[:60]}” is not UTF-8, percent-encoded.") from None
    if not decoded.isprintable():
        raise InvalidParameters(f"“{text[:60]}” has characters that can not be sent.")
    return decoded


_ATTRIBUTION = {parameter.key: parameter for parameter in ATTRIBUTION}
