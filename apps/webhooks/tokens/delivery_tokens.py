"""The sending itself: which delivery, which try, when. Known only while a request is made."""

import uuid
from datetime import UTC, datetime

from apps.webhooks.tokens.readers import iso_utc, text
from apps.webhooks.tokens.token import Category, Token, TokenType
from apps.webhooks.tokens.values import Snapshot, Value


def request_id(snapshot: Snapshot) -> Value:
    """Make the id of a request out of its delivery and the number of its try."""
    delivery = snapshot.get("delivery")
    if type(delivery) is not dict or not delivery.get("id"):
        return None
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{delivery['id']} {delivery.get('attempt')}"))


def sent_at(snapshot: Snapshot) -> Value:
    """Read the time of the try, which is kept in epoch seconds."""
    delivery = snapshot.get("delivery")
    moment = delivery.get("sent_at") if type(delivery) is dict else None
    if type(moment) is not int or not 0 <= moment < 2**33:
        return None
    return iso_utc(datetime.fromtimestamp(moment, UTC))


DELIVERY_TOKENS = (
    Token(
        "delivery_id",
        Category.DELIVERY,
        TokenType.STRING,
        "Delivery: id",
        "The id of the delivery, 32 hexadecimal digits; the same in each of its tries.",
        "0198d1a2b3c44d5e8f60718293a4b5c6",
        text("delivery", "id"),
        is_suggested=False,
    ),
    Token(
        "attempt",
        Category.DELIVERY,
        TokenType.INTEGER,
        "Delivery: try",
        "Which try of the delivery this is: 1, 2, 3.",
        "1",
        text("delivery", "attempt"),
        is_suggested=False,
    ),
    Token(
        "request_id",
        Category.DELIVERY,
        TokenType.STRING,
        "Delivery: request id",
        "An id of this one request, in the form of a GUID; another one in each try.",
        "0a26a2ce-bf38-5f84-9b9d-90972ff46ed8",
        request_id,
        is_suggested=False,
    ),
    Token(
        "sent_at",
        Category.DELIVERY,
        TokenType.DATETIME,
        "Delivery: sent at",
        "When this try is sent, in UTC.",
        "2019-03-28T00:05:31.000Z",
        sent_at,
        is_suggested=False,
    ),
)
