"""What of an address is masked, and for whom."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.access import Access, ReachableAccount, Role
from apps.common.masking import MASK, is_secret_name, masked_url, shown_headers, shown_url

RANDOM = "aB3dE5gH7jK9mN1pQ3sT5vW7"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://a.example/mp?id=G-1&api_secret=s+%26",
            f"https://a.example/mp?id=G-1&api_secret={MASK}",
        ),
        (
            "https://a.example/p?token=a&x=1&sig=b",
            f"https://a.example/p?token={MASK}&x=1&sig={MASK}",
        ),
        ("https://a.example?api%5Fkey=a", f"https://a.example?api%5Fkey={MASK}"),
        ("https://a.example/?x=1;token=a;b", f"https://a.example/?x=1;token={MASK}"),
        ("https://a.example/?next=/?token=a&b=1", f"https://a.example/?next=/?token={MASK}&b=1"),
        ("https://a.example/?key=a?b=c", f"https://a.example/?key={MASK}"),
        ("https://me:pw@a.example/p", f"https://{MASK}@a.example/p"),
        (f"https://a.example/services/T1/{RANDOM}", f"https://a.example/services/T1/{MASK}"),
        ("https://a.example/0123456789abcdef0123", f"https://a.example/{MASK}"),
        (f"https://a.example/{uuid.UUID(int=1)}/x", f"https://a.example/{MASK}/x"),
        (f"https://a.example/?{RANDOM}", f"https://a.example/?{MASK}"),
        ("https://a.example/p?x=1#part", f"https://a.example/p?x=1#{MASK}"),
        (f"/other?key={RANDOM}", f"/other?key={MASK}"),
    ],
)
def test_credentials_are_masked(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no address",
        "https://a.example",
        "https://a.example:8443/hooks/lead-capture-webhook-v2?client_id=1234&phone=7776734736",
        "https://a.example/?gclid=EAIaIQobChMIabc123XYZ&keyword=roofer&zip_code=90210",
        f"https://{RANDOM.lower()}.a.example/p",
        "https://a.example/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    ],
)
def test_the_rest_stays(url: str) -> None:
    assert masked_url(url) == url


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "hapikey",
        "access_token",
        "clientSecret",
        "pwd",
        "password",
        "Signature",
        "sig",
        "auth",
        "code",
        "subscription-key",
        "authtoken",
        "api%5Fkey",
    ],
)
def test_a_name_tells_a_credential(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "phone",
        "keyword",
        "zip_code",
        "area_code",
        "sid",
        "client_id",
        "session_id",
        "author",
        "passenger",
        "design",
        "measurement_id",
        "st_campaign",
        "signed_up_at",
        "pinned",
        "%",
    ],
)
def test_a_name_tells_no_credential(name: str) -> None:
    assert not is_secret_name(name)


@given(st.text())
def test_masking_twice_changes_nothing_and_nothing_breaks_it(text: str) -> None:
    assert masked_url(masked_url(text)) == masked_url(text)


@given(st.text(alphabet=st.characters(exclude_characters="&#")), st.sampled_from("?&;"))
def test_no_value_of_a_secret_gets_through(value: str, sign: str) -> None:
    marked = f"{value}hush{value}"
    assert "hush" not in masked_url(f"https://a.example/p?x=1{sign}api_key={marked}")


class TestWhoSees:
    URL = "https://a.example/?key=hush"

    @staticmethod
    def access(role: Role) -> tuple[Access, uuid.UUID]:
        key = uuid.uuid4()
        return Access(accounts={key: ReachableAccount(key, "A", False, role)}), key

    @pytest.mark.parametrize(
        ("role", "sees"), [(Role.VIEWER, False), (Role.MEMBER, True), (Role.ADMIN, True)]
    )
    def test_members_see_the_whole(self, role: Role, sees: bool) -> None:
        access, key = self.access(role)
        assert ("hush" in shown_url(self.URL, key, access)) is sees
        headers = shown_headers([["Location", self.URL], ["Server", "key=1"]], key, access)
        assert ("hush" in headers[0][1], headers[1]) == (sees, ("Server", "key=1"))

    def test_nobody_sees_that_of_another_account(self) -> None:
        access, _ = self.access(Role.OWNER)
        assert "hush" not in shown_url(self.URL, uuid.uuid4(), access)
        assert "hush" not in shown_url(self.URL, None, access)
