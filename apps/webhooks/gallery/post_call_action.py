"""Post-call action with all its parameters, under the keys of the catalogue."""

import re
from dataclasses import replace
from urllib.parse import parse_qsl

from apps.webhooks.formats import Format
from apps.webhooks.gallery.entry import Entry
from apps.webhooks.gallery.parameters import ATTRIBUTION, POST_CALL, Parameter
from apps.webhooks.mapping import Problem

_MINUTES = re.compile(r"[0-9]+\.[0-9]{2}")
_WHOLE = re.compile(r"[0-9]+")
_ALL: tuple[Parameter, ...] = (*POST_CALL.values(), *ATTRIBUTION)
_ATTRIBUTION = {parameter.key for parameter in ATTRIBUTION}
_FORMS = {
    **{key: _MINUTES for key in POST_CALL if key.endswith("_minutes") or key == "call_duration"},
    **{key: _WHOLE for key in POST_CALL if key.startswith("rounded_")},
}


def find_problems(payload: bytes) -> list[Problem]:
    """Judge the parameters: all 27, all or none of the attribution, minutes as numbers."""
    try:
        pairs = parse_qsl(
            payload.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict"
        )
    except ValueError as error:
        return [Problem("", f"These are no parameters: {error}.")]
    values = dict(pairs)
    problems = [Problem(name, "This is missing.") for name in POST_CALL if name not in values]
    if present := _ATTRIBUTION & values.keys():
        missing = sorted(_ATTRIBUTION - present)
        problems += [Problem(name, "Attribution is sent whole or not at all.") for name in missing]
    problems += [
        Problem(name, "There is no such parameter.")
        for name in values
        if name not in POST_CALL and name not in _ATTRIBUTION
    ]
    problems += [
        Problem(name, "This is no number of minutes.")
        for name, form in _FORMS.items()
        if name in values and not form.fullmatch(values[name])
    ]
    return problems


POST_CALL_ACTION = Entry(
    key="post_call_action",
    name="Post-call action, by POST",
    purpose="All parameters of a post-call action, with attribution.",
    format=Format.FORM,
    sample="&".join(f"{parameter.key}=%{parameter.token}%" for parameter in _ALL),
    fills={parameter.key: parameter.fill for parameter in _ALL},
    rules=find_problems,
    notes=("To choose, name and order parameters, make it under Post Call Actions instead.",),
)
POST_CALL_ACTION_GET = replace(
    POST_CALL_ACTION,
    key="post_call_action_get",
    name="Post-call action, by GET",
    format=Format.QUERY,
    method="GET",
)
