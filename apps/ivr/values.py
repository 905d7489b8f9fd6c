"""What the parameters of an IVR's web hook may be filled with."""

from django.utils.text import Truncator

from apps.ivr.models import Ivr
from apps.webhooks.tokens import TOKENS, Category, Token

# Known only when a call is over, or in another kind of request.
_NOT_WHILE_WAITING = {
    "ivr_question",
    "ivr_question_duration",
    "ivr_question_date",
    "ivr_question_text",
}


def answers_of(ivr: Ivr) -> dict[str, str]:
    """Return the answers to the questions of an IVR that are not recorded, with labels."""
    return {
        f"answer.{question.number}": Truncator(f"Answer to {question}").chars(80)
        for question in ivr.questions.all()
        if not question.is_recorded
    }


def tokens_while_waiting() -> list[Token]:
    """Return the tokens that are known while the caller waits."""
    return [
        token
        for token in TOKENS.values()
        if token.category not in (Category.DELIVERY, Category.CALL_END)
        and token.name not in _NOT_WHILE_WAITING
    ]
