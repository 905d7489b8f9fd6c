"""From a receiver's answer to what happens next. Pure."""

from apps.delivery.outcome import MAX_BODY_BYTES, Outcome
from apps.ivr.actions import parse_action
from apps.ivr.decisions import AnswerFault, Decision, Message
from apps.ivr.speech import parse_content_type, speakable


def read_message(outcome: Outcome) -> Decision:
    """Return the message that the answer is; raises AnswerFault."""
    body = _complete_body(outcome)
    return Message(speakable(body, outcome.header("Content-Type") or ""))


def read_action(outcome: Outcome) -> Decision:
    """Return the action that the answer is; raises AnswerFault."""
    body = _complete_body(outcome)
    _, charset = parse_content_type(outcome.header("Content-Type") or "")
    return parse_action(body, charset)


def _complete_body(outcome: Outcome) -> bytes:
    """Return the body of a whole answer with a code of success; raises AnswerFault."""
    if outcome.error_kind is not None:
        raise AnswerFault(outcome.error_message)
    if not 200 <= (outcome.status or 0) < 300:
        # Without the query, which may be the results: this is kept for longer than bodies are.
        location = (outcome.header("Location") or "").partition("?")[0]
        to = f" and leads to {location[:200]}; redirects are not followed" if location else ""
        raise AnswerFault(f"The receiver answered {outcome.status}{to}.")
    if outcome.body_truncated:
        raise AnswerFault(f"The answer is larger than {MAX_BODY_BYTES:,} bytes.")
    encoding = (outcome.header("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise AnswerFault(f"The answer is compressed ({encoding[:40]}), which was not asked for.")
    return outcome.body
