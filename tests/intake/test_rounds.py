"""Threads that have something done together."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from apps.intake.rounds import Rounds

_PATIENCE_S = 30.0


class Work:
    """Doubles numbers; the rounds of `held` numbers last until somebody lets them go."""

    def __init__(self, *held: int) -> None:
        self.rounds: list[list[int]] = []
        self.at_work = {number: threading.Event() for number in held}
        self.let_go = {number: threading.Event() for number in held}

    def __call__(self, numbers: Sequence[int]) -> list[int | None]:
        self.rounds.append([*numbers])
        for number in numbers:
            if number in self.let_go:
                self.at_work[number].set()
                assert self.let_go[number].wait(_PATIENCE_S)
        if 13 in numbers:
            raise ValueError("13")
        if 666 in numbers:
            raise SystemExit
        return [None if number < 0 else 2 * number for number in numbers]


class Company:
    """Threads that come while one is at work, in a known order."""

    def __init__(self, work: Work, *, most: int = 100) -> None:
        self.rounds: Rounds[int, int] = Rounds(work, most=most)
        self._work = work
        self._pool = ThreadPoolExecutor(max_workers=20)

    def begin(self, number: int, key: str = "one") -> "Future[int | None]":
        """Have a thread bring a held number, and return once it is at work."""
        future = self._pool.submit(self.rounds.join, key, number)
        assert self._work.at_work[number].wait(_PATIENCE_S)
        return future

    def wait_with(self, number: int, key: str = "one") -> "Future[int | None]":
        """Have a thread bring a number while another one is at work; return once it sits."""
        before = len(self.rounds._waiting[key])
        future = self._pool.submit(self.rounds.join, key, number)
        while len(self.rounds._waiting[key]) == before:
            pass
        return future


def results(*futures: "Future[int | None]") -> list[int | None]:
    return [future.result(_PATIENCE_S) for future in futures]


class TestRounds:
    def test_wait_for_nobody(self) -> None:
        work = Work()
        rounds: Rounds[int, int] = Rounds(work, most=100)
        assert [rounds.join("one", number) for number in (1, 2)] == [2, 4]
        assert work.rounds == [[1], [2]]
        assert not rounds._waiting

    def test_take_all_who_came_meanwhile(self) -> None:
        work = Work(1)
        company = Company(work)
        first = company.begin(1)
        others = [company.wait_with(number) for number in (2, 3, 4)]
        work.let_go[1].set()
        assert results(first, *others) == [2, 4, 6, 8]
        assert work.rounds == [[1], [2, 3, 4]]
        assert not company.rounds._waiting

    def test_are_bounded(self) -> None:
        work = Work(1)
        company = Company(work, most=2)
        first = company.begin(1)
        others = [company.wait_with(number) for number in (2, 3, 4, 5, 6)]
        work.let_go[1].set()
        assert results(first, *others) == [2, 4, 6, 8, 10, 12]
        assert work.rounds == [[1], [2, 3], [4, 5], [6]]

    def test_of_two_keys_do_not_wait_for_each_other(self) -> None:
        work = Work(1, 2)
        company = Company(work)
        first, second = company.begin(1, "one"), company.begin(2, "other")
        work.let_go[2].set()
        assert results(second) == [4]
        assert not first.done()
        work.let_go[1].set()
        assert results(first) == [2]

    def test_leave_to_each_what_fails(self) -> None:
        work = Work(1)
        company = Company(work)
        first = company.begin(1)
        others = [company.wait_with(number) for number in (2, 13, 4)]
        work.let_go[1].set()
        assert results(first, *others) == [2, None, None, None]
        assert company.rounds.join("one", 5) == 10

    def test_leave_to_each_what_is_refused(self) -> None:
        work = Work(1)
        company = Company(work)
        first = company.begin(1)
        others = [company.wait_with(number) for number in (2, -3, 4)]
        work.let_go[1].set()
        assert results(first, *others) == [2, 4, None, 8]

    def test_go_on_without_a_leader_who_dies(self) -> None:
        work = Work(1, 666)
        company = Company(work)
        first = company.begin(1)
        dying, beside = company.wait_with(666), company.wait_with(2)
        work.let_go[1].set()
        assert work.at_work[666].wait(_PATIENCE_S)
        after = company.wait_with(3)
        work.let_go[666].set()
        with pytest.raises(SystemExit):
            dying.result(_PATIENCE_S)
        assert results(first, beside, after) == [2, None, 6]
        assert not company.rounds._waiting
