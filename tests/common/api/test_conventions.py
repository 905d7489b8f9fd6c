"""What every endpoint of rows has in common: pages, filters, fields, states of rows."""

import datetime as dt
from urllib.parse import quote

import pytest

from apps.accounts.models import AccountKind
from apps.common.access import Role
from apps.common.api.pagination import cursor_of
from apps.webhooks.models import Template
from tests.api_client import Api, api_for, faults, good, problem
from tests.builders import World, make_template, make_webhook, make_world
from tests.conftest import LogIn
from tests.factories import GroupFactory, TemplateFactory

pytestmark = pytest.mark.django_db

KEY = "01a1ff1f-5bb6-7448-9048-132f12be764d"
CURSOR_WITH_NUL = "WyJuYW1lIiwgImFcdTAwMDAiLCAiMDFhMWZmMWYtNWJiNi03NDQ4LTkwNDgtMTMyZjEyYmU3NjRkIl0"


@pytest.fixture
def api(world: World) -> Api:
    return api_for(world.account)


class TestPages:
    def walk(self, api: Api, query: str) -> list[str]:
        names, cursor = [], ""
        while cursor is not None:
            page = good(api.get(f"/templates?limit=2&{query}&cursor={cursor}"))
            names += [each["name"] for each in page["data"]]
            assert len(page["data"]) <= 2
            cursor = page["next_cursor"]
        return names

    @pytest.mark.parametrize("order", ["name", "-name", "created_at", "-created_at"])
    def test_hold_every_row_once(self, api: Api, world: World, order: str) -> None:
        for name in ("C", "a", "B"):
            TemplateFactory(account=world.account, name=name)
        wanted = Template.objects.filter(account=world.account).order_by(order)
        assert self.walk(api, f"order={order}") == [str(each) for each in wanted]

    def test_stay_in_place_while_rows_come_and_go(self, api: Api, world: World) -> None:
        rows = [TemplateFactory(account=world.account, name=f"n{number}") for number in range(6)]
        first = good(api.get("/templates?limit=3&order=name"))
        for row in rows:
            if row.public_id == first["data"][-1]["id"]:
                Template.objects.filter(pk=row.pk).update(current_version=None)
                row.delete()
        TemplateFactory(account=world.account, name="A first")
        second = good(api.get(f"/templates?limit=3&order=name&cursor={first['next_cursor']}"))
        assert [each["name"] for each in second["data"]] == ["n1", "n2", "n3"]

    def test_tell_rows_of_the_same_moment_apart(self, api: Api, world: World) -> None:
        TemplateFactory.create_batch(5, account=world.account)
        moment = Template.objects.filter(account=world.account).latest("created_at").created_at
        Template.objects.update(created_at=moment)
        assert len(set(self.walk(api, "order=-created_at"))) == 7

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=9999999999999999999", "limit"),
            ("limit=ten", "limit"),
            ("limit=%C2%B2", "limit"),
            ("order=sample", "order"),
            ("order=--name", "order"),
            ("cursor=x", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=%E2%82%AC", "cursor"),
            ("cursor=W10", "cursor"),
            ("cursor=WyItY3JlYXRlZF9hdCIsMSwyXQ", "cursor"),
            # ["name", "a\0", "01a1ff1f-…"]
            (f"order=name&cursor={CURSOR_WITH_NUL}", "cursor"),
            # Times that PostgreSQL can not read, or that UTC has not.
            (f"cursor={cursor_of('-created_at', '2026-01-01T00:00:00+23:59', KEY)}", "cursor"),
            (f"cursor={cursor_of('-created_at', '9999-12-31T23:59:59-10:00', KEY)}", "cursor"),
            (f"cursor={cursor_of('-created_at', '0001-01-01T00:00:00+10:00', KEY)}", "cursor"),
            (f"cursor={cursor_of('-created_at', '2026-01-01T00:00:00', KEY)}", "cursor"),
        ],
    )
    def test_refuse_what_they_can_not_read(self, api: Api, query: str, name: str) -> None:
        told = problem(api.get(f"/templates?{query}"), 400, "invalid_parameter")
        assert faults(told) == [(name, "invalid")]

    def test_refuse_a_cursor_of_another_order(self, api: Api) -> None:
        cursor = good(api.get("/templates?limit=1&order=name"))["next_cursor"]
        problem(api.get(f"/templates?cursor={cursor}"), 400, "invalid_parameter")


class TestFilters:
    def test_narrow_a_list(self, api: Api, world: World) -> None:
        group = GroupFactory(account=world.account)
        wanted = TemplateFactory(account=world.account, group=group)
        (found,) = good(api.get(f"/templates?group={group.public_id}"))["data"]
        assert found["id"] == wanted.public_id
        assert [each["name"] for each in good(api.get("/templates?name=xml"))["data"]] == [
            "XML lead"
        ]
        assert good(api.get("/templates?created_after=2100-01-01T00:00:00Z"))["data"] == []

    def test_know_nothing_of_others(self, api: Api) -> None:
        told = problem(api.get(f"/templates?group={GroupFactory().public_id}"), 404, "not_found")
        assert faults(told) == [("group", "not_found")]

    @pytest.mark.parametrize("name", ["created_after", "created_before"])
    def test_take_times_with_an_offset_only(self, api: Api, world: World, name: str) -> None:
        made = world.json.created_at.astimezone(dt.timezone(dt.timedelta(hours=5)))
        made = (made + dt.timedelta(seconds=-1 if name == "created_after" else 1)).isoformat()
        for written in (made, made.replace("T", " ")):
            assert good(api.get(f"/templates?{name}={quote(written)}"))["data"]
        for written, told in (
            ("2026-03-28T00:05:00", "needs an offset"),
            ("2026-03-28", "needs an offset"),
            ("2026-03-28T00:05:00+02:00", "%2B"),
            ("2026-03-28T25:05:00Z", "Write a time as"),
        ):
            refused = api.get(f"/templates?{name}={written}")
            (fault,) = problem(refused, 400, "invalid_parameter")["errors"]
            assert told in fault["message"], written

    @pytest.mark.parametrize(
        "query",
        [
            "format=yaml",
            "created_after=soon",
            "created_after=0001-01-01T00:00:00",
            "created_before=9999-12-31T23:59:59-23:59",
            "group=loc_1",
            "name=%00",
            "nmae=x",
            "account=acc_1",
            "fields=secret",
            "expand=account",
        ],
    )
    def test_refuse_what_they_can_not_read(self, api: Api, query: str) -> None:
        problem(api.get(f"/templates?{query}"), 400, "invalid_parameter")


class TestTimes:
    def test_are_utc_whatever_the_zone_of_the_account(self, api: Api, world: World) -> None:
        assert world.account.time_zone != "UTC"
        shown = good(api.get(f"/templates/{world.json.public_id}"))["created_at"]
        assert shown == world.json.created_at.isoformat().replace("+00:00", "Z")

    @pytest.mark.parametrize("time", ["2099-03-28T00:05:00", "2099-03-28"])
    def test_need_an_offset(self, api: Api, time: str) -> None:
        key = {"name": "N", "scopes": ["read"], "expires_at": time}
        told = problem(api.post("/api-keys", key), 422, "invalid")
        assert faults(told) == [("/expires_at", "no_offset")]


class TestFields:
    def test_are_those_that_are_asked_for(self, api: Api) -> None:
        for each in good(api.get("/templates?fields=name"))["data"]:
            assert set(each) == {"id", "name"}


class TestAccounts:
    def test_of_an_agency_are_reached_by_its_key(self) -> None:
        agency = make_world("Agency", kind=AccountKind.AGENCY)
        client, other = make_world("Client", parent=agency.account), make_world("Other")
        api = api_for(agency.account)
        assert len(good(api.get("/templates"))["data"]) == 4
        narrowed = good(api.get(f"/templates?account={client.account.public_id}"))["data"]
        assert {each["account"] for each in narrowed} == {client.account.public_id}
        problem(api.get(f"/templates?account={other.account.public_id}"), 404, "not_found")
        problem(api.get(f"/templates/{other.json.public_id}"), 404, "not_found")

    @pytest.mark.parametrize("id_", ["tpl_1", "x", "tpl_00000000000000000000000000", "%00", "wh_1"])
    def test_have_nothing_under_an_id_of_nobody(self, api: Api, id_: str) -> None:
        problem(api.get(f"/templates/{id_}"), 404, "not_found")


class TestSessions:
    def test_read_and_write_by_their_role(self, world: World, log_in: LogIn) -> None:
        viewer = Api(browser=log_in(account=world.account, role=Role.VIEWER))
        assert good(viewer.get("/templates"))["data"]
        problem(
            viewer.patch(f"/templates/{world.json.public_id}", {"name": "X"}),
            403,
            "permission_denied",
        )
        member = Api(browser=log_in(account=world.account, role=Role.MEMBER))
        good(member.patch(f"/templates/{world.json.public_id}", {"name": "X"}))
        problem(member.delete(f"/templates/{world.json.public_id}"), 403, "permission_denied")

    def test_need_their_csrf_token(self, world: World, log_in: LogIn) -> None:
        browser = log_in(account=world.account, role=Role.OWNER)
        browser.handler.enforce_csrf_checks = True
        at = f"/templates/{world.json.public_id}"
        problem(Api(browser=browser).patch(at, {"name": "X"}), 403, "csrf_failed")
        browser.cookies["csrftoken"] = "t" * 32
        good(Api(browser=browser).patch(at, {"name": "X"}, **{"X-CSRFToken": "t" * 32}))

    def test_of_nobody_are_refused(self, world: World) -> None:
        problem(Api().get("/templates"), 401, "not_authenticated")


class TestStatesOfRows:
    def test_are_told_apart(self, api: Api, world: World) -> None:
        at = f"/templates/{world.json.public_id}"
        seen = api.get(at)["ETag"]
        assert api.get(at)["ETag"] == seen
        assert api.get(at, **{"If-None-Match": seen}).status_code == 304
        changed = api.patch(at, {"name": "New"}, **{"If-Match": seen})
        assert good(changed)["name"] == "New"
        problem(api.patch(at, {"name": "Newer"}, **{"If-Match": seen}), 412, "precondition_failed")
        problem(api.delete(at, **{"If-Match": seen}), 412, "precondition_failed")
        good(api.patch(at, {"name": "Newer"}, **{"If-Match": changed["ETag"]}))
        good(api.patch(at, {"name": "Newest"}, **{"If-Match": "*"}))

    def test_are_not_told_again(self, api: Api, world: World) -> None:
        at = f"/templates/{world.json.public_id}"
        seen = api.get(at)["ETag"]
        for named in (seen, f"W/{seen}", f'"x", {seen}', "*", " * "):
            for method in ("GET", "HEAD"):
                answer = api.request(method, at, **{"If-None-Match": named})
                assert (answer.status_code, answer.content) == (304, b""), (method, named)
                assert answer["ETag"] == seen
        for named in ('"x"', seen.strip('"'), ""):
            assert api.get(at, **{"If-None-Match": named}).status_code == 200, named
        gone = f"/templates/{make_world('Other').json.public_id}"
        problem(api.get(gone, **{"If-None-Match": "*"}), 404, "not_found")

    def test_can_be_what_a_reader_wants(self, api: Api, world: World) -> None:
        at = f"/templates/{world.json.public_id}"
        seen = api.get(at)["ETag"]
        assert api.get(at, **{"If-Match": seen}).status_code == 200
        # A weak tag is never the same; If-Match is judged before If-None-Match.
        for wanted in ('"x"', f"W/{seen}"):
            refused = api.get(at, **{"If-Match": wanted, "If-None-Match": seen})
            assert problem(refused, 412, "precondition_failed")
            assert refused["ETag"] == seen

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_can_be_what_a_writer_does_not_want(self, api: Api, world: World, method: str) -> None:
        template = TemplateFactory(account=world.account)
        at = f"/templates/{template.public_id}"
        seen = api.get(at)["ETag"]
        for named in (seen, f"W/{seen}", "*"):
            refused = api.request(method, at, {}, **{"If-None-Match": named})
            problem(refused, 412, "precondition_failed")
            assert refused["ETag"] == seen
        assert Template.objects.filter(pk=template.pk).exists()
        done = api.request(method, at, {}, **{"If-None-Match": '"x"', "If-Match": seen})
        assert done.status_code in (200, 204)

    def test_are_not_told_of_parts(self, api: Api, world: World) -> None:
        assert "ETag" not in api.get(f"/templates/{world.json.public_id}?fields=name")


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "empty_body"),
            (b"{", 400, "invalid_json"),
            (b"[]", 422, "invalid"),
            (b"7", 422, "invalid"),
            (b"null", 422, "invalid"),
            (b'{"mapping": ' + b"[" * 500 + b"]" * 500 + b"}", 422, "invalid"),
            (b'{"name": "\\u0000"}', 422, "invalid"),
        ],
    )
    def test_that_are_none_are_refused(self, api: Api, body: bytes, status: int, code: str) -> None:
        problem(api.post("/templates", body), status, code)

    def test_may_be_left_out_where_there_is_nothing_to_say(self, api: Api, world: World) -> None:
        good(api.post(f"/templates/{world.json.public_id}/versions/1/restore"), 201)

    def test_point_at_a_field(self, api: Api) -> None:
        told = problem(api.post("/templates", {}), 422, "invalid")
        assert faults(told) == [
            ("/name", "required"),
            ("/format", "required"),
            ("/sample", "required"),
        ]


def test_a_template_of_another_account_can_not_be_opened(api: Api) -> None:
    other = make_world("Other")
    template = make_template(other.account, "Secret", "{}")
    at = f"/templates/{template.public_id}"
    for response in (api.get(at), api.patch(at, {}), api.delete(at)):
        problem(response, 404, "not_found")


class TestWhatAnotherRowHas:
    @pytest.mark.parametrize(
        ("at", "body", "pointer"),
        [
            ("/templates", {"name": "N", "format": "json", "sample": "{}"}, "/name"),
            ("/templates/from-gallery", {"key": "adf", "name": "N"}, "/name"),
            ("/groups", {"name": "N"}, "/name"),
            ("/locations", {"name": "N", "client_location_id": "7"}, "/client_location_id"),
            ("/campaigns", {"name": "N", "location": "{location}"}, "/name"),
            ("/treatments", {"name": "N", "location": "{location}"}, "/name"),
            (
                "/tracking-numbers",
                {"number": "+15559990000", "location": "{location}"},
                "/number",
            ),
            ("/ivrs", {"number": 75, "name": "N"}, "/number"),
            ("/attachments", {"webhook": "{webhook}", "timing": "begin"}, ""),
        ],
    )
    def test_is_told_by_its_place(
        self, api: Api, world: World, at: str, body: dict[str, str], pointer: str
    ) -> None:
        webhook = make_webhook(world, "https://93.184.216.34/leads")
        ids = {"{location}": world.location.public_id, "{webhook}": webhook.public_id}
        body = {name: ids.get(value, value) for name, value in body.items()}
        good(api.post(at, body), 201)

        told = problem(api.post(at, body), 422, "invalid")

        assert faults(told) == [(pointer, "not_unique")]
        (message,) = [each["message"] for each in told["errors"]]
        assert message.endswith(("has this name.", "ID.", "number.", "already."))


class TestTimesInABody:
    @pytest.mark.parametrize("year", ["0001", "1969", "2200", "9999"])
    def test_are_of_years_that_every_time_zone_knows(self, api: Api, year: str) -> None:
        asked = {"since": f"{year}-06-01T00:00:00Z", "until": "2026-03-28T00:00:00Z"}
        told = problem(api.post("/replays", asked), 422, "invalid")
        assert faults(told) == [("/since", "out_of_range")]
