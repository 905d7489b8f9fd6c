"""Whoever attaches a webhook hears what will be empty, and finds the way to a new one."""

from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from apps.calls.events import Timing
from apps.campaigns.models import Attachment, CampaignKind
from apps.campaigns.warnings import warnings_for
from apps.webhooks.models import Webhook
from tests.builders import World, make_template, make_webhook
from tests.conftest import LogIn
from tests.webhooks.wizard.walking import advanced, at, begun

pytestmark = pytest.mark.django_db

SAMPLE = '{"rec": "%rec_audiourl%", "click": "%gclid%", "who": "%ani%"}'


@pytest.fixture
def webhook(world: World) -> Webhook:
    template = make_template(world.account, "Late and web", SAMPLE)
    return make_webhook(world, "https://93.184.216.34/", template=template)


class TestWarnings:
    def test_of_the_end_at_the_begin(self, world: World, webhook: Webhook) -> None:
        for timing, count in ((Timing.BEGIN, 1), (Timing.END, 0), (Timing.UPDATED, 0)):
            attachment = Attachment(account=world.account, webhook=webhook, timing=timing)
            warnings = warnings_for(attachment)
            assert len(warnings) == count
            assert all("%rec_audiourl%" in warning for warning in warnings)

    def test_of_the_web_where_there_is_none(self, world: World, webhook: Webhook) -> None:
        attachment = Attachment(account=world.account, webhook=webhook, campaign=world.campaign)
        assert ["%gclid%" in warning for warning in warnings_for(attachment)] == [True]
        world.campaign.kind = CampaignKind.DIGITAL
        assert warnings_for(attachment) == []

    def test_of_business_hours_that_nobody_set_up(self, world: World, webhook: Webhook) -> None:
        attachment = Attachment(
            account=world.account,
            webhook=webhook,
            location=world.location,
            conditions={"field": "business_hours", "op": "is", "value": True},
        )
        (warning,) = warnings_for(attachment)
        assert f"{world.location.name} has none set up" in warning
        world.location.business_hours = {"mon": [[540, 1020]]}
        world.location.save()
        assert warnings_for(attachment) == []

    def test_are_shown_when_it_is_saved(
        self, world: World, webhook: Webhook, log_in: LogIn
    ) -> None:
        browser = log_in(account=world.account)
        form = {"webhook": str(webhook.pk), "timing": "begin", "is_active": "on"}
        page = browser.post(reverse("admin:campaigns_attachment_add"), form)
        assert page.status_code == 302
        assert any("%rec_audiourl%" in str(each) for each in get_messages(page.wsgi_request))
        option = reverse("admin:campaigns_treatmentoption_change", args=[world.sales.pk])
        inline = {f"attachments-0-{name}": value for name, value in form.items()}
        sizes = {"attachments-TOTAL_FORMS": "1", "attachments-INITIAL_FORMS": "0"}
        fields = {"key": "1", "label": "Sales"}
        page = browser.post(option, {**fields, **inline, **sizes})
        assert page.status_code == 302
        assert any("%rec_audiourl%" in str(each) for each in get_messages(page.wsgi_request))


class TestTheWayToANewWebhook:
    def test_leads_back_to_the_option(self, world: World, log_in: LogIn) -> None:
        browser = log_in(account=world.account)
        option = reverse("admin:campaigns_treatmentoption_change", args=[world.sales.pk])
        query = f"account={world.account.pk}&amp;location={world.location.pk}&amp;next={option}"
        assert f"{reverse('wizard')}?{query}" in browser.get(option).content.decode()

    def test_comes_back_with_it_chosen(self, world: World, log_in: LogIn) -> None:
        browser = log_in(account=world.account)
        add = reverse("admin:campaigns_attachment_add") + f"?campaign={world.campaign.pk}"
        query = f"?next={quote(add, safe='')}"
        assert f"{reverse('wizard')}{query}" in browser.get(add).content.decode()
        draft = begun(browser, query=query, choice="existing", template=str(world.json.pk))
        advanced(browser, draft)
        back = browser.post(at(draft, "summary")).headers["Location"]
        webhook = Webhook.objects.get()
        assert back == f"{add}&webhook={webhook.pk}"
        assert f'value="{webhook.pk}" selected' in browser.get(back).content.decode()
