"""Asking receivers while a caller waits: the target, the fallback, and one budget for both.

The caller of `ask` hands in how a request is sent and how an answer is read, so that the rules
stand here alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

from apps.delivery.outcome import ErrorKind, OutboundRequest, Outcome
from apps.ivr.decisions import AnswerFault, Decision
from apps.ivr.models import FALLBACK_SHARE, DecidedBy

# Less than this is no use to start a request with.
_LEAST_S: Final = 0.02
_NEVER_CONNECTED: Final = frozenset({ErrorKind.DNS, ErrorKind.REFUSED, ErrorKind.CLOSED})

Send = Callable[[OutboundRequest], Outcome]
Read = Callable[[Outcome], Decision]
"""Reads an answer; raises AnswerFault."""


@dataclass(frozen=True, slots=True)
class Try:
    """One request, what became of it, and why its answer was not used; "" if it was."""

    step: DecidedBy
    request: OutboundRequest
    outcome: Outcome
    fault: str


@dataclass(slots=True)
class Heard:
    """What came of asking. Without a decision the default action is next; `reason` says why."""

    decision: Decision | None = None
    decided_by: DecidedBy = DecidedBy.DEFAULT
    tries: list[Try] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why neither the target nor the fallback decided; "" where the target did."""
        return " ".join(self.faults)

    def took_ms(self, step: DecidedBy) -> float | None:
        """Milliseconds that this step waited for its receiver; None where it was not asked."""
        took = [each.outcome.timings.total_ms for each in self.tries if each.step == step]
        return sum(took) if took else None


def ask(
    *,
    target: OutboundRequest,
    fallback: OutboundRequest | None,
    send: Send,
    read: Read,
    began: float,
    budget_s: float,
) -> Heard:
    """Ask the target, once more if no connection came about, then the fallback.

    `began` is a `perf_counter` reading: everything since counts against the budget. With a fallback
    the target leaves it a share. Never raises for what a receiver does.
    """
    heard = Heard()
    deadline = began + budget_s
    target_deadline = deadline - (budget_s * FALLBACK_SHARE if fallback else 0.0)
    _ask_one(heard, DecidedBy.TARGET, target, send, read, target_deadline)
    if heard.decision is None and fallback is not None:
        _ask_one(heard, DecidedBy.FALLBACK, fallback, send, read, deadline)
    return heard


def _ask_one(
    heard: Heard,
    step: DecidedBy,
    request: OutboundRequest,
    send: Send,
    read: Read,
    deadline: float,
) -> None:
    for tries_left in (1, 0):
        left_s = deadline - perf_counter()
        if left_s < _LEAST_S:
            heard.faults.append(f"{step.label}: no time was left.")
            return
        request = replace(request, timeout_s=round(left_s, 3))
        outcome = send(request)
        try:
            heard.decision = read(outcome)
        except AnswerFault as fault:
            heard.tries.append(Try(step, request, outcome, str(fault)))
            if tries_left and _may_try_again(outcome):
                continue
            heard.faults.append(f"{step.label}: {fault}")
            return
        heard.tries.append(Try(step, request, outcome, ""))
        heard.decided_by = step
        return


def _may_try_again(outcome: Outcome) -> bool:
    """Whether no receiver can have answered: the connection failed, and was not replaced already.

    A pooled connection that turned out to be dead was: then `sends` is 2.
    """
    return outcome.status is None and outcome.sends < 2 and outcome.error_kind in _NEVER_CONNECTED
