"""Finding where an event happened: by number, location, campaign, treatment and option."""

from typing import Any

import pytest

from apps.accounts.access import access_of_key
from apps.accounts.models import Location
from apps.calls.models import Call
from apps.campaigns.models import Campaign, TrackingNumber, Treatment, TreatmentOption
from apps.intake.services import Receipt, accept_events
from tests.builders import World, event, make_world, new_number

pytestmark = pytest.mark.django_db


def take(world: World, *bodies: dict[str, Any]) -> Receipt:
    return accept_events(access=access_of_key(world.key), bodies=bodies)


def place(world: World, **fields: Any) -> Call:
    """Take one event in that must be accepted; return its call."""
    receipt = take(world, event(world, **fields))
    assert not receipt.rejected, receipt.rejected
    return Call.objects.get(pk=receipt.accepted[0][1].call.pk)


def refuse(world: World, **fields: Any) -> tuple[str, str]:
    """Take one event in that must be rejected; return the pointer and the message."""
    (rejection,) = take(world, event(world, **fields)).rejected
    assert not Call.objects.filter(events=None).exists()
    assert rejection.code == f"unknown_{rejection.pointer[1:]}"
    return rejection.pointer, rejection.message


def options_of(call: Call) -> list[str]:
    keys = {option.pk: option for option in TreatmentOption.objects.all()}
    return [keys[key].label for key in call.option_keys]


@pytest.fixture
def branch(world: World) -> Location:
    return Location.objects.create(
        account=world.account, name="Branch", client_location_id="3242243"
    )


@pytest.fixture
def stranger(db: None) -> World:
    return make_world("Stranger")


class TestATrackingNumber:
    def test_brings_its_location_and_campaign(self, world: World) -> None:
        call = place(world)

        assert (call.location, call.campaign_key) == (world.location, world.campaign.pk)
        assert call.tracking_number == world.number.number
        assert call.snapshot["campaign"]["name"] == "Spring"
        assert call.snapshot["tags"] == {"Region": "south"}
        assert call.snapshot["location"]["name"] == "Acme"

    def test_brings_its_treatment(self, world: World) -> None:
        call = place(world, tracking_number=world.menu_number.number)

        assert call.treatment_keys == [world.menu.pk]
        assert call.snapshot["treatment"] == {"id": world.menu.public_id, "name": "Menu"}

    def test_nobody_has_is_unknown(self, world: World) -> None:
        assert refuse(world, tracking_number="+15550009999") == (
            "/tracking_number",
            "There is no tracking number +15550009999.",
        )

    def test_of_another_account_is_as_unknown(self, world: World, stranger: World) -> None:
        number = stranger.number.number
        assert refuse(world, tracking_number=number) == (
            "/tracking_number",
            f"There is no tracking number {number}.",
        )

    def test_of_several_clients_needs_the_location(self, db: None) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        one, two = (make_world(name, parent=agency.account) for name in ("One", "Two"))
        number = new_number()
        for client in (one, two):
            TrackingNumber.objects.create(
                account=client.account, location=client.location, number=number
            )

        pointer, message = refuse(agency, tracking_number=number)
        assert (pointer, "several accounts" in message) == ("/tracking_number", True)
        call = place(agency, tracking_number=number, location=two.location.public_id)
        assert call.account == two.account
        assert refuse(agency, tracking_number=number, location=agency.location.public_id)[0] == (
            "/location"
        )

    def test_must_be_of_the_location_that_is_named(self, world: World, branch: Location) -> None:
        assert refuse(world, location=branch.public_id) == (
            "/location",
            f"There is no location {branch.public_id} with the number {world.number.number}.",
        )


class TestALocation:
    def test_is_named_by_its_id_or_the_clients(self, world: World, branch: Location) -> None:
        for number, name in enumerate((branch.public_id, "3242243", 3242243)):
            call = place(world, call_id=f"c{number}", tracking_number=None, location=name)
            assert call.location == branch

    def test_nobody_has_is_unknown(self, world: World) -> None:
        for name in ("nowhere", "loc_00000000000000000000000000", "loc_!", "acc_1"):
            assert refuse(world, tracking_number=None, location=name) == (
                "/location",
                f"There is no location {name}.",
            )

    def test_of_another_account_is_as_unknown(self, world: World, stranger: World) -> None:
        Location.objects.filter(pk=stranger.location.pk).update(client_location_id="77")
        for name in (stranger.location.public_id, "77"):
            assert refuse(world, tracking_number=None, location=name) == (
                "/location",
                f"There is no location {name}.",
            )

    def test_of_several_clients_by_the_same_id_needs_our_id(self, db: None) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        clients = [make_world(name, parent=agency.account) for name in ("One", "Two")]
        Location.objects.filter(account__parent=agency.account).update(client_location_id="7")

        pointer, message = refuse(agency, tracking_number=None, location="7")
        assert (pointer, "use its loc_… id" in message) == ("/location", True)
        name = clients[1].location.public_id
        assert place(agency, tracking_number=None, location=name).account == clients[1].account

    def test_may_be_left_out_once_the_call_is_known(self, world: World) -> None:
        place(world, call_id="c1")

        assert place(world, call_id="c1", tracking_number=None).events.count() == 2
        assert refuse(world, call_id="c2", tracking_number=None)[0] == "/tracking_number"

    def test_can_not_be_left_out_when_two_accounts_know_the_call(self, db: None) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        client = make_world("Client", parent=agency.account)
        place(agency, call_id="c1")
        place(client, call_id="c1")

        pointer, message = refuse(agency, call_id="c1", tracking_number=None)
        assert (pointer, "Several accounts" in message) == ("/location", True)
        assert place(client, call_id="c1", tracking_number=None).account == client.account


class TestACampaign:
    def test_is_named_by_id_or_name_and_outranks_the_numbers(self, world: World) -> None:
        summer = Campaign.objects.create(
            account=world.account, location=world.location, name="Summer"
        )
        for number, name in enumerate((summer.public_id, "Summer", "SUMMER")):
            assert place(world, call_id=f"c{number}", campaign=name).campaign_key == summer.pk

    def test_of_another_location_is_unknown(self, world: World, branch: Location) -> None:
        Campaign.objects.create(account=world.account, location=branch, name="Summer")

        assert refuse(world, campaign="Summer") == (
            "/campaign",
            "Acme has no campaign Summer.",
        )


class TestATreatment:
    def test_is_named_by_id_or_name(self, world: World) -> None:
        for number, name in enumerate((world.menu.public_id, "Menu", "menu")):
            assert place(world, call_id=f"c{number}", treatment=name).treatment_keys == [
                world.menu.pk
            ]

    def test_of_another_account_is_unknown(self, world: World, stranger: World) -> None:
        assert refuse(world, treatment=stranger.menu.public_id)[0] == "/treatment"


class TestAnOption:
    @pytest.mark.parametrize("name", ["1", 1, "Sales", " sales ", "public_id"])
    def test_is_named_by_key_label_or_id(self, world: World, name: Any) -> None:
        if name == "public_id":
            name = world.sales.public_id
        call = place(world, tracking_number=world.menu_number.number, option=name)

        assert options_of(call) == ["Sales"]
        assert call.snapshot["options"][0]["label"] == "Sales"

    def test_that_is_not_set_up_is_kept_with_the_call(self, world: World) -> None:
        call = place(world, tracking_number=world.menu_number.number, option="9")

        assert call.option_keys == []
        (option,) = call.snapshot["options"]
        assert (option["key"], option["label"]) == (None, "9")

    def test_needs_no_treatment_where_one_alone_has_it(self, world: World) -> None:
        assert options_of(place(world, option="Parts")) == ["Parts"]

    @pytest.fixture
    def night(self, world: World) -> Treatment:
        """A second menu, which has a 1 too."""
        night = Treatment.objects.create(
            account=world.account, location=world.location, name="Night"
        )
        TreatmentOption.objects.create(
            account=world.account, treatment=night, key="1", label="Emergency"
        )
        return night

    def test_that_two_treatments_have_needs_the_treatment(
        self, world: World, night: Treatment
    ) -> None:
        assert options_of(place(world, call_id="c1", option="1")) == []
        assert options_of(place(world, call_id="c2", option="1", treatment="Night")) == [
            "Emergency"
        ]

    def test_is_of_the_treatment_that_its_call_is_in(self, world: World, night: Treatment) -> None:
        place(world, call_id="c1", tracking_number=world.menu_number.number)
        place(world, call_id="c2", treatment="Night")
        pressed = {"type": "call.option_reached", "option": "1", "tracking_number": None}

        assert options_of(place(world, call_id="c1", **pressed)) == ["Sales"]
        assert options_of(place(world, call_id="c2", **pressed)) == ["Emergency"]
        at_number = {**pressed, "tracking_number": world.number.number}
        assert options_of(place(world, call_id="c2", **at_number)) == ["Emergency"]

    def test_is_of_the_treatment_that_its_batch_tells(self, world: World, night: Treatment) -> None:
        take(
            world,
            event(None, call_id="c1", type="call.option_reached", option="1"),
            event(None, call_id="c1", tracking_number=world.menu_number.number),
        )

        assert options_of(Call.objects.get()) == ["Sales"]


class TestAnAgency:
    def test_reaches_its_clients_places(self, db: None) -> None:
        agency = make_world("Agency", kind="agency")  # type: ignore[arg-type]
        client = make_world("Client", parent=agency.account)

        assert place(agency, tracking_number=client.number.number).account == client.account
        assert refuse(client, tracking_number=agency.number.number)[0] == "/tracking_number"
