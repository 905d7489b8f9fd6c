"""POSTs that may be sent again without being done again: the `Idempotency-Key` header."""

import datetime as dt
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.access import Access
from apps.common.api.bodies import OrjsonRenderer
from apps.common.api.rate_limits import spend
from apps.common.ids import new_id
from apps.common.models import StoredAnswer
from apps.common.problems import Problem

KEPT_FOR = dt.timedelta(hours=24)
# Longer than any request that waits for a receiver: whoever held the key has died.
HELD_FOR = dt.timedelta(minutes=2)
UNDER_WAY = HTTPStatus.PROCESSING.value
# What is kept of an answer, in bytes of its body; of those over the second figure an account has so
# many kept in a day. Of others it is known that they were given, which is what keeps a repeat safe.
MOST_BYTES = 262_144
SMALL_BYTES = 4_096
MOST_LARGE = 10_000
_DAY_S = 24 * 60 * 60
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("ETag", "Location")


class Repeated(Exception):
    """The request was answered before; `response` is that answer."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__("answered before")
        self.response = response


@dataclass(frozen=True, slots=True)
class Submission:
    """A POST under an `Idempotency-Key`: what is answered is kept, for the same sender and key.

    In the transaction of the request, where that is one: what is rolled back can be sent again, and
    a lock holds the key. Else a row holds it from the begin, until `keep` or `give_back`.
    """

    sender: uuid.UUID
    account_id: uuid.UUID
    key: str
    digest: str
    has_transaction: bool = True
    id: uuid.UUID = field(default_factory=new_id)

    @classmethod
    def begin(
        cls, access: Access, key: str, request: Request, *, has_transaction: bool
    ) -> Self | None:
        """Return the submission if it is new; None for a sender who reaches no account.

        Raises Repeated with the earlier answer, and a Problem for a key that is none, one that came
        with another request before (409), one that is being worked on at this moment (409), and one
        whose answer was too large to be kept (409).
        """
        if not _KEY.fullmatch(key):
            raise Problem(
                400,
                "invalid_idempotency_key",
                "An Idempotency-Key has 1 to 255 printable ASCII characters, without blanks.",
            )
        sender = access.key_id or access.user_id
        account_id = access.own_id or next(iter(access.active_ids), None)
        if sender is None or account_id is None:
            return None
        submission = cls(sender, account_id, key, _digest_of(request), has_transaction)
        if has_transaction and not submission.take():
            raise _under_way()
        submission._look_up()
        if not has_transaction and not submission._hold():
            raise _under_way()
        return submission

    def keep(self, response: Response) -> None:
        """Store the answer of a POST that succeeded; one that is too large without its body."""
        headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
        body = OrjsonRenderer().render(response.data)
        kept = body.decode() if self._has_room(len(body)) else None
        answer = self._row(response.status_code, headers, kept)
        with transaction.atomic():
            # What held the key is gone where this took so long that another request was let in.
            if self.has_transaction or self._let_go():
                StoredAnswer.objects.bulk_create([answer], ignore_conflicts=True)

    def give_back(self) -> None:
        """Let the key go after a POST that failed; with a transaction, its end does that."""
        if not self.has_transaction:
            self._let_go()

    def _has_room(self, size: int) -> bool:
        if size <= SMALL_BYTES:
            return True
        if size > MOST_BYTES:
            return False
        of_day = spend(f"answers:{self.account_id}", MOST_LARGE, window_s=_DAY_S)
        return of_day is None or not of_day.is_spent

    def _look_up(self) -> None:
        known = StoredAnswer.objects.filter(sender=self.sender, key=self.key).first()
        if known is None:
            return
        is_under_way = known.status == UNDER_WAY
        if known.created_at <= timezone.now() - (HELD_FOR if is_under_way else KEPT_FOR):
            known.delete()
            return
        if known.digest != self.digest:
            raise Problem(
                409,
                "idempotency_key_reused",
                "This Idempotency-Key came with another request before; take a new one.",
            )
        if is_under_way:
            raise _under_way()
        if known.body is None:
            raise Problem(
                409,
                "answer_not_kept",
                f"This was done, and answered {known.status}; the answer was too large to keep.",
                headers=known.headers,
            )
        raise Repeated(_answer_again(known, known.body))

    def _hold(self) -> bool:
        """Hold the key by a row that everybody sees; tell whether nobody else was faster."""
        StoredAnswer.objects.bulk_create([self._row(UNDER_WAY, {}, None)], ignore_conflicts=True)
        return StoredAnswer.objects.filter(pk=self.id).exists()

    def _let_go(self) -> bool:
        deleted, _ = StoredAnswer.objects.filter(pk=self.id).delete()
        return bool(deleted)

    def _row(self, status: int, headers: dict[str, str], body: str | None) -> StoredAnswer:
        return StoredAnswer(
            pk=self.id,
            account_id=self.account_id,
            sender=self.sender,
            key=self.key,
            digest=self.digest,
            status=status,
            headers=headers,
            body=body,
        )

    def take(self) -> bool:
        """Take the key until the end of the transaction; tell whether nobody else has it."""
        number = hashlib.sha256(f"{self.sender} {self.key}".encode()).digest()[:8]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(number, signed=True)]
            )
            (is_taken,) = cursor.fetchone()
        return bool(is_taken)


def _under_way() -> Problem:
    return Problem(
        409,
        "request_in_progress",
        "A request with this Idempotency-Key is being worked on at this moment.",
        headers={"Retry-After": "1"},
    )


def purge_stored_answers() -> int:
    """Delete answers that are not repeated any more, in every account; return how many."""
    deleted, _ = StoredAnswer.objects.filter(created_at__lte=timezone.now() - KEPT_FOR).delete()
    return deleted


def _digest_of(request: Request) -> str:
    """Return what tells one request from another: its address and its body."""
    _ = request.data
    body: str = getattr(request, "body_digest", "")
    return hashlib.sha256(f"{request.get_full_path()}\n{body}".encode()).hexdigest()


def _answer_again(known: StoredAnswer, body: str) -> HttpResponse:
    response = HttpResponse(
        body.encode(), status=known.status, content_type=OrjsonRenderer.media_type
    )
    for name, value in known.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response
