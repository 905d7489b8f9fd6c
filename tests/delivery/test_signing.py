import base64
import hashlib
import hmac
import time

import pytest
import standardwebhooks
from hypothesis import example, given
from hypothesis import strategies as st

from apps.delivery.signing import HexScheme, InvalidSignature, sign, sign_hex, verify
from apps.webhooks.secrets import InvalidSecret, Secret, parse_secret
from tests.builders import new_secret

BODY = b'{"caller": "Jos\xc3\xa9"}'
SECRETS = st.binary(min_size=24, max_size=64).map(Secret)


def signed(*secrets: Secret, body: bytes = BODY, timestamp: int | None = None) -> dict[str, str]:
    now = int(time.time()) if timestamp is None else timestamp
    return sign(secrets, message_id="dlv_1", timestamp=now, body=body)


class TestStandardWebhooks:
    def test_makes_the_signature_of_the_specification(self) -> None:
        # The example of the specification's reference libraries.
        secret = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        headers = sign(
            [secret],
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )
        assert headers == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    @given(SECRETS, st.text(alphabet=st.characters(exclude_categories=["Cs"])))
    def test_satisfies_the_official_library(self, secret: Secret, text: str) -> None:
        body = text.encode()
        headers = signed(secret, body=body)
        standardwebhooks.Webhook(secret.text).verify(body, headers, json_parse=False)

    def test_satisfies_it_before_during_and_after_a_rotation(self) -> None:
        old, new, stranger = new_secret(), new_secret(), new_secret()
        before, during, after = signed(old), signed(new, old), signed(new)
        for secret, headers in ((old, before), (old, during), (new, during), (new, after)):
            standardwebhooks.Webhook(secret.text).verify(BODY, headers)
        for secret, headers in ((new, before), (old, after), (stranger, during)):
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook(secret.text).verify(BODY, headers)

    def test_signs_with_every_secret_the_first_first(self) -> None:
        old, new = new_secret(), new_secret()
        both = signed(new, old, timestamp=5)["webhook-signature"].split(" ")
        assert both == [
            signed(new, timestamp=5)["webhook-signature"],
            signed(old, timestamp=5)["webhook-signature"],
        ]

    @pytest.mark.parametrize("message_id", ["", "a.b", "dlv_1.2"])
    def test_refuses_an_id_that_could_be_read_in_two_ways(self, message_id: str) -> None:
        with pytest.raises(ValueError, match="full stop"):
            sign([new_secret()], message_id=message_id, timestamp=1, body=BODY)

    def test_refuses_to_sign_with_nothing(self) -> None:
        with pytest.raises(ValueError, match="at least one secret"):
            sign([], message_id="dlv_1", timestamp=1, body=BODY)


class TestVerify:
    @given(SECRETS, SECRETS, st.binary())
    def test_accepts_what_sign_makes(self, first: Secret, second: Secret, body: bytes) -> None:
        headers = signed(first, second, body=body, timestamp=1000)
        for secret in (first, second):
            verify([secret], headers=headers, body=body, now=1000)
        verify([new_secret(), second], headers=headers, body=body, now=1000)

    def test_reads_header_names_in_any_case(self) -> None:
        secret = new_secret()
        headers = {name.title(): value for name, value in signed(secret, timestamp=5).items()}
        verify([secret], headers=headers, body=BODY, now=5)

    def test_skips_signatures_of_other_versions(self) -> None:
        secret = new_secret()
        headers = signed(secret, timestamp=5)
        headers["webhook-signature"] = f"v1a,zzz v2,é {headers['webhook-signature']}"
        verify([secret], headers=headers, body=BODY, now=5)

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_names_a_missing_header(self, name: str) -> None:
        headers = signed(new_secret())
        del headers[name]
        with pytest.raises(InvalidSignature, match=name):
            verify([new_secret()], headers=headers, body=BODY, now=0)

    @pytest.mark.parametrize(
        "change",
        [
            {"webhook-id": "dlv_2"},
            {"webhook-timestamp": "1001"},
            {"webhook-signature": "v1,AAAA"},
            {"webhook-signature": ""},
            {"webhook-signature": "v1,é"},
            {"webhook-id": "dlv_\udc80"},
        ],
    )
    def test_refuses_any_change(self, change: dict[str, str]) -> None:
        secret = new_secret()
        headers = signed(secret, timestamp=1000) | change
        with pytest.raises(InvalidSignature, match="No signature matches"):
            verify([secret], headers=headers, body=BODY, now=1000)

    def test_refuses_another_body(self) -> None:
        secret = new_secret()
        with pytest.raises(InvalidSignature):
            verify([secret], headers=signed(secret, timestamp=5), body=BODY + b" ", now=5)

    @pytest.mark.parametrize(
        ("now", "fine"), [(700, True), (1300, True), (699, False), (1301, False)]
    )
    def test_allows_five_minutes_between_the_clocks(self, now: int, fine: bool) -> None:
        secret = new_secret()
        headers = signed(secret, timestamp=1000)
        if fine:
            verify([secret], headers=headers, body=BODY, now=now)
        else:
            with pytest.raises(InvalidSignature, match="5 minutes"):
                verify([secret], headers=headers, body=BODY, now=now)

    @pytest.mark.parametrize("text", ["", "now", "-5", "1e3", "٣", "9" * 5000, "5.0"])
    def test_refuses_a_timestamp_that_is_no_number(self, text: str) -> None:
        headers = signed(new_secret()) | {"webhook-timestamp": text}
        with pytest.raises(InvalidSignature, match="not a number"):
            verify([new_secret()], headers=headers, body=BODY, now=5)


class TestSecret:
    def test_is_new_every_time_and_long_enough(self) -> None:
        secrets = {new_secret().text for _ in range(100)}
        assert len(secrets) == 100
        assert all(text.startswith("whsec_") and len(text) == 50 for text in secrets)

    def test_does_not_show_in_a_log(self) -> None:
        secret = new_secret()
        assert repr(secret) == "Secret()"
        assert secret.text not in str(secret)

    @given(SECRETS)
    def test_is_read_back_from_its_text(self, secret: Secret) -> None:
        assert parse_secret(secret.text) == secret

    @given(SECRETS)
    def test_is_read_without_prefix_padding_and_with_spaces_around(self, secret: Secret) -> None:
        bare = base64.b64encode(secret.key).decode()
        for text in (bare, bare.rstrip("="), f"  {secret.text}\n", secret.text.rstrip("=")):
            assert parse_secret(text) == secret

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "empty"),
            ("whsec_", "empty"),
            ("   ", "empty"),
            ("whsec_not base64!", "not base64"),
            ("whsec_é", "not base64"),
            ("whsec_A", "not base64"),
            ("whsec_====", "holds 0 bytes"),
            ("whsec_c2hvcnQ=", "holds 5 bytes"),
            ("whsec_" + base64.b64encode(bytes(23)).decode(), "holds 23 bytes"),
            ("whsec_" + base64.b64encode(bytes(65)).decode(), "holds 65 bytes"),
        ],
    )
    def test_is_refused_with_a_reason(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidSecret, match=reason) as caught:
            parse_secret(text)
        assert len(text) < 10 or text.removeprefix("whsec_") not in str(caught.value)

    @given(st.text())
    def test_is_refused_with_no_other_error(self, text: str) -> None:
        try:
            parse_secret(text)
        except InvalidSecret:
            return


class TestHexScheme:
    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.binary())
    @example("söcret", BODY)
    def test_signs_the_body_with_the_text_of_the_secret(self, secret: str, body: bytes) -> None:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        signed = sign_hex(HexScheme("X-Signature"), secret=secret, body=body)
        assert signed == {"X-Signature": f"sha256={digest}"}
        capitals = sign_hex(HexScheme("X-Signature", uppercase=True), secret=secret, body=body)
        assert capitals == {"X-Signature": f"sha256={digest.upper()}"}

    def test_names_its_key_when_asked(self) -> None:
        scheme = HexScheme("X-Signature", key_id_header="X-Key-Id", key_id="k2")
        assert sign_hex(scheme, secret="s", body=BODY)["X-Key-Id"] == "k2"
        without_id = HexScheme("X-Signature", key_id_header="X-Key-Id")
        assert list(sign_hex(without_id, secret="s", body=BODY)) == ["X-Signature"]
