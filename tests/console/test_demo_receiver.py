"""The demo's receiver, as a real process: it checks, refuses, and keeps its book."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from apps.console.demo import world
from apps.console.demo.keepsakes import Keepsakes
from apps.delivery.signing import sign
from tests.builders import new_secret
from tests.common.processes import python
from tests.console.receiving import receiver_process

SECRET = new_secret()


class Running(NamedTuple):
    """A receiver, and the file that it has its secrets from."""

    url: str
    keepsakes: Path

    def post(self, path: str, body: bytes, *, media_type: str = "application/json") -> int:
        """Post as a stranger who does not sign; return the status."""
        return self.send(path, body, {"Content-Type": media_type, "webhook-id": "msg_x"})

    def post_signed(
        self,
        body: bytes,
        *,
        message_id: str,
        media_type: str = "application/json",
        path: str = "/crm",
    ) -> int:
        """Post as Hookline does; return the status."""
        signed = sign([SECRET], message_id=message_id, timestamp=int(time.time()), body=body)
        return self.send(path, body, {"Content-Type": media_type, **signed})

    def ask_garage(self, **parameters: str) -> requests.Response:
        """Ask as the web hook of the demo's IVR does."""
        return requests.get(self.url + world.REPAIRS_PATH, params=parameters, timeout=10)

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = requests.get(f"{self.url}/ledger", timeout=10).json()
        return found

    def asked(self) -> int:
        """How often the secrets were asked for."""
        return len((self.keepsakes.parent / "asked").read_text())

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        return requests.post(self.url + path, data=body, headers=headers, timeout=10).status_code


@pytest.fixture
def options() -> tuple[str, ...]:
    return ()


@pytest.fixture
def receiver(tmp_path: Path, options: tuple[str, ...]) -> Iterator[Running]:
    keepsakes = tmp_path / "demo.json"
    Keepsakes(secrets={"/crm": SECRET.text}).write(keepsakes)
    with receiver_process(keepsakes, *options) as (url, _):
        yield Running(url, keepsakes)


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Running]:
    """A receiver that may ask for secrets: that of `/crm` is told then."""
    keepsakes, now = tmp_path / "demo.json", tmp_path / "now.json"
    for path in (keepsakes, now):
        Keepsakes(secrets={"/crm": SECRET.text}).write(path)
    code = f"cp {now} {keepsakes}; printf 1 >> {tmp_path / 'asked'}"
    with receiver_process(keepsakes, "--refresh", "sh", "-c", code) as (url, _):
        yield Running(url, keepsakes)


class TestReceiver:
    def test_takes_what_is_signed_and_knows_a_repeat(self, receiver: Running) -> None:
        assert receiver.post_signed(b'{"a": "\xc3\xa9"}', message_id="msg_1") == 200
        assert receiver.post_signed(b'{"a": "\xc3\xa9"}', message_id="msg_1") == 200
        counts = receiver.counts()
        assert (counts["received"], counts["accepted"], counts["duplicates"]) == (1, 2, 1)
        entries = requests.get(f"{receiver.url}/ledger/entries", timeout=10).json()["entries"]
        assert [(each["id"], each["path"], each["body"]) for each in entries] == [
            ("msg_1", "/crm", '{"a": "é"}')
        ]

    def test_refuses_what_is_not_signed_by_the_webhook(self, receiver: Running) -> None:
        assert receiver.post("/crm", b"{}") == 401
        assert receiver.counts()["bad_signatures"] == 1
        assert receiver.counts()["received"] == 0

    def test_takes_a_webhook_whose_secret_it_does_not_know(self, receiver: Running) -> None:
        assert receiver.post("/new", b"{}") == 200
        assert receiver.counts()["unchecked"] == 1

    def test_learns_of_a_new_secret(self, receiver: Running) -> None:
        Keepsakes(secrets={"/new": SECRET.text}).write(receiver.keepsakes)
        assert receiver.post("/new", b"{}") == 401

    def test_asks_for_a_secret_that_was_replaced(self, asking: Running) -> None:
        Keepsakes(secrets={"/crm": new_secret().text}).write(asking.keepsakes)
        assert asking.post("/crm", b"{}") == 401
        assert asking.post_signed(b"{}", message_id="msg_1") == 200
        assert asking.counts()["unchecked"] == 0
        assert asking.asked() == 1

    def test_asks_about_a_webhook_that_was_made_later(self, asking: Running) -> None:
        Keepsakes().write(asking.keepsakes)
        assert asking.post_signed(b"{}", message_id="msg_1") == 200
        assert asking.counts()["unchecked"] == 0

    def test_asks_no_more_than_helps(self, asking: Running) -> None:
        for number in range(3):
            assert asking.post_signed(b"{}", message_id=f"msg_{number}", path="/of-two") == 200
        assert asking.asked() == 1
        wrong = sign([new_secret()], message_id="msg_x", timestamp=int(time.time()), body=b"{}")
        assert asking.send("/crm", b"{}", wrong) == 401
        assert asking.asked() == 1

    @pytest.mark.parametrize(
        ("body", "media_type"),
        [
            (b"{", "application/json"),
            (b"<a>", "application/xml"),
            (b"<a>&undefined;</a>", "text/xml"),
        ],
    )
    def test_refuses_what_it_can_not_read(
        self, receiver: Running, body: bytes, media_type: str
    ) -> None:
        assert receiver.post_signed(body, message_id="msg_1", media_type=media_type) == 400
        assert receiver.counts()["unparsable"] == 1

    @pytest.mark.parametrize(("path", "status"), [("/x/gone", 410), ("/x/down", 503)])
    def test_plays_receivers_that_are_out_of_order(
        self, receiver: Running, path: str, status: int
    ) -> None:
        assert receiver.post(path, b"{}") == status

    def test_plays_a_garage_that_an_ivr_asks(self, receiver: Running) -> None:
        order_no, text = next(iter(world.REPAIRS.items()))
        said = receiver.ask_garage(order_no=order_no, wish="1")
        assert (said.status_code, said.text) == (200, text)
        assert said.headers["Content-Type"].startswith("text/plain")
        later = receiver.ask_garage(order_no=order_no, wish="2")
        assert (later.status_code, later.text) == (200, world.CALL_BACK)
        assert receiver.ask_garage(order_no="0", wish="1").status_code == 404

    @pytest.mark.parametrize("options", [("--refuse-every", "2")])
    def test_refuses_every_second_id_once_if_told_to(self, receiver: Running) -> None:
        tries = [
            receiver.post_signed(b"{}", message_id=message_id)
            for message_id in ("msg_1", "msg_2", "msg_2", "msg_3")
        ]
        assert tries == [200, 503, 200, 200]
        assert receiver.counts()["refused"] == 1


class TestLines:
    def test_can_not_be_forged_by_a_caller(self, tmp_path: Path) -> None:
        with receiver_process(tmp_path / "none") as (url, process):
            running = Running(url, tmp_path)
            name = "Bob\n200 POST /crm: forged\x1b[2J"
            running.post("/crm", json.dumps({"name": name}).encode())
            assert process.stdout is not None
            line = process.stdout.readline()
        assert line.startswith("200 POST /crm: Bob·200 POST")
        assert "\x1b" not in line


def test_the_receiver_knows_nothing_of_django() -> None:
    code = (
        "import sys, apps.console.demo.receiver, apps.console.demo.switch;"
        "sys.exit('django' in sys.modules)"
    )
    with python("-c", code, env={"PATH": os.environ["PATH"]}) as process:
        assert process.wait(30) == 0, sys.executable
