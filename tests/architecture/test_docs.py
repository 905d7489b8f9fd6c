"""The documents hold what they say: links, paths, figures and examples."""

import ast
import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from apps.calls.snapshots import MAX_BYTES
from apps.campaigns.models import PLACES
from apps.delivery import retry
from apps.delivery.clients.exchange import CONNECT_TIMEOUT_S
from apps.delivery.engine.lanes import CONCURRENCY
from apps.delivery.outcome import MAX_BODY_BYTES, ErrorKind
from apps.delivery.signing import sign
from apps.intake.events import _READERS, MAX_DEPTH, MAX_EVENT_BYTES, parse_event
from apps.webhooks.schedules import DEFAULT_SCHEDULE
from config import settings
from config.api import router
from tests.architecture.image import BASE_DIR
from tests.builders import new_secret

SKIPPED = {".venv", "var", "node_modules", ".git"}
DOCUMENTS = sorted(
    path.relative_to(BASE_DIR).as_posix()
    for path in BASE_DIR.rglob("*.md")
    if not SKIPPED & set(path.relative_to(BASE_DIR).parts)
    and not any(part.startswith(".") for part in path.relative_to(BASE_DIR).parts)
)
DECISIONS = sorted((BASE_DIR / "docs/adr").glob("*.md"))
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"`((?:apps|bench|config|docker|docs|requirements|templates|tests)/[^`\s*]*)`")


def text_of(document: str) -> str:
    return (BASE_DIR / document).read_text()


def anchors_of(path: Path) -> set[str]:
    """Return what headings are linked by, as code forges spell it."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def codes_in(*files: str) -> set[str]:
    """Return the codes of EventFault and Problem that files raise, as far as they are literal."""
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(text_of(file))):
            match node:
                case ast.Call(
                    func=ast.Name(id="EventFault" | "Problem"),
                    args=[_, ast.Constant(value=str(code)), *_],
                ):
                    found.add(code)
    return found


class TestLinks:
    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_lead_somewhere(self, document: str) -> None:
        prose = _FENCE.sub("", text_of(document))
        for link in _LINK.findall(prose):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            path = (BASE_DIR / document).parent / target if target else BASE_DIR / document
            assert path.exists(), link
            if anchor:
                assert anchor in anchors_of(path), link

    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_named_files_exist(self, document: str) -> None:
        for path in _PATH.findall(text_of(document)):
            assert (BASE_DIR / path).exists(), path


class TestDecisions:
    def test_are_numbered_without_a_gap(self) -> None:
        numbers = [int(path.name[:4]) for path in DECISIONS]
        assert numbers == list(range(1, len(numbers) + 1))

    @pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
    def test_are_short_and_whole(self, path: Path) -> None:
        text = path.read_text()
        assert len(text.split()) < 400
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


class TestApiDocument:
    def test_has_every_field(self) -> None:
        text = text_of("docs/api.md")
        assert {name for name in _READERS if f"`{name}`" not in text} == set()

    def test_has_every_code(self) -> None:
        text = text_of("docs/api.md")
        codes = codes_in(
            "apps/intake/events.py", "apps/intake/views.py", "apps/common/api/bodies.py"
        )
        codes |= {f"unknown_{name}" for name in ("type", "status", "direction", "number_type")}
        codes |= {f"unknown_{name}" for name in {*PLACES, "tracking_number"} - {"option"}}
        assert {code for code in codes if f"`{code}`" not in text} == set()

    def test_has_the_limits(self) -> None:
        text = text_of("docs/api.md")
        assert f"{settings.INTAKE_MAX_BODY_BYTES:,} bytes" in text
        assert f"up to {settings.INTAKE_MAX_BATCH}" in text
        assert f"{MAX_EVENT_BYTES:,} bytes, {MAX_DEPTH} levels" in text
        assert f"{MAX_BYTES:,} bytes as JSON" in text
        snapshot = (BASE_DIR / "docs/snapshot.md").read_text()
        assert f"{MAX_BYTES:,} bytes as JSON" in snapshot

    @pytest.mark.parametrize("document", ["docs/api.md", "README.md"])
    def test_examples_are_events(self, document: str) -> None:
        events = [*posted_by_curl(document), *posted_by_python(document)]
        assert events
        for event in events:
            assert "custom" not in parse_event(event).facts

    def test_names_every_list(self) -> None:
        text = text_of("docs/api.md")
        for prefix, _, _ in router.registry:
            assert f"`/{prefix.rpartition(')/')[2]}`" in text

    def test_json_is_json(self) -> None:
        blocks = [code for kind, code in _FENCE.findall(text_of("docs/api.md")) if kind == "json"]
        assert [json.loads(code) for code in blocks]


def posted_by_curl(document: str) -> list[Any]:
    """Return the events that the shell examples of a document post."""
    events: list[Any] = []
    for kind, code in _FENCE.findall(text_of(document)):
        words = shlex.split(code) if kind == "sh" and "/api/v1/events" in code else []
        for name, value in pairwise(words):
            if name == "--data":
                body = json.loads(value)
                events += body if isinstance(body, list) else [body]
    return events


def posted_by_python(document: str) -> list[Any]:
    """Return the events that the Python examples of a document define."""
    return [
        event
        for kind, code in _FENCE.findall(text_of(document))
        if kind == "python"
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "events"
        for event in ast.literal_eval(node.value)
    ]


class TestDeliveryDocument:
    def test_verifies_what_is_signed(self) -> None:
        (code,) = [code for kind, code in _FENCE.findall(text_of("docs/delivery.md")) if kind]
        example: dict[str, Any] = {}
        exec(code, example)  # noqa: S102 - the document's own example
        secret, now = new_secret(), int(example["time"].time())
        headers = sign([secret], message_id="msg_1", timestamp=now, body=b"{}")
        assert example["is_genuine"](secret.text, headers, b"{}")
        assert not example["is_genuine"](secret.text, headers, b"{ }")
        assert not example["is_genuine"](new_secret().text, headers, b"{}")
        late = sign([secret], message_id="msg_1", timestamp=now - 400, body=b"{}")
        assert not example["is_genuine"](secret.text, late, b"{}")

    def test_has_the_schedule(self) -> None:
        words = ", ".join(in_words(wait) for wait in DEFAULT_SCHEDULE)
        text = " ".join(text_of("docs/delivery.md").split())
        assert f"the waits are {words}: {len(DEFAULT_SCHEDULE) + 1} tries" in text
        assert f"over about {round(sum(DEFAULT_SCHEDULE) / 3600)} hours" in text
        assert f"up to {retry.JITTER:.0%}" in text
        assert f"by {retry.RETRY_AFTER_CAP_S // 3600} hours at most" in text
        assert f"until {retry.CLIENT_ERROR_RETRIES + 1} tries have been made" in text
        assert ", ".join(map(str, sorted(retry.PATIENT_CLIENT_ERRORS))) in text

    def test_has_the_limits(self) -> None:
        text = text_of("docs/delivery.md")
        assert f"{MAX_BODY_BYTES:,} bytes" in text
        assert f"connection may take {CONNECT_TIMEOUT_S:g} s" in text
        assert f"at most {CONCURRENCY} requests under way" in text

    def test_has_every_kind_of_failure(self) -> None:
        rows = re.findall(r"^\| `([a-z_]+)` \|", text_of("docs/delivery.md"), re.MULTILINE)
        assert set(rows) >= set(ErrorKind)


def in_words(wait_s: int) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if wait_s >= size:
            return f"{wait_s // size} {unit}"
    return f"{wait_s} s"
