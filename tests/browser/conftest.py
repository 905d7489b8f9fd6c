"""A browser that is logged in, on a live server."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from tests.browser.plugin import chromium
from tests.builders import World, make_world
from tests.delivery.receiver import Receiver, running_receiver

OpenPage = Callable[[User], Page]


# Redoc would fetch its logo from elsewhere; the policy keeps it from that.
REDOC_LOGO = re.compile(r"Loading the image 'https://cdn\.redoc\.ly/.* violates")


def refused(told: ConsoleMessage) -> list[str]:
    """Return what the console says of something that the content security policy forbids."""
    is_refused = "Content Security Policy" in told.text and not REDOC_LOGO.match(told.text)
    return [told.text] if is_refused else []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """What webhooks are sent to."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def shop(transactional_db: None) -> World:
    """An account in working order, as the live server sees it too."""
    return make_world()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A chromium for the tests of a module, as it takes long to start.

    Playwright keeps an event loop running in this thread, beside which no other loop runs, and
    Django would not touch the database.
    """
    with pytest.MonkeyPatch.context() as monkeypatch, sync_playwright() as playwright:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        # Threads of the server must not hold the database that is dropped at the end.
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
        yield playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        # The connection that was made beside the event loop is not seen from outside of it.
        connections.close_all()


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, shop: World, receiver: Receiver
) -> Iterator[OpenPage]:
    """Return a page of a person who is logged in; its scripts must not fail or be refused."""
    errors: list[str] = []

    def open_page(user: User) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1440, "height": 900}
        )
        context.add_cookies(
            [
                {
                    "name": django_settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: errors.extend(refused(told)))
        return page

    yield open_page
    for context in browser.contexts:
        context.close()
    assert errors == []
