"""What platforms sent: whether it came from them, and what it says."""

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import orjson
from django.utils import timezone

from apps.intake.adapters import Reading, UnreadableCallback, generic, twilio
from apps.intake.adapters.generic import Locale
from apps.intake.adapters.signatures import is_hmac
from apps.intake.adapters.twilio_signature import is_signed
from apps.intake.models import Callback, Source
from apps.webhooks.extraction import MAX_BYTES, SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import from_plain

_COUNTRY = "US"
# Twilio sends some dozens.
_MOST_FIELDS = 1_000
_OLD_CODING = "windows-1252"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """What a platform sent. `url` is the public one, `signature` what the header says."""

    url: str
    body: bytes
    content_type: str
    signature: str

    @property
    def digest(self) -> str:
        """What tells it from every other request."""
        joined = b"\0".join((self.url.encode(), self.body))
        return hashlib.sha256(joined).hexdigest()

    @property
    def query(self) -> bytes:
        """The query of its URL."""
        return urlsplit(self.url).query.encode()


def is_genuine(source: Source, request: Request) -> bool:
    """Tell whether a request is signed as its source's platform signs."""
    if source.is_twilio:
        is_form = request.content_type == _FORM or not request.body
        # Whoever has no token can make a form large, but not have it taken apart.
        if not request.signature or (is_form and request.body.count(b"&") > _MOST_FIELDS):
            return False
        return is_signed(
            url=request.url,
            form=_form_of(request) if is_form else None,
            body=request.body,
            signature=request.signature,
            tokens=[source.auth_token, source.second_auth_token],
        )
    if not source.signature_header:
        return True
    return is_hmac(
        _message(source, request),
        secret=source.signature_secret,
        signature=request.signature,
    )


def digest_of(source: Source, request: Request) -> str:
    """Return what tells a callback from others; what is not signed makes no other one of it."""
    if source.is_twilio:
        return request.digest
    return hashlib.sha256(_message(source, request)).hexdigest()


def read_request(source: Source, request: Request) -> tuple[Reading | None, str]:
    """Return what a request says, or why it can not be read."""
    now = timezone.now()
    try:
        if not source.is_twilio:
            text, digest = text_of(source, request), digest_of(source, request)
            return _read_generic(source, text, digest=digest, now=now), ""
        place = _without_nul(parse_qsl(urlsplit(request.url).query))
        return twilio.read(_parameters(request), place=place, now=now), ""
    except UnreadableCallback as error:
        return None, str(error)


def text_of(source: Source, request: Request) -> str:
    """Return what is read of a request as text: of Twilio's, the body or else the query."""
    if source.is_twilio:
        return _text(request.body or request.query)
    return _text(_message(source, request))


def read_kept(callback: Callback) -> tuple[Reading | None, str]:
    """Return what a callback says of which all was kept, or why it can not be read.

    Of Twilio's it is what was read when it came.
    """
    if callback.source.is_twilio:
        return Reading(
            about=callback.about,
            call_id=callback.call_external_id,
            event=callback.event,
            leg_id=callback.leg_external_id,
        ), ""
    text, digest, came_at = callback.body, callback.digest, callback.created_at
    try:
        return _read_generic(callback.source, text, digest=digest, now=came_at), ""
    except UnreadableCallback as error:
        return None, str(error)


def read_sample_callback(source: Source, *, now: dt.datetime) -> Reading:
    """Read the source's own sample; raises UnreadableCallback."""
    digest = hashlib.sha256(source.sample.encode()).hexdigest()
    return _read_generic(source, source.sample, digest=digest, now=now)


def _message(source: Source, request: Request) -> bytes:
    """Return what a platform other than Twilio signs, which is all that is read of it."""
    if source.format == Format.QUERY:
        return request.query
    return request.body or request.query


def _text(message: bytes) -> str:
    """Return a message as text; what is not UTF-8 comes from old systems, which write so."""
    try:
        text = message.decode()
    except UnicodeDecodeError:
        text = message.decode(_OLD_CODING, "replace")
    return text.replace("\0", "\ufffd")


def _read_generic(source: Source, text: str, *, digest: str, now: dt.datetime) -> Reading:
    if not text.strip():
        raise UnreadableCallback("It is empty.")
    if len(text.encode()) > MAX_BYTES:
        raise UnreadableCallback(f"It is over {MAX_BYTES // 1024} KB.")
    try:
        sample = extract(text, Format(source.format))
    except SampleError as error:
        raise UnreadableCallback(
            f"It is no {source.get_format_display()}: line {error.line}, column {error.column}:"
            f" {error.message}"
        ) from None
    zone = source.location.time_zone if source.location else source.account.time_zone
    locale = Locale(
        country=source.location.country if source.location else _COUNTRY,
        zone=zoneinfo.ZoneInfo(zone),
    )
    return generic.read(sample, from_plain(source.mapping), locale=locale, now=now, digest=digest)


def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a Twilio request; a JSON body has them as members."""
    if request.content_type == _FORM or not request.body:
        return _without_nul(_form_of(request))
    return _without_nul(_members_of(request.body).items())


def _without_nul(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    parameters = dict(pairs)
    if any("\0" in text for pair in parameters.items() for text in pair):
        raise UnreadableCallback("It contains the NUL character.")
    return parameters


def _members_of(body: bytes) -> dict[str, str]:
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableCallback("Its body is neither a form nor JSON.") from None
    if not isinstance(members, dict):
        raise UnreadableCallback("Its body is no JSON object.")
    try:
        return {name: _as_text(each) for name, each in members.items() if each is not None}
    except orjson.JSONEncodeError:
        raise UnreadableCallback("Its body has too many levels.") from None


def _as_text(member: object) -> str:
    return member if isinstance(member, str) else orjson.dumps(member).decode()


def _form_of(request: Request) -> list[tuple[str, str]]:
    text = request.body.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)
