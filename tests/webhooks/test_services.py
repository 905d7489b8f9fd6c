"""Saving templates, and judging addresses."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import Account
from apps.webhooks import services
from apps.webhooks.models import Template, TemplateVersion
from apps.webhooks.secrets import new_signing_secret, parse_secret
from apps.webhooks.services import check_receiver, save_template
from tests.common.processes import wait_until
from tests.factories import AccountFactory, TemplateFactory, UserFactory


@pytest.mark.django_db
class TestSaveTemplate:
    @pytest.fixture
    def account(self) -> Account:
        return AccountFactory()

    def test_a_changed_sample_makes_a_new_version(self, account: Account) -> None:
        author = UserFactory()
        template = Template(account=account, name="CRM", format="json")
        first = save_template(template=template, sample='{"a": "%ani%"}', by=author)
        second = save_template(template=template, sample='{"b": "%ani%"}', by=author)
        assert [first.number, second.number] == [1, 2]
        assert second.created_by == author
        template.refresh_from_db()
        assert template.current_version == second
        first.refresh_from_db()
        assert first.sample == '{"a": "%ani%"}'

    def test_the_same_sample_makes_none(self, account: Account) -> None:
        template = TemplateFactory(account=account)
        current = template.current_version
        template.name = "Renamed"
        assert save_template(template=template, sample=current.sample, by=None) == current
        template.refresh_from_db()
        assert template.name == "Renamed"
        assert template.versions.count() == 1

    def test_what_somebody_saved_meanwhile_stays_in_the_row_of_versions(
        self, account: Account
    ) -> None:
        template = TemplateFactory(account=account, name="CRM")
        first = template.current_version
        other = Template.objects.get(pk=template.pk)
        second = save_template(template=other, sample='{"new": "%ani%"}', by=None)
        template.name = "Renamed"
        third = save_template(template=template, sample=first.sample, by=None)
        assert [first.number, second.number, third.number] == [1, 2, 3]
        template.refresh_from_db()
        assert template.current_version == third

    def test_maps_what_the_tokens_say(self, account: Account) -> None:
        template = Template(account=account, name="CRM", format="xml")
        version = save_template(
            template=template, sample="<a><b>%ani%</b><c>Hi %ani_first_name%</c></a>", by=None
        )
        assert [field["kind"] for field in version.mapping] == ["token", "text"]

    @pytest.mark.parametrize(
        ("sample", "message"),
        [
            ('{"a": "%nope_nothing%"}', r"no token %nope_nothing%.*at \$\.a"),
            ('{"a": 1,}', "Line 1, column 9"),
            ("", "empty"),
        ],
    )
    def test_a_bad_sample_saves_nothing(self, account: Account, sample: str, message: str) -> None:
        template = Template(account=account, name="CRM", format="json")
        with pytest.raises(ValidationError, match=message):
            save_template(template=template, sample=sample, by=None)
        assert not Template.objects.exists()
        assert not TemplateVersion.objects.exists()

    def test_every_unknown_token_is_named(self, account: Account) -> None:
        template = Template(account=account, name="CRM", format="json")
        with pytest.raises(ValidationError) as caught:
            save_template(template=template, sample='{"a": "%x1%", "b": "%x2%"}', by=None)
        assert len(caught.value.message_dict["sample"]) == 2

    def test_a_taken_name_saves_nothing(self, account: Account) -> None:
        TemplateFactory(account=account, name="CRM")
        template = Template(account=account, name="CRM", format="json")
        with pytest.raises(ValidationError):
            save_template(template=template, sample="{}", by=None)
        assert Template.objects.count() == 1

    def test_the_type_is_fixed(self, account: Account) -> None:
        template = TemplateFactory(account=account)
        template.format = "xml"
        with pytest.raises(ValidationError, match="fixed"):
            save_template(template=template, sample="<a/>", by=None)


class TestCheckTarget:
    def test_returns_the_spelling_that_is_sent(self) -> None:
        url = "HTTPS://93.184.216.34:443/caf\u00e9"
        assert check_receiver(url=url) == "https://93.184.216.34/caf%C3%A9"

    def test_a_private_address_is_named(self, settings: Any) -> None:
        settings.EGRESS_ALLOW = []
        with pytest.raises(ValidationError, match=r"127\.0\.0\.1 is a loopback address"):
            check_receiver(url="http://127.0.0.1/x")

    def test_the_operators_networks_are_allowed(self, settings: Any) -> None:
        settings.EGRESS_ALLOW = ["10.1.0.0/16"]
        assert check_receiver(url="http://10.1.2.3/x") == "http://10.1.2.3/x"

    def test_names_the_address_behind_a_name(self) -> None:
        answer = [(2, 1, 6, "", ("10.0.0.7", 0))]
        with pytest.raises(ValidationError, match=r"crm\.example points to 10\.0\.0\.7"):
            check_receiver(url="https://crm.example/", resolve=lambda *_, **__: answer)

    def test_waits_for_no_name_server_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "LOOKUP_TIMEOUT_S", 0.05)
        released = threading.Event()
        asked: list[object] = []

        def hang(*names: Any, **_: Any) -> list[Any]:
            asked.append(names)
            released.wait()
            return []

        def look_up() -> None:
            assert (
                check_receiver(url="https://crm.example/", resolve=hang) == "https://crm.example/"
            )

        for _ in range(20):
            look_up()
        wait_until(lambda: len(asked) >= services.MOST_LOOKUPS)
        assert len(asked) == services.MOST_LOOKUPS, "what hangs holds no more threads than this"
        released.set()

        def is_asked_again() -> bool:
            look_up()
            return len(asked) > services.MOST_LOOKUPS

        wait_until(is_asked_again)


def test_a_new_signing_secret_is_a_standard_one() -> None:
    assert len(parse_secret(new_signing_secret()).key) == 32
    assert new_signing_secret() != new_signing_secret()
