"""Importing locations, campaigns and numbers: every fault by its cell, then all or nothing."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Account, Location
from apps.campaigns.models import Campaign, Import, TrackingNumber
from apps.campaigns.sheets import (
    cancel_import,
    confirm_import,
    export_rows,
    importing,
    start_import,
    work_imports,
)
from apps.common.models import AuditAction, AuditEntry
from apps.common.origin import ActorKind, Origin, acting
from tests.factories import (
    AccountFactory,
    CampaignFactory,
    GroupFactory,
    LocationFactory,
    TrackingNumberFactory,
    TreatmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


def start(account: Account, kind: str, text: str, **options: Any) -> Import:
    return start_import(
        account_id=account.pk,
        kind=kind,
        file_name=f"{kind}.csv",
        content=text.encode(),
        by=None,
        **options,
    )


def faults(imported: Import) -> list[tuple[int, str, str]]:
    return [(fault["row"], fault["column"], fault["code"]) for fault in imported.faults]


class TestLocations:
    def test_are_made_and_changed_by_the_accounts_own_id(self, account: Account) -> None:
        GroupFactory(account=account, name="West")
        known = LocationFactory(account=account, name="Old", city="A", client_location_id="7")
        imported = start(
            account,
            "locations",
            "client_location_id,name,group,active,country\n7,New name,West,no,\n8,Uptown,,,de\n",
        )
        assert (imported.created_count, imported.changed_count) == (1, 1)
        assert not Location.objects.filter(name="Uptown").exists(), "nothing before it is confirmed"
        assert confirm_import(imported=imported).state == Import.State.DONE
        known.refresh_from_db()
        assert (known.name, known.city, known.is_active) == ("New name", "A", False)
        assert str(known.group) == "West"
        made = Location.objects.get(client_location_id="8")
        assert (made.name, made.country, made.time_zone) == ("Uptown", "DE", "America/New_York")

    def test_are_changed_by_their_id(self, account: Account) -> None:
        location = LocationFactory(account=account, name="Stays", city="Chicago")
        imported = start(account, "locations", f"id,city\n{location.public_id},\n")
        confirm_import(imported=imported)
        location.refresh_from_db()
        assert (location.name, location.city) == ("Stays", "")

    def test_that_are_as_they_were_are_not_written(self, account: Account) -> None:
        LocationFactory(account=account, name="Same", client_location_id="7")
        imported = start(account, "locations", "client_location_id,name\n7,Same\n")
        before = AuditEntry.objects.filter(object_type="accounts.location").count()
        confirm_import(imported=imported)
        assert imported.unchanged_count == 1
        assert AuditEntry.objects.filter(object_type="accounts.location").count() == before

    def test_every_fault_is_told_by_row_and_column(self, account: Account) -> None:
        text = (
            "name,group,country,time_zone,active,client_location_id,id\n"
            ",None such,UK,Mars/One,perhaps,,\n"
            "Good,,US,UTC,yes,7,\n"
            f"{'x' * 121},,,,,,\n"
            "Again,,,,,7,\n"
            "Other,,,,,,loc_nonsense\n"
            "Other,,,,,," + Location(account=account).public_id + "\n"
        )
        imported = start(account, "locations", text)
        assert imported.state == Import.State.REFUSED
        assert faults(imported) == [
            (2, "name", "required"),
            (2, "group", "not_found"),
            (2, "country", "unknown_country"),
            (2, "time_zone", "unknown_time_zone"),
            (2, "active", "invalid_choice"),
            (4, "name", "max_length"),
            (5, "", "not_unique"),
            (6, "id", "not_found"),
            (7, "id", "not_found"),
        ]
        with pytest.raises(ValidationError, match="not ready"):
            confirm_import(imported=imported)
        assert not Location.objects.filter(account=account).exists()

    def test_of_other_accounts_do_not_exist(self, account: Account) -> None:
        theirs = LocationFactory(client_location_id="7", group=None)
        GroupFactory(name="Theirs")
        text = f"id,name,group,client_location_id\n{theirs.public_id},A,,\n,B,Theirs,\n,C,,7\n"
        imported = start(account, "locations", text)
        assert faults(imported) == [(2, "id", "not_found"), (3, "group", "not_found")]

    def test_a_wrong_header_hides_no_other_fault(self, account: Account) -> None:
        imported = start(account, "locations", "town,country\nA,US\nB,Germany\n")
        assert faults(imported) == [
            (1, "town", "unknown_column"),
            (1, "name", "missing_column"),
            (3, "country", "unknown_country"),
        ]

    def test_one_twice_is_refused(self, account: Account) -> None:
        location = LocationFactory(account=account)
        text = f"id,city\n{location.public_id},A\n{location.public_id},B\n"
        assert faults(start(account, "locations", text)) == [(3, "", "repeated_row")]


class TestCampaigns:
    def test_are_found_by_location_and_name(self, account: Account) -> None:
        location = LocationFactory(account=account, name="Downtown", client_location_id="7")
        known = CampaignFactory(account=account, location=location, name="Spring", tags={"a": "b"})
        text = (
            "location,name,kind,domain,tags\n"
            "7,Spring,digital,shop.example,Region=south; Tier=gold\n"
            "Downtown,Summer,,,\n"
            f"{location.public_id},Autumn,Offline,,\n"
        )
        imported = start(account, "campaigns", text)
        assert (imported.created_count, imported.changed_count, imported.faults) == (2, 1, [])
        confirm_import(imported=imported)
        known.refresh_from_db()
        assert (known.kind, known.tags) == ("digital", {"Region": "south", "Tier": "gold"})
        assert location.campaigns.count() == 3

    def test_faults(self, account: Account) -> None:
        one, _ = LocationFactory.create_batch(2, account=account, name="Twins")
        known = CampaignFactory(account=account, location=one)
        other = LocationFactory(account=account, name="Other")
        text = (
            "id,location,name,kind,tags\n"
            ",Nowhere,A,,\n"
            ",Twins,B,,\n"
            ",Other,C,print,no tags\n"
            f"{known.public_id},Other,D,,\n"
            f",Other,E,,a{'x' * 301}=b\n"
        )
        assert other.name == "Other"
        assert faults(start(account, "campaigns", text)) == [
            (2, "location", "not_found"),
            (3, "location", "ambiguous"),
            (4, "kind", "invalid_choice"),
            (4, "tags", "invalid"),
            (5, "location", "fixed"),
            (5, "kind", "invalid_choice"),
            (6, "tags", "invalid"),
        ]


class TestNumbers:
    def test_lead_to_campaigns_and_treatments_of_their_location(self, account: Account) -> None:
        location = LocationFactory(account=account, name="Downtown")
        campaign = CampaignFactory(account=account, location=location, name="Spring")
        treatment = TreatmentFactory(account=account, location=location, name="Menu")
        known = TrackingNumberFactory(
            account=account, location=location, number="+15550001111", campaign=campaign
        )
        text = (
            "number;location;label;campaign;treatment\n"
            "'+15550001111;Downtown;Main;;Menu\n"
            "+15550002222;Downtown;;Spring;\n"
        )
        confirm_import(imported=start(account, "numbers", text))
        known.refresh_from_db()
        assert (known.label, known.campaign, known.treatment) == ("Main", None, treatment)
        assert TrackingNumber.objects.get(number="+15550002222").campaign == campaign

    def test_faults(self, account: Account) -> None:
        here, there = (LocationFactory(account=account, name=name) for name in ("Here", "There"))
        campaign = CampaignFactory(account=account, location=there, name="Theirs")
        known = TrackingNumberFactory(account=account, location=there, campaign=campaign)
        text = (
            "number,location,campaign\n15551234567,Here,\n+15551234567,Here,Theirs\n"
            "+15551234568,Nowhere,Theirs\n+15551234569,,\n"
        )
        assert faults(start(account, "numbers", text)) == [
            (2, "number", "invalid"),
            (3, "campaign", "not_found"),
            (4, "location", "not_found"),
            (5, "location", "required"),
        ]
        moved = start(account, "numbers", f"id,location\n{known.public_id},Here\n")
        assert faults(moved) == [(2, "campaign", "invalid")]
        assert here.name == "Here"


class TestAllOrNothing:
    def test_what_changed_since_the_check_is_found(self, account: Account) -> None:
        imported = start(account, "locations", "name,client_location_id,group\nA,7,\nB,8,West\n")
        assert faults(imported) == [(3, "group", "not_found")]
        group = GroupFactory(account=account, name="West")
        imported = start(account, "locations", "name,client_location_id,group\nA,7,\nB,8,West\n")
        group.delete()
        assert confirm_import(imported=imported).state == Import.State.REFUSED
        assert faults(imported) == [(3, "group", "not_found")]
        assert not Location.objects.filter(account=account).exists()

    def test_rows_that_take_each_others_place_are_refused(self, account: Account) -> None:
        one = LocationFactory(account=account, client_location_id="1")
        two = LocationFactory(account=account, client_location_id="2")
        text = f"id,client_location_id\n{one.public_id},2\n{two.public_id},1\n"
        imported = confirm_import(imported=start(account, "locations", text))
        assert faults(imported) == [(0, "", "conflict")]
        one.refresh_from_db()
        assert one.client_location_id == "1"

    def test_is_confirmed_once(self, account: Account) -> None:
        imported = start(account, "locations", "name\nA\n")
        stale = Import.objects.get(pk=imported.pk)
        confirm_import(imported=imported)
        with pytest.raises(ValidationError, match="not ready"):
            confirm_import(imported=stale)
        assert Location.objects.filter(account=account).count() == 1

    def test_asks_the_database_the_same_whatever_there_is(self, account: Account) -> None:
        def count(rows: int) -> int:
            text = "name,client_location_id\n" + "".join(f"N{n},{n}\n" for n in range(rows))
            with CaptureQueriesContext(connection) as asked:
                confirm_import(imported=start(account, "locations", text))
            return len(asked)

        assert count(2) == count(200)


class TestFiles:
    def test_are_kept_until_they_are_confirmed(self, account: Account) -> None:
        kept = [start(account, "locations", f"name\nN{n}\n") for n in range(importing.MOST_KEPT)]
        with pytest.raises(ValidationError, match="confirm or cancel one"):
            start(account, "locations", "name\nA\n")
        start(AccountFactory(), "locations", "name\nA\n")
        confirm_import(imported=kept[0])
        start(account, "locations", "name\nA\n")

    def test_with_faults_are_not_kept(self, account: Account) -> None:
        for _ in range(importing.MOST_KEPT + 1):
            refused = start(account, "locations", "name,country\nA,nowhere\n")
        refused.refresh_from_db()
        assert refused.state == Import.State.REFUSED
        assert bytes(refused.content) == b""
        assert refused.faults


class TestTheSweep:
    def test_checks_and_writes_large_files_for_who_asked(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "AT_ONCE", 1)
        who = UserFactory(full_name="Mia")
        with acting(Origin(ActorKind.USER, who.pk, "Mia", "admin", "203.0.113.7", "x", "req_1")):
            imported = start(account, "locations", "name\nA\nB\n")
        assert imported.state == Import.State.CHECKING
        work_imports()
        imported.refresh_from_db()
        assert (imported.state, imported.checked_count) == (Import.State.READY, 2)
        assert confirm_import(imported=imported).state == Import.State.WRITING
        work_imports()
        imported.refresh_from_db()
        assert (imported.state, bytes(imported.content)) == (Import.State.DONE, b"")
        for entry in AuditEntry.objects.filter(account=account, actor_id=who.pk):
            assert (entry.ip, entry.request_id) == ("203.0.113.7", "req_1")
        actions = AuditEntry.objects.filter(actor_id=who.pk).values_list("action", flat=True)
        assert sorted(actions) == ["created", "created", AuditAction.IMPORTED]

    def test_has_no_more_than_some_files_of_an_account_to_do(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "AT_ONCE", 0)
        for _ in range(importing.MOST_AT_WORK):
            start(account, "locations", "name\nA\n")
        with pytest.raises(ValidationError, match="wait for one of them"):
            start(account, "locations", "name\nA\n")
        start(AccountFactory(), "locations", "name\nA\n")

    def test_goes_on_after_a_file_that_fails(
        self,
        account: Account,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(importing, "AT_ONCE", 0)
        broken, well = (start(account, "locations", "name\nA\n") for _ in range(2))
        Import.objects.filter(pk=broken.pk).update(content=b"")

        work_imports()

        for imported in (broken, well):
            imported.refresh_from_db()
        assert (broken.state, well.state) == (Import.State.REFUSED, Import.State.READY)
        assert faults(broken) == [(0, "", "failed")]
        assert broken.public_id in caplog.text

    def test_leaves_for_the_next_time_what_there_is_no_time_for(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "AT_ONCE", 0)
        first, second = (start(account, "locations", "name\nA\n") for _ in range(2))
        for states in (["ready", "checking"], ["ready", "ready"]):
            work_imports(turn_s=0)
            for imported in (first, second):
                imported.refresh_from_db()
            assert [first.state, second.state] == states

    def test_leaves_what_was_cancelled_and_drops_old_files(self, account: Account) -> None:
        cancelled = cancel_import(imported=start(account, "locations", "name\nA\n"))
        old = start(account, "locations", "name\nB\n")
        Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(hours=25))
        work_imports()
        for imported in (cancelled, old):
            imported.refresh_from_db()
            assert imported.state == Import.State.CANCELLED
            assert bytes(imported.content) == b""
        assert not Location.objects.filter(account=account).exists()


class TestExport:
    @pytest.mark.parametrize(
        "tags", [{"a;b": "c"}, {"a=b": "c"}, {"a": "b; c=d"}, {"a": 1}, {"{a": "b"}, {"a": " b "}]
    )
    def test_keeps_tags_that_are_no_plain_names_and_values(
        self, account: Account, tags: dict[str, object]
    ) -> None:
        campaign = CampaignFactory(account=account, tags=tags)
        content = export_rows(kind="campaigns", rows=Campaign.objects.filter(pk=campaign.pk))
        again = start(account, "campaigns", content.decode("utf-8-sig"))
        assert (again.faults, again.unchanged_count) == ([], 1)

    def test_can_be_imported_again_and_changes_nothing(self, account: Account) -> None:
        location = LocationFactory(account=account, name="=Danger", client_location_id="-7")
        campaign = CampaignFactory(account=account, location=location, tags={"Region": "south"})
        TrackingNumberFactory(
            account=account, location=location, campaign=campaign, number="+15550001111"
        )
        for kind, model in (
            ("locations", Location),
            ("campaigns", Campaign),
            ("numbers", TrackingNumber),
        ):
            content = export_rows(kind=kind, rows=model.objects.filter(account=account))
            assert b"'" in content or kind == "campaigns"
            again = start(account, kind, content.decode("utf-8-sig"))
            assert (again.faults, again.unchanged_count) == ([], 1), kind

    def test_is_written_in_the_log(self, account: Account) -> None:
        LocationFactory(account=account)
        export_rows(kind="locations", rows=Location.objects.all())
        entry = AuditEntry.objects.get(action=AuditAction.EXPORTED)
        assert (entry.account, entry.note) == (account, "1 locations")
