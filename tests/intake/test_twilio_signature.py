"""Twilio's signature, against the examples that Twilio publishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intake.adapters.twilio_signature import is_signed, sign

TOKEN = "12345"
BODY = b'{"property": "value", "boolean": true}'
BODY_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


def form(caller: str) -> list[tuple[str, str]]:
    return [
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("From", caller),
        ("Caller", caller),
        ("CallSid", "CA1234567890ABCDE"),
    ]


def check(
    url: str,
    signature: str,
    parameters: list[tuple[str, str]] | None,
    body: bytes = b"",
    tokens: tuple[str, ...] = (TOKEN,),
) -> bool:
    return is_signed(url=url, form=parameters, body=body, signature=signature, tokens=tokens)


class TestPublishedExamples:
    """From twilio.com/docs/usage/security and the tests of Twilio's own libraries."""

    def test_the_one_of_the_documentation(self) -> None:
        url = "https://example.com/myapp.php?foo=1&bar=2"
        assert check(url, "L/OH5YylLD5NRKLltdqwSvS0BnU=", form("+14158675310"))

    def test_the_one_of_the_libraries(self) -> None:
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        assert check(url, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", form("+14158675309"))

    def test_a_body_in_json(self) -> None:
        url = f"https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={BODY_HASH}"
        assert check(url, "a9nBmqA0ju/hNViExpshrM61xv4=", None, BODY)

    def test_a_body_in_json_and_nothing_else_in_the_query(self) -> None:
        url = f"https://mycompany.com/myapp.php?bodySHA256={BODY_HASH}"
        assert check(url, "y77kIzt2vzLz71DgmJGsen2scGs=", None, BODY)

    def test_a_port_that_was_left_out_when_signing(self) -> None:
        url = "https://mycompany.com:1234/myapp.php?foo=1&bar=2"
        assert check(url, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", form("+14158675309"))

    def test_a_port_that_was_added_when_signing(self) -> None:
        url = "http://mycompany.com/myapp.php?foo=1&bar=2"
        assert check(url, "0ZXoZLH/DfblKGATFgpif+LLRf4=", form("+14158675309"))


class TestASignature:
    url = "https://example.com/myapp.php?foo=1&bar=2"
    signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="

    def test_fits_no_other_url(self) -> None:
        assert not check(self.url.replace("bar=2", "bar=3"), self.signature, form("+14158675310"))

    def test_fits_no_other_parameters(self) -> None:
        assert not check(self.url, self.signature, form("+14158675311"))
        assert not check(self.url, self.signature, [*form("+14158675310"), ("More", "1")])

    def test_fits_no_other_body(self) -> None:
        url = f"https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={BODY_HASH}"
        assert not check(url, "a9nBmqA0ju/hNViExpshrM61xv4=", None, BODY + b" ")
        assert not check(self.url, sign(self.url, [], token=TOKEN), None, BODY)

    def test_needs_a_token(self) -> None:
        assert not check(self.url, sign(self.url, [], token=""), [], tokens=("", ""))

    def test_may_be_made_with_either_token(self) -> None:
        assert check(self.url, self.signature, form("+14158675310"), tokens=("new", TOKEN))
        assert not check(self.url, self.signature, form("+14158675310"), tokens=("new", ""))

    @pytest.mark.parametrize("signature", ["", "nonsense", "é"])
    def test_is_not_anything(self, signature: str) -> None:
        assert not check(self.url, signature, form("+14158675310"))

    @given(st.text(), st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5))
    def test_is_true_of_what_was_signed(
        self, token: str, parameters: list[tuple[str, str]]
    ) -> None:
        signature = sign(self.url, parameters, token=token)
        assert is_signed(
            url=self.url, form=parameters, body=b"", signature=signature, tokens=[token]
        ) is bool(token)
