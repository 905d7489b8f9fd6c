"""What is found among deliveries, and by what."""

import pytest
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.delivery.admin import search
from apps.delivery.models import Delivery
from tests.conftest import LogIn
from tests.factories import AccountFactory, DeliveryFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def wanted(account: Account) -> Delivery:
    """One of two deliveries of the account; somebody else has one that is alike."""
    for owner in (account, AccountFactory()):
        wanted = {"call__caller": "+13105550111", "call__tracking_number": "+18005550122"}
        wanted |= {"call__external_id": "CA-77 x", "webhook__name": "Dealer CRM"}
        DeliveryFactory(account=owner, **wanted)
    other = {"call__caller": "+12125550133", "call__tracking_number": "+18005550144"}
    other |= {"call__external_id": "CA-88", "webhook__name": "Call log"}
    DeliveryFactory(account=account, **other)
    return Delivery.objects.get(account=account, webhook__name="Dealer CRM")


def found(log_in: LogIn, account: Account, text: str) -> set[Delivery]:
    page = log_in(account=account, role=Role.VIEWER).get(
        reverse("admin:delivery_delivery_changelist"), {"q": text}
    )
    return set(page.context["cl"].result_list)


# With so few calls that have a word, and as if there were more than are looked up.
@pytest.fixture(params=[2_000, 0], ids=["few", "many"], autouse=True)
def _most_calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_CALLS", request.param)


@pytest.mark.parametrize(
    "text",
    [
        *("dealer", "Dealer CRM", "dealer 5550111", "3105550111", "+18005550122", "ca-77"),
        *('"CA-77 x"', "'dealer crm' CA", " +1310  dealer "),
    ],
)
def test_each_word_is_one_of_the_webhook_or_of_the_call(
    log_in: LogIn, account: Account, wanted: Delivery, text: str
) -> None:
    assert found(log_in, account, text) == {wanted}


@pytest.mark.parametrize("text", ["nowhere", "dealer 88", '"CA x"', "msg_", "100%", "_"])
def test_nothing_else_is_found(
    log_in: LogIn, account: Account, wanted: Delivery, text: str
) -> None:
    assert found(log_in, account, text) == set()


@pytest.mark.parametrize("text", ["", "CA-", "+1"])
def test_what_all_have_finds_all(
    log_in: LogIn, account: Account, wanted: Delivery, text: str
) -> None:
    assert found(log_in, account, text) == set(Delivery.objects.filter(account=account))


def test_the_id_that_a_receiver_got_finds_its_delivery(
    log_in: LogIn, account: Account, wanted: Delivery
) -> None:
    assert found(log_in, account, f" {wanted.public_id} ") == {wanted}
    other = Delivery.objects.exclude(account=account).get()
    assert found(log_in, account, other.public_id) == set()
