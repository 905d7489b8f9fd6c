"""Answers that are followed by more than belongs to them, taken as other clients take them.

A receiver that counts characters where bytes are meant says too short a Content-Length as soon as a
name has an accent; others send a body along with a 204. The request has arrived, and the answer is
there: what comes behind it is dropped, with the connection.
"""

from typing import TYPE_CHECKING, Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

if TYPE_CHECKING:
    from aiohttp.http_parser import RawResponseMessage
    from aiohttp.streams import StreamReader

_END_OF_HEAD = b"\r\n\r\n"
_NO_BODY = frozenset({204, 304})


class AnswerHandler(ResponseHandler):
    """aiohttp's parser gives up an answer for what comes behind it, in the same packet.

    Then the packet is read again, each head by itself, and what is complete counts.
    """

    _parameters: dict[str, Any]
    # What came first since the request, while it is read.
    _first: bytes | None = None
    _is_new = False

    def set_response_params(self, **parameters: Any) -> None:
        """Expect the answer to a new request."""
        self._parameters, self._is_new = parameters, True
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        if self._is_new:
            self._first, self._is_new = data, False
            super().data_received(data)
            self._first = None
        else:
            super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Give up, unless a complete answer is there all the same."""
        first, self._first = self._first, None
        if first is not None and isinstance(exc, HttpProcessingError):
            answer = self._complete(first)
            if answer is not None:
                self._should_close = True
                self.feed_data(answer, 0)
                return
        super().set_exception(exc, *cause)

    def _complete(self, data: bytes) -> "tuple[RawResponseMessage, StreamReader] | None":
        """Return the final answer in a packet, if it is whole and something follows."""
        super().set_response_params(**self._parameters)
        message: RawResponseMessage | None = None
        rest = data
        try:
            while message is None or message.code < 200:
                head, end, rest = rest.partition(_END_OF_HEAD)
                if not end:
                    return None
                ((message, content),), _, _ = self._parser.feed_data(head + end)  # type: ignore[union-attr]
        except (HttpProcessingError, ValueError):
            return None
        if message.code in _NO_BODY or self._skip_payload:
            return message, EMPTY_PAYLOAD
        try:
            self._parser.feed_data(rest)  # type: ignore[union-attr]
        except HttpProcessingError:
            return (message, content) if content.is_eof() else None
        return None
