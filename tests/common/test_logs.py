"""What a log line looks like."""

import logging

from apps.common.logs import MOST_CHARACTERS, LineFormatter, RequestIdFilter, request_id


def line(level: int, message: str) -> str:
    record = logging.LogRecord("apps.room", level, "file.py", 1, message, None, None)
    RequestIdFilter().filter(record)
    return LineFormatter().format(record)[len("12:34:56 ") :]


class TestALogLine:
    def test_is_the_message_alone_when_all_is_well(self) -> None:
        assert line(logging.INFO, "Delivered.") == "Delivered."

    def test_says_how_grave_a_warning_is_and_where_it_comes_from(self) -> None:
        assert line(logging.WARNING, "Redis is away.") == "WARNING apps.room: Redis is away."

    def test_names_the_request_that_caused_it(self) -> None:
        token = request_id.set("req_1")
        try:
            assert line(logging.INFO, "Taken.") == "Taken. [req_1]"
        finally:
            request_id.reset(token)

    def test_stays_one_line_whatever_was_sent(self) -> None:
        assert line(logging.INFO, "call evil\n12:00:00 FORGED\x1b[31m") == (
            "call evil\\n12:00:00 FORGED\\x1b[31m"
        )

    def test_has_an_end_whatever_was_sent(self) -> None:
        assert line(logging.INFO, "x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
        for endless in ("x" * (MOST_CHARACTERS + 1), "x" * 60_000, "\n" * 60_000):
            told = line(logging.INFO, endless)
            assert told.endswith("…")
            assert len(told) == MOST_CHARACTERS + 1
