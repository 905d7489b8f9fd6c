"""The simulated switch: every event gets through, whatever the line does, or it says so."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apps.console.demo import world
from apps.console.demo.calls import Call, simulate
from apps.console.demo.switch import Switch, SwitchRefused
from tests.common.processes import wait_until

BEGIN = dt.datetime(2026, 3, 28, 0, 5, tzinfo=dt.UTC)
KEYS = {client.name: f"key of {client.name}" for client in world.CLIENTS}


class Intake(ThreadingHTTPServer):
    """Takes events in; `troubles` are the statuses it answers first, 0 for hanging up."""

    daemon_threads = True

    def __init__(self, troubles: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), IntakeHandler)
        self.troubles = troubles
        self.taken: list[tuple[str, list[dict[str, Any]]]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class IntakeHandler(BaseHTTPRequestHandler):
    """One connection to it."""

    server: Intake

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            status = self.server.troubles.pop() if self.server.troubles else 202
            if status == 202:
                events = body if isinstance(body, list) else [body]
                self.server.taken.append((self.headers["Authorization"], events))
        if not status:
            self.close_connection = True
            return
        answer = {"accepted": [{"id": event["id"]} for event in events]} if status == 202 else {}
        written = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def intake(*troubles: int) -> Iterator[Intake]:
    with Intake(list(troubles)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def calls() -> list[Call]:
    return simulate(count=12, seed=1, begin=BEGIN)


def switch_to(server: Intake, said: list[str] | None = None) -> Switch:
    return Switch(url=server.url, keys=KEYS, said=[].append if said is None else said.append)


class TestSwitch:
    def test_posts_every_event_in_the_order_of_its_call(self, calls: list[Call]) -> None:
        with intake() as server:
            switch_to(server).run(calls)
        for call in calls:
            posted = [events for _, events in server.taken if events[0]["call_id"] == call.id]
            assert posted == call.posts

    def test_uses_the_key_of_each_client(self, calls: list[Call]) -> None:
        clients = {call.id: call.client.name for call in calls}
        with intake() as server:
            switch_to(server).run(calls)
        for authorization, events in server.taken:
            assert authorization == f"Bearer {KEYS[clients[events[0]['call_id']]]}"

    @pytest.mark.parametrize("trouble", [0, 503, 429])
    def test_posts_again_after_a_failure(self, calls: list[Call], trouble: int) -> None:
        with intake(trouble, trouble, trouble) as server:
            switch = switch_to(server)
            switch.run(calls)
        assert switch.repeated_requests == 3
        assert len(server.taken) == sum(len(call.posts) for call in calls)

    @pytest.mark.parametrize("status", [401, 422, 301])
    def test_raises_when_events_are_refused(self, calls: list[Call], status: int) -> None:
        with intake(status) as server, pytest.raises(SwitchRefused, match=str(status)):
            switch_to(server).run(calls)

    def test_says_one_line_a_call_without_control_characters(self, calls: list[Call]) -> None:
        said: list[str] = []
        with intake() as server:
            switch_to(server, said).run(calls)
        assert len(said) == len(calls)
        assert all(line.isprintable() for line in said)

    def test_stops_while_nobody_answers(self, calls: list[Call]) -> None:
        with intake() as server:
            switch = switch_to(server)

        def stop_once_it_repeats() -> None:
            wait_until(lambda: switch.repeated_requests)
            switch.stop()

        stopping = threading.Thread(target=stop_once_it_repeats)
        stopping.start()
        switch.run(calls)
        stopping.join()
        assert switch.repeated_requests > 0
