"""Versions of templates: use, comparison, going back, duplicates and files."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.mapping import FieldMapping, Kind, Mapping
from apps.webhooks.models import Template, TemplateVersion
from apps.webhooks.services import save_template
from apps.webhooks.versions import differences
from tests.builders import make_template
from tests.conftest import LogIn
from tests.factories import AccountFactory, AgencyFactory, WebhookFactory

pytestmark = pytest.mark.django_db

# No row can hold this.
MAP = [{"name": "map", "values": {"\0": "x"}}]


def exported(**changes: Any) -> bytes:
    """Return a file as it is exported, with changes."""
    content = {"hookline_template": 1, "name": "N", "format": "json", "sample": '{"a": 1}'}
    return json.dumps({**content, "mapping": [], **changes}).encode()


@pytest.fixture
def account() -> Account:
    return AccountFactory()


@pytest.fixture
def browser(account: Account, log_in: LogIn) -> Client:
    return log_in(account=account, role=Role.MEMBER)


@pytest.fixture
def template(account: Account) -> Template:
    """A template in two versions."""
    template = make_template(account, "CRM", '{\n"a": "%ani%"\n}')
    save_template(template=template, sample='{\n"a": "%ani%",\n"<b>": "x"\n}', by=None)
    return template


def address(page: str, *args: object) -> str:
    return reverse(f"admin:webhooks_template_{page}", args=args)


def text_of(page: Any) -> str:
    return str(page.content.decode())


class TestSaving:
    def test_keeps_what_was_mapped_by_hand(self, account: Account) -> None:
        template = Template(account=account, name="CRM", format="json")
        by_hand = Mapping((FieldMapping("$.a", Kind.TOKEN, token="gclid"),))
        save_template(template=template, sample='{"a": "", "b": "%ani%"}', by=None, mapping=by_hand)
        version = save_template(template=template, sample='{"a": "", "c": "%ani_zip%"}', by=None)
        assert {field["path"]: field["token"] for field in version.mapping} == {
            "$.a": "gclid",
            "$.c": "ani_zip",
        }

    def test_forgets_a_token_that_left_the_sample(self, account: Account) -> None:
        template = make_template(account, "CRM", '{"a": "%ani%"}')
        assert save_template(template=template, sample='{"a": "x"}', by=None).mapping == []

    def test_a_changed_mapping_is_a_version(self, template: Template) -> None:
        current = template.current_version
        assert current is not None
        mapping = Mapping((FieldMapping("$.a", Kind.TOKEN, token="gclid"),))
        for _ in range(2):
            version = save_template(
                template=template, sample=current.sample, by=None, mapping=mapping
            )
        assert version.number == 3


class TestThePage:
    def test_shows_use_and_what_changed(self, browser: Client, template: Template) -> None:
        WebhookFactory(account=template.account, template=template, name="A webhook")
        page = text_of(browser.get(address("versions", template.pk)))
        assert "Used by 1 webhook, 1 account" in page
        assert "&lt;b&gt;" in page
        assert "<b>" not in page

    def test_counts_the_accounts_of_clients(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        shared = make_template(agency, "Shared", "{}")
        Template.objects.filter(pk=shared.pk).update(is_shared_with_clients=True)
        for _ in range(2):
            WebhookFactory(account=AccountFactory(parent=agency), template=shared)
        page = text_of(log_in(account=agency).get(address("versions", shared.pk)))
        assert "Used by 2 webhooks, 2 accounts" in page

    def test_goes_back_as_a_new_version(self, browser: Client, template: Template) -> None:
        browser.post(address("go_back", template.pk), {"number": "1"})
        template.refresh_from_db()
        assert template.current_version is not None
        assert template.current_version.number == 3
        assert template.current_version.sample == '{\n"a": "%ani%"\n}'
        assert browser.post(address("go_back", template.pk), {"number": "9"}).status_code == 404

    def test_does_not_go_back_to_what_can_not_be_sent_any_more(
        self, browser: Client, template: Template
    ) -> None:
        gone = [{"path": "$.a", "kind": "token", "token": "a_token_of_old"}]
        TemplateVersion.objects.filter(template=template, number=1).update(mapping=gone)
        answer = browser.post(address("go_back", template.pk), {"number": "1"}, follow=True)
        assert "There is no token %a_token_of_old%" in text_of(answer)
        assert template.versions.count() == 2

    @pytest.mark.parametrize(
        ("field", "words"),
        [
            (FieldMapping("$.a", Kind.TOKEN, token="gclid"), "%gclid%"),
            (FieldMapping("$.a", Kind.TEXT, text="by %ani%"), "“by %ani%”"),
            (FieldMapping("$.a", constant="7"), "always “7”"),
            (FieldMapping("$.a", Kind.OMIT), "left out"),
            (
                FieldMapping("$.a", Kind.TOKEN, token="gclid", default="none"),
                '%gclid% {"default": "none"}',
            ),
        ],
    )
    def test_says_in_words_what_fills_a_field(
        self, template: Template, field: FieldMapping, words: str
    ) -> None:
        old = template.current_version
        assert old is not None
        mapping = Mapping((field,))
        new = save_template(template=template, sample=old.sample, by=None, mapping=mapping)
        lines = [(line.sign, line.text) for line in differences(old, new)]
        assert lines == [("@", "…"), ("-", "$.a ← %ani%"), ("+", f"$.a ← {words}")]

    def test_compares_long_versions_roughly_and_says_so(self, template: Template) -> None:
        # 150 kinds of blank lines over and over, then backwards: to compare them in order would
        # take many minutes.
        blank = str.maketrans("01", " \t")
        lines = [f"{number % 150:08b}".translate(blank) for number in range(20_000)]
        old = save_template(template=template, sample="\n".join(["[", *lines, "1]"]), by=None)
        lines.reverse()
        new = save_template(template=template, sample="\n".join(["[", *lines, "2]"]), by=None)

        told = [(line.sign, line.text) for line in differences(old, new)]

        assert told == [
            ("@", "Too long to compare in order. Lines that only one of the versions has:"),
            ("-", "1]"),
            ("+", "2]"),
        ]

    def test_viewers_only_look(self, log_in: LogIn, template: Template) -> None:
        viewer = log_in(account=template.account, role=Role.VIEWER)
        assert viewer.get(address("versions", template.pk)).status_code == 200
        for page in ("go_back", "duplicate"):
            assert viewer.post(address(page, template.pk), {"number": "1"}).status_code == 403
        assert viewer.get(address("import")).status_code == 403


class TestCopies:
    def test_are_made_after_asking(self, browser: Client, template: Template) -> None:
        browser.get(address("duplicate", template.pk))
        assert Template.objects.count() == 1
        for _ in range(2):
            browser.post(address("duplicate", template.pk))
        assert set(Template.objects.values_list("name", flat=True)) == {
            "CRM",
            "CRM (copy)",
            "CRM (copy) 2",
        }

    def test_clients_copy_what_their_agency_shares(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        client = AccountFactory(parent=agency)
        shared = make_template(agency, "Shared", '{"a": "%ani%"}')
        Template.objects.filter(pk=shared.pk).update(is_shared_with_clients=True)
        log_in(account=client, role=Role.MEMBER).post(address("duplicate", shared.pk))
        assert Template.objects.get(account=client).name == "Shared (copy)"

    def test_travel_as_files(self, browser: Client, template: Template, log_in: LogIn) -> None:
        answer = browser.get(address("export", template.pk))
        assert "attachment" in answer.headers["Content-Disposition"]
        elsewhere = AccountFactory()
        file = SimpleUploadedFile("crm.json", answer.content)
        log_in(account=elsewhere).post(address("import"), {"file": file})
        copy = Template.objects.get(account=elsewhere)
        assert copy.current_version is not None
        assert template.current_version is not None
        assert copy.current_version.sample == template.current_version.sample
        assert copy.current_version.mapping == template.current_version.mapping

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff\xfe",
            b"nonsense",
            b"[" * 100_000,
            b"[]",
            b"{}",
            json.dumps({"hookline_template": 1}).encode(),
            exported(name="a\0b"),
            exported(name="\ud800"),
            exported(mapping=[{"path": "$.a", "kind": "token", "token": "ani", "formatters": MAP}]),
            json.dumps(
                {"hookline_template": 1, "name": "x", "format": "csv", "sample": "{}"}
            ).encode(),
            json.dumps(
                {
                    "hookline_template": 1,
                    "name": "x",
                    "format": "json",
                    "sample": "{",
                    "mapping": [],
                }
            ).encode(),
            json.dumps(
                {
                    "hookline_template": 1,
                    "name": "x",
                    "format": "json",
                    "sample": "{}",
                    "mapping": [{"path": "$.a", "kind": "token", "token": "nope"}],
                }
            ).encode(),
        ],
    )
    def test_bad_files_are_explained(self, browser: Client, content: bytes) -> None:
        page = browser.post(address("import"), {"file": SimpleUploadedFile("x.json", content)})
        assert page.status_code == 200
        assert page.context["form"].errors["file"]
        assert not Template.objects.exists()
