"""The example of the documents does what it says, against a live server."""

import os
import subprocess
import sys

import pytest
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import Location
from apps.campaigns.models import Attachment
from apps.webhooks.models import Template, Webhook
from tests.architecture.image import BASE_DIR
from tests.builders import make_world

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = BASE_DIR / "docs/examples/many_locations.py"


def test_the_example_sets_up_200_locations_and_may_be_run_again(live_server: LiveServer) -> None:
    world = make_world()
    for locations in (200, 20):
        done = subprocess.run(
            [sys.executable, SCRIPT, "http://127.0.0.1:8999/leads", "--locations", str(locations)],
            env={**os.environ, "HOOKLINE_URL": live_server.url, "HOOKLINE_KEY": world.token},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"{locations} locations have a webhook.",
            "CRM of shop 1: pending",
        ]
    assert Location.objects.filter(client_location_id__startswith="first-").count() == 200
    assert Webhook.objects.count() == Attachment.objects.count() == 200
    (template,) = Template.objects.filter(name="Lead first")
    assert template.current_version is not None
    mapping = {field["path"]: field["token"] for field in template.current_version.mapping}
    assert mapping["$.first_name"] == "ani_first_name"
    assert mapping["$.phone"] == "ani"
