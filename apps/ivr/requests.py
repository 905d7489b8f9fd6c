"""From the results of an IVR to the web hook that tells a receiver of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from apps.delivery.engine.requests import with_query
from apps.delivery.outcome import OutboundRequest
from apps.ivr.models import IvrHook
from apps.webhooks.formats import Format
from apps.webhooks.gallery.entry import Fill
from apps.webhooks.gallery.parameters import (
    ATTRIBUTION,
    EASTERN_TIME,
    ST_REFERER,
    Parameter,
)
from apps.webhooks.headers import MASK
from apps.webhooks.mapping import Mapping
from apps.webhooks.rendering import CompiledTemplate, compile_template
from apps.webhooks.tokens import Snapshot


def _of(name: str, token: str) -> Parameter:
    return Parameter(name, name, token)


def _time(name: str, token: str) -> Parameter:
    return Parameter(name, name, token, Fill((EASTERN_TIME,)))


AUTOMATIC: Final = (
    _of("ivr_number_called", "tracking"),
    _of("ivr_caller_id", "ani"),
    _of("ivr_id", "ivr_id"),
    _of("ivr_response_id", "ivr_response_id"),
    _time("ivr_timestamp", "ivr_timestamp"),
    _of("ivr_pass_through", "ivr_pass_through"),
    _of("ivr_call_result", "ivr_call_result"),
    _of("ivr_completed", "ivr_completed"),
    _of("ivr_session_id", "callid"),
    _of("ivr_monitored_time", "ivr_monitored_time"),
    _of("ivr_opted_out", "ivr_opted_out"),
)
"""What every web hook says, by the names that receivers know."""

TRANSCRIPTION: Final = (
    _of("survo_id", "ivr_id"),
    _of("unique_id", "ivr_response_id"),
    _of("question", "ivr_question"),
    _of("duration", "ivr_question_duration"),
    _time("date", "ivr_question_date"),
    _of("text", "ivr_question_text"),
)
"""What is told of the transcript of a recorded question."""

_ATTRIBUTION: Final = tuple(
    replace(each, key=ST_REFERER) if each.key == "st_referrer" else each for each in ATTRIBUTION
)
_AUTHORIZATION: Final = "Authorization"


def requests_of(
    hook: IvrHook,
    parameters: Sequence[tuple[str, str]],
    snapshot: Snapshot,
    *,
    message_id: str,
) -> tuple[OutboundRequest, OutboundRequest | None]:
    """Return what goes to the target, and to the fallback if there is one.

    `parameters` are the admin's own: names and tokens.
    `webhook-id` is the same in every try, so that a receiver can tell a repeat.
    """
    is_get = hook.method == IvrHook.Method.GET
    template = _compiled(
        Format.QUERY if is_get else Format.FORM,
        tuple(parameters),
        hook.includes_attribution,
    )
    rendered = template.render(snapshot)
    headers = {"webhook-id": message_id}
    if template.content_type:
        headers["Content-Type"] = template.content_type

    def to(url: str) -> OutboundRequest:
        sent = dict(headers)
        if hook.authorization and origin_of(url) == origin_of(hook.target_url):
            sent[_AUTHORIZATION] = hook.authorization
        return OutboundRequest(
            method=hook.method,
            url=with_query(url, rendered) if is_get else url,
            headers=sent,
            body=b"" if is_get else rendered,
        )

    return to(hook.target_url), to(hook.fallback_url) if hook.fallback_url else None


def masked(request: OutboundRequest) -> dict[str, str]:
    """Return the headers as they may be stored."""
    return {
        name: MASK if name == _AUTHORIZATION else value for name, value in request.headers.items()
    }


def sample_of(parameters: Iterable[Parameter]) -> str:
    """Return a query with the name of each parameter."""
    return "&".join(f"{quote(each.key, safe='')}=" for each in parameters)


def mapping_of(parameters: Iterable[Parameter]) -> Mapping:
    """Return what fills each parameter of such a query."""
    return Mapping(tuple(each.mapped_at(each.key) for each in parameters))


@lru_cache(maxsize=1_024)
def _compiled(
    form: Format, own: tuple[tuple[str, str], ...], includes_attribution: bool
) -> CompiledTemplate:
    """The template of a web hook: what it always says, the admin's own, and the web session."""
    parameters = [*AUTOMATIC, *(_of(name, token) for name, token in own)]
    if includes_attribution:
        parameters += _ATTRIBUTION
    return compile_template(
        format=form, sample=sample_of(parameters), mapping=mapping_of(parameters)
    )


def origin_of(url: str) -> list[str]:
    """Scheme and host of a URL as it is stored."""
    return url.split("/")[:3]
