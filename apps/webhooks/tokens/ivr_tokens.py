"""One interaction of a caller with an IVR: what the platform posts when it is over."""

from apps.webhooks.tokens.readers import Reader, boolean01, moment, text
from apps.webhooks.tokens.token import Category, Token, TokenType
from apps.webhooks.tokens.values import Snapshot, Value, as_text


def answer(number: str) -> Reader:
    """Read the answer to a question of the IVR."""

    def read(snapshot: Snapshot) -> Value:
        ivr = snapshot.get("ivr")
        answers = ivr.get("answers") if type(ivr) is dict else None
        given = answers.get(number) if type(answers) is dict else None
        return None if given is None else as_text(given)

    return read


def answer_token(number: str) -> Token:
    """The token of the answer to a question: `answer.NUMBER`."""
    return Token(
        f"answer.{number}",
        Category.IVR,
        TokenType.STRING,
        f"IVR: answer {number}",
        f"What the caller answered to question {number} of the IVR.",
        None,
        answer(number),
        personal=True,
        is_suggested=False,
    )


IVR_TOKENS = (
    Token(
        "ivr_id",
        Category.IVR,
        TokenType.STRING,
        "IVR: ID",
        "The ID of the IVR that the caller was in.",
        "75",
        text("ivr", "id"),
        is_suggested=False,
    ),
    Token(
        "ivr_name",
        Category.IVR,
        TokenType.STRING,
        "IVR: name",
        "The name of the IVR that the caller was in.",
        "Account balance",
        text("ivr", "name"),
        is_suggested=False,
    ),
    Token(
        "ivr_response_id",
        Category.IVR,
        TokenType.STRING,
        "IVR: response ID",
        "The id of this one interaction of the caller with the IVR.",
        "r-4711",
        text("ivr", "response_id"),
        is_suggested=False,
    ),
    Token(
        "ivr_timestamp",
        Category.IVR,
        TokenType.DATETIME,
        "IVR: start",
        "When the interaction with the IVR began, in UTC.",
        "2019-03-28T00:05:02.000Z",
        moment("ivr", "started_at"),
        is_suggested=False,
    ),
    Token(
        "ivr_pass_through",
        Category.IVR,
        TokenType.STRING,
        "IVR: pass-through data",
        "What the receiver asked to be given back with the next results of the call.",
        "user_id|12345||step|call_user",
        text("ivr", "pass_through"),
        personal=True,
        is_suggested=False,
    ),
    Token(
        "ivr_call_result",
        Category.IVR,
        TokenType.STRING,
        "IVR: call result",
        "How an outbound call went, in the platform's words.",
        "answered",
        text("ivr", "call_result"),
        is_suggested=False,
    ),
    Token(
        "ivr_completed",
        Category.IVR,
        TokenType.BOOLEAN01,
        "IVR: completed",
        "1 when the caller came to the end of the IVR, else 0.",
        "1",
        boolean01("ivr", "completed"),
        is_suggested=False,
    ),
    Token(
        "ivr_monitored_time",
        Category.IVR,
        TokenType.INTEGER,
        "IVR: monitored time",
        "Seconds of the recorded transfer of the call.",
        "29",
        text("ivr", "monitored_s"),
        is_suggested=False,
    ),
    Token(
        "ivr_opted_out",
        Category.IVR,
        TokenType.BOOLEAN01,
        "IVR: opted out",
        "1 when the caller chose to get no more calls, else 0.",
        "0",
        boolean01("ivr", "opted_out"),
        is_suggested=False,
    ),
    Token(
        "ivr_question",
        Category.IVR,
        TokenType.INTEGER,
        "IVR: transcribed question",
        "The number of the question whose recorded answer was transcribed.",
        "2",
        text("ivr", "question"),
        is_suggested=False,
    ),
    Token(
        "ivr_question_duration",
        Category.IVR,
        TokenType.INTEGER,
        "IVR: length of the answer",
        "Seconds of the recorded answer that was transcribed.",
        "6",
        text("ivr", "duration_s"),
        is_suggested=False,
    ),
    Token(
        "ivr_question_date",
        Category.IVR,
        TokenType.DATETIME,
        "IVR: date of the transcript",
        "When the answer was transcribed, in UTC.",
        "2019-03-28T00:09:00.000Z",
        moment("ivr", "date"),
        is_suggested=False,
    ),
    Token(
        "ivr_question_text",
        Category.IVR,
        TokenType.STRING,
        "IVR: transcript of the answer",
        "The text of a recorded answer to a question.",
        "Please call me back tomorrow.",
        text("ivr", "text"),
        personal=True,
        is_suggested=False,
    ),
)
