"""Copying from the gallery: the account gets a template of its own that renders the same."""

import pytest
from django.core.exceptions import ValidationError

from apps.webhooks.copying import copy_from_gallery
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import Template, TemplateVersion
from apps.webhooks.rendering import compile_template
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT
from tests.factories import AccountFactory, UserFactory


@pytest.mark.django_db
class TestCopyFromGallery:
    @pytest.mark.parametrize("key", GALLERY)
    def test_stores_a_template_that_renders_as_the_gallery_does(self, key):
        account, user = AccountFactory(), UserFactory()
        made = copy_from_gallery(account=account, key=key, name="Mine", by=user)
        template = Template.objects.select_related("current_version").get(pk=made.pk)
        version = template.current_version
        compiled = compile_template(
            format=Format(template.format),
            sample=version.sample,
            mapping=from_plain(version.mapping),
        )
        assert GALLERY[key].validate(compiled.render(EXAMPLE_SNAPSHOT)) == []
        assert (template.account, template.name, version.number) == (account, "Mine", 1)
        assert (version.account, version.created_by) == (account, user)

    def test_takes_the_name_of_the_entry_where_none_is_given(self):
        made = copy_from_gallery(account=AccountFactory(), key="adf", name=" ", by=None)
        assert made.name == GALLERY["adf"].name

    @pytest.mark.parametrize(
        ("key", "name", "field"),
        [("nonsense", "New", "key"), ("adf", "Taken", "name"), ("adf", "x" * 121, "name")],
    )
    def test_refuses_and_stores_nothing(self, key, name, field):
        account = AccountFactory()
        copy_from_gallery(account=account, key="slack_message", name="Taken", by=None)
        with pytest.raises(ValidationError) as error:
            copy_from_gallery(account=account, key=key, name=name, by=None)
        assert list(error.value.message_dict) == [field]
        assert TemplateVersion.objects.filter(account=account).count() == 1

    def test_leaves_the_names_of_other_accounts_alone(self):
        for _ in range(2):
            copy_from_gallery(account=AccountFactory(), key="adf", name="Same", by=None)
        assert Template.objects.filter(name="Same").count() == 2
