"""The pages of the API's description, under the content security policy."""

import pytest
from django.test import Client
from playwright.sync_api import Page

from tests.browser.conftest import REDOC_LOGO, OpenPage
from tests.builders import World

pytestmark = pytest.mark.django_db(transaction=True)


def watched(page: Page) -> list[str]:
    """Return the list of errors that the page will tell of."""
    refused: list[str] = []
    page.set_default_timeout(60_000)
    page.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
    return refused


def test_swagger_ui_shows_and_tries_the_api(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    refused = watched(page)
    page.goto("/api/v1/docs")
    block = page.locator("#operations-groups-groups_create")
    block.locator("button.opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea").fill('{"name": "By hand"}')
    block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table .response-col_status", has_text="201").wait_for()
    assert refused == []


def test_redoc_shows_the_api(open_page: OpenPage, shop: World) -> None:
    page = open_page(shop.owner)
    refused = watched(page)
    page.goto("/api/v1/redoc")
    page.get_by_role("heading", name="List groups of locations").or_(
        page.get_by_role("heading", name="List groups")
    ).first.wait_for()
    assert [text for text in refused if not REDOC_LOGO.match(text)] == []


def test_are_open_and_allow_no_more_than_they_need() -> None:
    swagger, redoc = Client().get("/api/v1/docs"), Client().get("/api/v1/redoc")
    for page, styles in ((swagger, ["'self'"]), (redoc, ["'self'", "'unsafe-inline'"])):
        assert page.status_code == 200
        policy = dict(
            part.strip().split(" ", 1)
            for part in page["Content-Security-Policy"].split(";")
            if " " in part.strip()
        )
        assert policy["style-src"].split() == styles
        assert policy["script-src"].split() == ["'self'", "'unsafe-eval'"]
