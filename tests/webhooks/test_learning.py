"""Learning: what counts are the current versions of the account's own templates."""

import pytest

from apps.webhooks import learning
from apps.webhooks.extraction import extract
from apps.webhooks.formats import Format
from apps.webhooks.learning import learn_mappings
from apps.webhooks.suggestions import suggest
from tests.factories import AccountFactory, TemplateFactory, TemplateVersionFactory

SAMPLE = extract('{"customer": {"phone": "5555551234", "code": "x"}}', Format.JSON)


def template(account, *pairs, **fields):
    mapping = [{"path": path, "kind": "token", "token": token} for path, token in pairs]
    return TemplateFactory(account=account, version__mapping=mapping, **fields)


@pytest.mark.django_db
class TestLearnMappings:
    def test_counts_the_templates_of_the_account(self, django_assert_num_queries):
        account = AccountFactory()
        for _ in range(3):
            template(account, ("$.customer.code", "tracking"), ("$.customer.phone", "target"))
        with django_assert_num_queries(1):
            learned = learn_mappings(account=account)
        found = suggest(SAMPLE, learned)
        [code] = found["$.customer.code"]
        assert code.token == "tracking"
        assert code.reason == "your account mapped customer.code to %tracking% in 3 templates"
        assert found["$.customer.phone"][0].token == "target"

    def test_learns_nothing_from_other_accounts(self):
        template(AccountFactory(), ("$.customer.code", "tracking"))
        assert learn_mappings(account=AccountFactory()).paths == {}

    def test_learns_nothing_from_versions_that_were_replaced(self):
        account = AccountFactory()
        kept = template(account, ("$.customer.code", "tracking"))
        kept.current_version = TemplateVersionFactory(template=kept, mapping=[])
        kept.save()
        assert learn_mappings(account=account).paths == {}

    def test_takes_no_more_than_so_many_templates_and_fields(self, monkeypatch):
        monkeypatch.setattr(learning, "MOST_TEMPLATES", 2)
        monkeypatch.setattr(learning, "MOST_FIELDS", 1)
        account = AccountFactory()
        for _ in range(3):
            template(account, ("$.a", "ani"), ("$.b", "ani"))
        learned = learn_mappings(account=account)
        assert len(learned.paths) == 1
        assert learned.paths["a",]["ani"] == 2

    @pytest.mark.parametrize("mapping", [{}, [1], [{"kind": "token"}], [{"path": 1, "token": "x"}]])
    def test_passes_over_what_is_no_mapping(self, mapping):
        account = AccountFactory()
        TemplateFactory(account=account, version__mapping=mapping)
        assert learn_mappings(account=account).paths == {}
