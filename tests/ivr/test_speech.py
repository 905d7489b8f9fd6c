"""What a receiver writes, as it is read to a caller."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ivr.decisions import AnswerFault
from apps.ivr.speech import MAX_CHARS, bounded, speakable

# Text that means the same as HTML and as plain text.
PLAIN = st.text(st.characters(exclude_characters="&<", codec="utf-8"), max_size=300)


class TestSpeakableText:
    @pytest.mark.parametrize(
        ("body", "content_type", "said"),
        [
            ("Hello Bill", "text/plain", "Hello Bill"),
            ("Hello\r\n  Bill,\thow are you?", "", "Hello Bill, how are you?"),
            ("Tom &amp; Jerry&#39;s &pound;5 &lt; 6", "text/plain", "Tom & Jerry's £5 < 6"),
            ("a < b and c > d", "text/plain", "a < b and c > d"),
            (
                "<html><head><title>Title</title><style>p {}</style></head><body><h1>Your"
                " <b>bal</b>ance</h1><p>It is &pound;5<br>and rising<script>alert(1)</script>!</p>"
                "<p hidden>not this</p><!-- nor this --><noscript>nor that</noscript></body>",
                "text/html; charset=utf-8",
                "Your balance. It is £5 and rising!",
            ),
            ("<p>Sent as plain text</p>", "text/plain", "Sent as plain text"),
            ("<ul><li>One</li><li>Two.</li><li>Three</li></ul>", "text/html", "One. Two. Three"),
            ('<?xml version="1.0" encoding="utf-8"?><p>Hi</p>', "application/xhtml+xml", "Hi"),
            ("in\u200bvisible\u202e \x07bell", "text/plain", "invisible bell"),
        ],
    )
    def test_is_what_a_person_would_read(self, body: str, content_type: str, said: str) -> None:
        assert speakable(body.encode(), content_type) == said

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("café".encode(), "text/plain; charset=utf-8"),
            ("café".encode(), ""),
            ("café".encode("latin-1"), 'text/plain; charset="ISO-8859-1"'),
            ("café".encode("latin-1"), "text/plain"),
            ("café".encode("utf-16"), "text/plain; charset=utf-8"),
            ("\ufeffcafé".encode(), "text/plain"),
            (b"<meta charset=latin1><p>caf\xe9", "text/html"),
            (b"caf&eacute;", "text/html"),
            ("cafe\u0301".encode(), "text/plain"),
        ],
    )
    def test_knows_encodings(self, body: bytes, content_type: str) -> None:
        assert speakable(body, content_type) == "café"

    @pytest.mark.parametrize(
        ("body", "content_type", "why"),
        [
            (b"", "text/plain", "no text"),
            (b" \n\t", "", "no text"),
            (b"<script>alert(1)</script>", "text/html", "no text"),
            (b"<div>" * 13_000 + b"deep", "text/html", "no text"),
            (b"caf\xe9", "text/plain; charset=utf-8", "is utf-8, and is not"),
            (b"hello", "text/plain; charset=klingon", "is not known"),
            (b"68656c6c6f", "text/plain; charset=hex", "is not known"),
            (b"hello", "text/plain; charset=idna", "is not known"),
            (b"&#" + b"1" * 5_000 + b";", "text/plain", "no character"),
            (b'{"say": "hello"}', "application/json", "is application/json"),
            (b"\x89PNG", "image/png", "is image/png"),
        ],
    )
    def test_refuses_what_can_not_be_read(self, body: bytes, content_type: str, why: str) -> None:
        with pytest.raises(AnswerFault, match=why):
            speakable(body, content_type)

    def test_is_cut_between_words(self) -> None:
        text = speakable(("word " * 2_000).encode(), "")
        assert MAX_CHARS - 5 < len(text) <= MAX_CHARS
        assert text.endswith("word")
        assert len(bounded("x" * 9_000)) == MAX_CHARS

    @given(st.binary(max_size=500), st.sampled_from(["", "text/html", "text/plain;charset=utf-16"]))
    def test_is_clean_or_refused_whatever_comes(self, body: bytes, content_type: str) -> None:
        try:
            text = speakable(body, content_type)
        except AnswerFault:
            return
        assert 0 < len(text) <= MAX_CHARS
        assert text == " ".join(text.split())
        assert not any(unicodedata.category(character)[0] == "C" for character in text)

    @given(PLAIN)
    def test_is_the_same_when_it_is_read_again(self, text: str) -> None:
        try:
            once = speakable(text.encode(), "text/plain; charset=utf-8")
        except AnswerFault:
            return
        assert speakable(once.encode(), "text/plain; charset=utf-8") == once
        assert speakable(once.encode(), "text/html; charset=utf-8") == once
