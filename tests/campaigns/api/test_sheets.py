"""CSV files over the API: a dry run that lists every fault, and nothing written before the word."""

import pytest

from apps.accounts.models import Location, Scope
from apps.campaigns.models import Import
from apps.campaigns.sheets import importing, work_imports
from apps.common.access import Role
from apps.common.models import AuditAction, AuditEntry
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World
from tests.conftest import LogIn
from tests.factories import CampaignFactory, GroupFactory, LocationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account)


class TestAnImport:
    def test_writes_nothing_before_it_is_confirmed(self, api: Api) -> None:
        body = {"kind": "locations", "csv": "name,client_location_id\nNorth,7\nSouth,8\n"}
        made = good(api.post("/imports", body), 201)
        assert (made["state"], made["created_count"], made["faults"]) == ("ready", 2, [])
        assert not Location.objects.filter(name="North").exists()
        assert good(api.post(f"/imports/{made['id']}/confirm"))["state"] == "done"
        assert Location.objects.filter(name__in=["North", "South"]).count() == 2
        told = problem(api.post(f"/imports/{made['id']}/confirm"), 409, "not_ready")
        assert "done" in told["detail"]

    def test_lists_every_fault_by_row(self, api: Api, world: World) -> None:
        text = f"location,name,kind\nnowhere,,tv\n{world.location.public_id},A,digital\n"
        made = good(api.post("/imports", {"kind": "campaigns", "csv": text}), 201)
        assert made["state"] == "refused"
        assert [(each["row"], each["column"], each["code"]) for each in made["faults"]] == [
            (2, "location", "not_found"),
            (2, "name", "required"),
            (2, "kind", "invalid_choice"),
        ]
        (listed,) = good(api.get("/imports?state=refused"))["data"]
        assert (listed["fault_count"], "faults" in listed) == (3, False)

    def test_tells_how_far_a_large_one_has_come(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "AT_ONCE", 1)
        body = {"kind": "locations", "csv": "name\nNorth\nSouth\n"}
        at = f"/imports/{good(api.post('/imports', body), 201)['id']}"
        assert good(api.get(at))["state"] == "checking"
        work_imports()
        shown = good(api.get(at))
        assert (shown["state"], shown["checked_count"], shown["row_total"]) == ("ready", 2, 2)
        assert good(api.post(f"{at}/confirm"))["state"] == "writing"
        work_imports()
        assert good(api.get(at))["state"] == "done"
        assert Location.objects.filter(name="South").exists()

    def test_can_be_dropped(self, api: Api) -> None:
        made = good(api.post("/imports", {"kind": "locations", "csv": "name\nNorth\n"}), 201)
        assert good(api.post(f"/imports/{made['id']}/cancel"))["state"] == "cancelled"
        problem(api.post(f"/imports/{made['id']}/confirm"), 409, "not_ready")
        assert bytes(Import.objects.get().content) == b""

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"kind": "people", "csv": "name\n"}, "/kind"),
            ({"kind": "locations", "csv": ""}, "/csv"),
            ({"kind": "locations", "csv": "name\n"}, "/csv"),
            ({"kind": "locations", "csv": 'name\n"a\n'}, "/csv"),
            ({"kind": "locations", "csv": 'name\n"a', "file_name": ""}, "/file_name"),
            ({"kind": "locations"}, "/csv"),
        ],
        ids=str,
    )
    def test_says_what_is_no_file(self, api: Api, body: dict[str, str], pointer: str) -> None:
        assert faults(problem(api.post("/imports", body), 422, "invalid"))[0][0] == pointer

    def test_is_written_under_the_name_of_who_asked(self, api: Api, world: World) -> None:
        made = good(api.post("/imports", {"kind": "locations", "csv": "name\nNorth\n"}), 201)
        good(api.post(f"/imports/{made['id']}/confirm"))
        entry = AuditEntry.objects.get(action=AuditAction.IMPORTED)
        assert (entry.account, entry.actor_kind) == (world.account, "key")


class TestAnExport:
    def test_has_what_the_list_has_and_can_be_imported_again(self, api: Api, world: World) -> None:
        group = GroupFactory(account=world.account, name="West")
        LocationFactory(account=world.account, group=group, name="=Uptown")
        LocationFactory(account=world.account, name="Elsewhere")
        LocationFactory(name="Of others")
        response = api.get(f"/locations/export?group={group.public_id}")
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        text = response.content.decode("utf-8-sig")
        assert [line.split(",")[1] for line in text.splitlines()] == ["name", "'=Uptown"]
        again = good(api.post("/imports", {"kind": "locations", "csv": text}), 201)
        assert (again["state"], again["unchanged_count"]) == ("ready", 1)

    def test_leaves_an_entry_in_the_audit_log(self, world: World) -> None:
        CampaignFactory(account=world.account, location=world.location)
        api = api_for(world.account, Scope.READ)
        for name in ("campaigns", "tracking-numbers"):
            assert api.get(f"/{name}/export").status_code == 200
        notes = AuditEntry.objects.filter(action=AuditAction.EXPORTED).values_list(
            "note", flat=True
        )
        assert "2 campaigns" in set(notes) or "1 campaigns" in set(notes)

    def test_knows_the_filters_and_nothing_else(self, api: Api) -> None:
        assert api.get("/campaigns/export?kind=digital").status_code == 200
        for query in ("limit=5", "fields=name", "x=1"):
            problem(api.get(f"/campaigns/export?{query}"), 400, "invalid_parameter")


def test_a_viewer_imports_nothing(world: World, log_in: LogIn) -> None:
    api = Api(browser=log_in(account=world.account, role=Role.VIEWER))
    assert api.get("/locations/export").status_code == 200
    problem(api.get("/imports"), 403, "permission_denied")
    body = {"kind": "locations", "csv": "name\nNorth\n"}
    problem(api.post("/imports", body), 403, "permission_denied")
