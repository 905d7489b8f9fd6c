"""Templates, as people with each role meet them."""

import pytest
from django.urls import reverse

from apps.accounts.models import Account
from apps.common.access import Role
from apps.webhooks.models import Template, Webhook
from tests.conftest import LogIn
from tests.factories import (
    AccountFactory,
    AgencyFactory,
    TemplateFactory,
    WebhookFactory,
)
from tests.webhooks.admin_forms import webhook_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory()


class TestTemplates:
    add = "admin:webhooks_template_add"

    def test_a_sample_becomes_the_first_version(self, log_in: LogIn, account: Account) -> None:
        page = log_in(account=account, role=Role.MEMBER).post(
            reverse(self.add), {"name": "CRM", "format": "json", "sample": '{"a": "%ani%"}'}
        )
        assert page.status_code == 302
        version = Template.objects.get().current_version
        assert version is not None
        assert version.number == 1
        assert version.mapping == [{"path": "$.a", "kind": "token", "token": "ani"}]

    @pytest.mark.parametrize(
        ("format_", "sample", "message"),
        [
            ("json", '{"a": "%anii%"}', "no token %anii%"),
            ("json", '{"a": "%anii%"}', "$.a"),
            ("json", '{"a":\n }', "Line 2, column 2"),
            ("xml", "<a>\n<b></a>", "Line 2"),
        ],
    )
    def test_a_bad_sample_is_explained_and_nothing_saved(
        self, log_in: LogIn, account: Account, format_: str, sample: str, message: str
    ) -> None:
        page = log_in(account=account).post(
            reverse(self.add), {"name": "CRM", "format": format_, "sample": sample}
        )
        assert page.status_code == 200
        assert message in str(page.context["adminform"].form.errors["sample"])
        assert not Template.objects.exists()

    def test_a_taken_name_is_explained(self, log_in: LogIn, account: Account) -> None:
        TemplateFactory(account=account, name="CRM")
        page = log_in(account=account).post(
            reverse(self.add), {"name": "CRM", "format": "json", "sample": "{}"}
        )
        assert page.status_code == 200

    def test_only_agencies_share(self, log_in: LogIn, account: Account) -> None:
        form = {"name": "CRM", "format": "json", "sample": "{}", "is_shared_with_clients": "on"}
        log_in(account=account).post(reverse(self.add), form)
        assert not Template.objects.filter(is_shared_with_clients=True).exists()
        log_in(account=AgencyFactory()).post(reverse(self.add), form)
        assert Template.objects.filter(is_shared_with_clients=True).exists()

    def test_clients_read_and_use_what_their_agency_shares(self, log_in: LogIn) -> None:
        agency = AgencyFactory()
        client_account = AccountFactory(parent=agency)
        shared = TemplateFactory(account=agency, is_shared_with_clients=True, name="Shared one")
        private = TemplateFactory(account=agency, name="Private one")
        browser = log_in(account=client_account, role=Role.OWNER)
        listed = browser.get(reverse("admin:webhooks_template_changelist")).content.decode()
        assert "Shared one" in listed
        assert "Private one" not in listed
        link = reverse("admin:webhooks_template_change", args=[shared.pk])
        assert browser.get(link).status_code == 200
        assert browser.post(link, {"name": "Mine", "sample": "{}"}).status_code == 403
        version = reverse("admin:webhooks_templateversion_change", args=[shared.current_version_id])
        assert browser.get(version).status_code == 200
        for template, count in ((private, 0), (shared, 1)):
            browser.post(reverse("admin:webhooks_webhook_add"), webhook_form(template))
            assert Webhook.objects.count() == count

    def test_a_template_in_use_is_kept(self, log_in: LogIn, account: Account) -> None:
        used = WebhookFactory(account=account).template
        free = TemplateFactory(account=account)
        browser = log_in(account=account, role=Role.OWNER)
        answers = [
            browser.post(
                reverse("admin:webhooks_template_delete", args=[template.pk]), {"post": "yes"}
            ).status_code
            for template in (used, free)
        ]
        assert answers == [403, 302]
        assert list(Template.objects.all()) == [used]

    def test_leads_to_a_copy_whoever_may_make_one(self, log_in: LogIn, account: Account) -> None:
        template = TemplateFactory(account=account)
        page = reverse("admin:webhooks_template_change", args=[template.pk])
        copy = reverse("admin:webhooks_template_duplicate", args=[template.pk])
        led = {
            role: copy in log_in(account=account, role=role).get(page).content.decode()
            for role in (Role.MEMBER, Role.VIEWER)
        }
        assert led == {Role.MEMBER: True, Role.VIEWER: False}

    def test_tokens_are_one_click_away(self, log_in: LogIn, account: Account) -> None:
        browser = log_in(account=account, role=Role.VIEWER)
        assert reverse("tokens") in browser.get(reverse("admin:index")).content.decode()
        assert "%ani_carrier%" in browser.get(reverse("tokens")).content.decode()
