"""Events that are posted at the same moment share a transaction, and nothing else."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from apps.accounts.access import access_of_key
from apps.accounts.models import ApiKey
from apps.calls.models import Call, CallEvent
from apps.delivery.models import Delivery
from apps.intake import services
from apps.intake.events import ParsedEvent
from apps.intake.rounds import Rounds
from apps.intake.services import Stored, accept_events
from tests.api_client import Api, good, problem
from tests.builders import World, attach, event, make_webhook, make_world

pytestmark = pytest.mark.django_db(transaction=True)

_PATIENCE_S = 30.0


class Together:
    """Posts events at the same moment: the first keeps the others waiting until all are there."""

    def __init__(self) -> None:
        self.rounds: Rounds[tuple[ApiKey, ParsedEvent], Stored] = Rounds(self._work, most=100)
        self.sizes: list[int] = []
        self._is_at_work, self._let_go = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=20)

    def _work(self, brought: Sequence[tuple[ApiKey, ParsedEvent]]) -> list[Stored | None]:
        if not self.sizes:
            self._is_at_work.set()
            assert self._let_go.wait(_PATIENCE_S)
        self.sizes.append(len(brought))
        return services._take_round(brought)

    def post(self, world: World, first: Any, *others: Any) -> list[Any]:
        """Return the answers, in this order; the others are taken in this order, in one round."""
        answers = [self.begin(world, first)]
        assert self._is_at_work.wait(_PATIENCE_S)
        for number, body in enumerate(others, start=1):
            answers.append(self.begin(world, body))
            while len(self.rounds._waiting[world.key.pk]) < number:
                pass
        self._let_go.set()
        return [answer.result(_PATIENCE_S) for answer in answers]

    def begin(self, world: World, body: Any) -> "Future[Any]":
        def post() -> Any:
            try:
                return Api(world.token).post("/events", body)
            finally:
                connections.close_all()

        return self._pool.submit(post)


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Together:
    company = Together()
    monkeypatch.setattr(services, "_ROUNDS", company.rounds)
    return company


@pytest.fixture
def refusing() -> Iterator[Callable[[str], None]]:
    """Return what has the database refuse an event of an id, with an error that nobody expects."""

    def refuse(name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE calls_callevent ADD CONSTRAINT refuse CHECK (external_id <> %s)",
                [name],
            )

    yield refuse
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calls_callevent DROP CONSTRAINT IF EXISTS refuse")


class TestEventsOfOneMoment:
    def test_are_each_answered_with_their_own(self, world: World, together: Together) -> None:
        attach(make_webhook(world, "http://127.0.0.1/"))
        bodies = [event(world, call_id=f"c{number}") for number in range(5)]
        answers = together.post(world, *bodies)

        assert together.sizes == [1, 4]
        for body, answer in zip(bodies, answers, strict=True):
            (taken,) = good(answer, 202)["accepted"]
            assert (taken["index"], taken["id"]) == (0, body["id"])
            assert (taken["call_id"], taken["duplicate"]) == (body["call_id"], False)
        assert CallEvent.objects.count() == Call.objects.count() == Delivery.objects.count() == 5

    def test_of_one_call_are_folded_in_the_order_in_which_they_happened(
        self, world: World, together: Together
    ) -> None:
        kinds = ["ringing", "ended", "answered", "started"]
        bodies = [
            event(world, type=f"call.{kind}", occurred_at=f"2026-03-28T00:05:0{second}Z")
            for kind, second in zip(kinds, [1, 9, 4, 0], strict=True)
        ]
        for answer in together.post(world, *bodies):
            good(answer, 202)

        call = Call.objects.get()
        assert together.sizes == [1, 3]
        assert (call.status, call.duration_s, call.talk_s) == ("answered", 9, 5)
        assert call.snapshot["ringing_at"] == "2026-03-28T00:05:01.000Z"

    def test_that_are_the_same_count_once(self, world: World, together: Together) -> None:
        same = event(world, call_id="c2")
        answers = together.post(world, event(world), same, same, same)
        told = [good(answer, 202)["accepted"][0] for answer in answers]
        assert [each["duplicate"] for each in told] == [False, False, True, True]
        assert len({each["event"] for each in told}) == 2

    def test_are_refused_for_their_own_faults_only(self, world: World, together: Together) -> None:
        lost = event(world, call_id="c2", tracking_number="+15005550000")
        answers = together.post(world, event(world), lost, event(world, call_id="c3"))
        assert [answer.status_code for answer in answers] == [202, 422, 202]
        (fault,) = problem(answers[1], 422, "no_event_accepted")["errors"]
        assert (fault["pointer"], fault["code"]) == ("/tracking_number", "unknown_tracking_number")

    def test_are_taken_one_by_one_where_one_breaks_the_round(
        self, world: World, together: Together, refusing: Callable[[str], None]
    ) -> None:
        refusing("poison")
        poison = event(world, id="poison", call_id="c2")
        answers = together.post(world, event(world), poison, event(world, call_id="c3"))
        assert [answer.status_code for answer in answers] == [202, 500, 202]
        assert set(Call.objects.values_list("external_id", flat=True)) == {"c1", "c3"}
        assert not Delivery.objects.exists()

    def test_of_two_accounts_never_meet(self, world: World, together: Together) -> None:
        other = make_world("Other")
        theirs = event(other, call_id="c1")
        bodies = [event(world), event(world, call_id="c2"), event(world, tracking_number=None)]
        answers = together.post(world, *bodies)
        good(Api(other.token).post("/events", theirs), 202)

        assert [answer.status_code for answer in answers] == [202, 202, 202]
        calls = Call.objects.filter(account=other.account)
        assert [call.external_id for call in calls] == ["c1"]
        assert Call.objects.filter(account=world.account).count() == 2

    def test_are_judged_by_what_the_key_reaches_now(self, world: World) -> None:
        good(Api(world.token).post("/events", event(world)), 202)
        world.account.is_active = False
        world.account.save(update_fields=["is_active"])
        answer = Api(world.token).post("/events", event(world, call_id="c2"))
        assert answer.status_code in (401, 422)
        assert Call.objects.count() == 1

    def test_wait_for_no_call_that_somebody_holds(self, world: World, together: Together) -> None:
        accept_events(access=access_of_key(world.key), bodies=[event(world, call_id="held")])
        holder = connections.create_connection("default")
        try:
            with holder.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT FROM calls_call WHERE external_id = 'held' FOR UPDATE")
                bodies = [event(world, call_id=name) for name in ("c2", "held", "c3")]
                held: list[Any] = []
                poster = threading.Thread(target=lambda: held.extend(together.post(world, *bodies)))
                poster.start()
                while Call.objects.filter(external_id="c3").count() == 0:
                    assert poster.is_alive()
                assert not held
                cursor.execute("COMMIT")
            poster.join(_PATIENCE_S)
        finally:
            holder.close()
        assert [answer.status_code for answer in held] == [202, 202, 202]


class Turns(threading.BoundedSemaphore):
    """One turn, which tells when somebody asks for it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = threading.Event()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.asked.set()
        return super().acquire(blocking, timeout)


class TestBatches:
    @pytest.fixture
    def turns(self, monkeypatch: pytest.MonkeyPatch) -> Turns:
        turns = Turns()
        monkeypatch.setattr(services, "_turns", turns)
        return turns

    def test_take_turns(
        self, world: World, turns: Turns, together: Together, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "_MOST_PATIENCE_S", _PATIENCE_S)
        bodies = [event(world, call_id=name) for name in ("c1", "c2")]
        with turns:
            turns.asked.clear()
            answer = together.begin(world, bodies)
            assert turns.asked.wait(_PATIENCE_S)
            assert not Call.objects.exists()
        assert answer.result(_PATIENCE_S).status_code == 202
        assert Call.objects.count() == 2
        # It gave its turn back.
        assert Api(world.token).post("/events", bodies).status_code == 202

    def test_do_not_wait_for_long(
        self, world: World, turns: Turns, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "_MOST_PATIENCE_S", 0.01)
        with turns:
            bodies = [event(world, call_id=name) for name in ("c1", "c2")]
            assert Api(world.token).post("/events", bodies).status_code == 202


class TestATableThatIsLocked:
    @pytest.mark.parametrize("kept", [{}, {"Idempotency-Key": "k1"}])
    @pytest.mark.parametrize("count", [1, 2])
    def test_holds_no_thread_for_long(
        self, world: World, monkeypatch: pytest.MonkeyPatch, count: int, kept: dict[str, str]
    ) -> None:
        monkeypatch.setattr(services, "_MOST_ALONE_MS", 50)
        attach(make_webhook(world, "https://crm.example.com"))
        bodies = [event(world, call_id=f"call-{number}") for number in range(count)]
        locked, done = threading.Event(), threading.Event()

        def lock() -> None:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE delivery_delivery")
                    locked.set()
                    assert done.wait(_PATIENCE_S)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            locking = pool.submit(lock)
            assert locked.wait(_PATIENCE_S)
            answer = Api(world.token).post("/events", bodies, **kept)
            done.set()
            locking.result(_PATIENCE_S)
        assert problem(answer, 503, "unavailable")["detail"].startswith("What is needed is locked")
        assert int(answer["Retry-After"]) > 0
        assert not CallEvent.objects.exists()
        good(Api(world.token).post("/events", bodies, **kept), 202)


class TestAnAnswerThatIsKept:
    def test_is_given_again(self, world: World) -> None:
        body = event(world)
        first, second = (
            Api(world.token).post("/events", body, **{"Idempotency-Key": "once"}) for _ in range(2)
        )
        assert (first.status_code, second.status_code) == (202, 202)
        assert (first.content, second["Idempotent-Replayed"]) == (second.content, "true")

    def test_is_none_where_nothing_was_accepted(self, world: World) -> None:
        wrong = event(world, tracking_number="+15005550000")
        for _ in range(2):
            answer = Api(world.token).post("/events", wrong, **{"Idempotency-Key": "once"})
            assert (answer.status_code, "Idempotent-Replayed" in answer) == (422, False)
        assert not CallEvent.objects.exists()
