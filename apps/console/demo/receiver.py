"""A local receiver that plays somebody's CRM: `python -m apps.console.demo.receiver --port 8900`.

Takes a webhook at any path, checks its signature with the secret that the demo's file has for the
path, reads its body, and prints one line. What does not fit that file has it written anew first, by
the command that `--refresh` names: a secret may have been replaced, or a webhook made, since. A
repeat of an id is answered as the first was. `GET /ledger` tells the counts, `GET /ledger/entries`
every id with its body. Paths that end in `/gone` answer 410, in `/down` 503; one is a garage that
the IVR of the demo asks. Knows nothing of Django.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from lxml import etree

from apps.console.demo import world
from apps.console.demo.keepsakes import FILE_NAME, Keepsakes
from apps.console.demo.ledger import MOST_ENTRIES, Entry, Ledger
from apps.delivery.signing import InvalidSignature, verify
from apps.webhooks.secrets import Secret, parse_secret

_MAX_BODY_BYTES = 2_000_000
# How often the secrets are asked for at most, how long that may take, and of how many paths that
# nobody told us of.
_ASKED_EVERY_S = 10.0
_ASKED_S = 30.0
_MOST_STRANGE = 1_000
_SHOWN_VALUES = 6
_SHOWN_CHARS = 32


@dataclass(frozen=True, slots=True)
class Manners:
    """How the receiver misbehaves: every nth new id is refused once, every mth answered slowly.

    0 means never.
    """

    refuse_every: int = 0
    slow_every: int = 0
    slow_s: float = 0.5


@dataclass(slots=True)
class SecretFile:
    """The secrets by path, read again when the file changes; `refresh` is what writes it anew."""

    path: Path
    refresh: Sequence[str] = ()
    _secrets: dict[str, Secret] = field(default_factory=dict)
    _version: tuple[int, int] = (0, 0)
    _strange: set[str] = field(default_factory=set)
    _asked_at: float = -_ASKED_EVERY_S
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def secret_for(self, path: str) -> Secret | None:
        """Return the secret of a path, None if nobody told us."""
        self._refresh()
        return self._secrets.get(path)

    async def ask_about(self, path: str) -> None:
        """Have the file written anew, unless that was just done; for a strange path, only once."""
        async with self._asking:
            is_strange = self.secret_for(path) is None
            if is_strange and (path in self._strange or len(self._strange) == _MOST_STRANGE):
                return
            if not self.refresh or time.monotonic() - self._asked_at < _ASKED_EVERY_S:
                return
            if is_strange:
                self._strange.add(path)
            await _run(self.refresh)
            self._asked_at = time.monotonic()

    def _refresh(self) -> None:
        try:
            found = self.path.stat()
            if self._version != (found.st_ino, found.st_mtime_ns):
                kept = Keepsakes.read(self.path).secrets
                self._secrets = {path: parse_secret(text) for path, text in kept.items()}
                self._version = (found.st_ino, found.st_mtime_ns)
        except OSError:
            return
        except (ValueError, TypeError) as error:
            print(f"{self.path} can not be read: {error}", file=sys.stderr, flush=True)  # noqa: T201


class Receiver:
    """Handles the requests."""

    def __init__(
        self, secrets: SecretFile, manners: Manners, ledger: Ledger, *, is_quiet: bool = False
    ) -> None:
        self.ledger = ledger
        self._secrets = secrets
        self._manners = manners
        self._is_quiet = is_quiet

    def application(self) -> web.Application:
        """Return what aiohttp serves."""
        application = web.Application(client_max_size=_MAX_BODY_BYTES)
        application.router.add_get("/ledger", self.show_counts)
        application.router.add_get("/ledger/entries", self.show_entries)
        application.router.add_get(world.REPAIRS_PATH, self.tell_repair)
        application.router.add_route("*", "/{path:.*}", self.receive)
        return application

    async def receive(self, request: web.Request) -> web.Response:
        """Take one webhook."""
        body = await request.read()
        counts = self.ledger.counts
        counts.requests += 1
        signature = self._check(request, body)
        if signature != "good" and "webhook-signature" in request.headers:
            await self._secrets.ask_about(request.path)
            signature = self._check(request, body)
        counts.unchecked += signature == "unchecked"
        if signature == "bad":
            counts.bad_signatures += 1
            return self._answer(request, 401, "signature does not match")
        if request.path.endswith("/gone"):
            return self._answer(request, 410, "gone for good")
        if request.path.endswith("/down"):
            return self._answer(request, 503, "down, as always")
        try:
            values = list(_values(request.content_type, body))
        except ValueError as error:
            counts.unparsable += 1
            return self._answer(request, 400, f"unreadable body: {error}")
        entry = self.ledger.note_try(
            message_id=request.headers.get("webhook-id") or f"without id, {counts.requests}",
            path=request.path,
            media_type=request.content_type,
            body=body.decode(errors="replace"),
            now=time.time(),
        )
        if self._is_refused(entry):
            counts.refused += 1
            return self._answer(request, 503, "busy, try again")
        await self._be_slow(entry)
        self.ledger.note_accepted(entry, now=time.time())
        remark = "" if signature == "good" else ", signature not checked"
        if entry.accepted > 1:
            remark += ", known already"
        elif entry.tries > 1:
            remark += f", try {entry.tries}"
        return self._answer(request, 200, _summary(values) + remark)

    async def tell_repair(self, request: web.Request) -> web.Response:
        """Answer what is read to the caller of an IVR; 404 for an order that is not known."""
        self.ledger.counts.requests += 1
        text = world.REPAIRS.get(request.query.get("order_no", ""))
        if text is None:
            return self._answer(request, 404, "no such repair order")
        if request.query.get("wish") == "2":
            text = world.CALL_BACK
        self._say(request, 200, text)
        return web.Response(text=text)

    async def show_counts(self, request: web.Request) -> web.Response:
        """Answer the counts."""
        return web.json_response(asdict(self.ledger.counts))

    async def show_entries(self, request: web.Request) -> web.Response:
        """Answer everything that is remembered."""
        return web.json_response(self.ledger.as_plain())

    def _check(self, request: web.Request, body: bytes) -> str:
        secret = self._secrets.secret_for(request.path)
        if secret is None:
            return "unchecked"
        try:
            verify([secret], headers=request.headers, body=body, now=time.time())
        except InvalidSignature:
            return "bad"
        return "good"

    def _is_refused(self, entry: Entry) -> bool:
        every = self._manners.refuse_every
        return bool(every) and entry.tries == 1 and entry.number % every == 0

    async def _be_slow(self, entry: Entry) -> None:
        every = self._manners.slow_every
        if every and entry.tries == 1 and entry.number % every == 0:
            await asyncio.sleep(self._manners.slow_s)

    def _answer(self, request: web.Request, status: int, text: str) -> web.Response:
        self._say(request, status, text)
        return web.json_response({"result": text}, status=status)

    def _say(self, request: web.Request, status: int, text: str) -> None:
        if not self._is_quiet:
            line = f"{status} {request.method} {request.path}: {text}"
            print("".join(c if c.isprintable() else "·" for c in line), flush=True)  # noqa: T201


async def _run(command: Sequence[str]) -> None:
    """Run a command to its end; what it prints is for nobody, and its failure changes nothing."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _ASKED_S)
    finally:
        if process.returncode is None:
            process.kill()


def _values(media_type: str, body: bytes) -> Iterator[str]:
    """Yield the texts in a body, in order. Raises ValueError if it is not what it says."""
    if media_type == "application/json":
        yield from _leaves(json.loads(body))
    elif media_type in ("application/xml", "text/xml"):
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            root = etree.fromstring(body, parser)
        except etree.XMLSyntaxError as error:
            raise ValueError(str(error)) from None
        yield from (element.text or "" for element in root.iter(etree.Element))
        for element in root.iter(etree.Element):
            yield from (str(value) for value in element.attrib.values())
    else:
        yield body.decode()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield str(value)


def _summary(values: list[str]) -> str:
    shown = [value.strip() for value in values if value.strip()][:_SHOWN_VALUES]
    return " · ".join(
        value if len(value) <= _SHOWN_CHARS else value[: _SHOWN_CHARS - 1] + "…" for value in shown
    )


def _arguments() -> argparse.Namespace:
    folder = Path(os.environ.get("DATA_DIR") or "var")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--secrets", type=Path, default=folder / FILE_NAME)
    parser.add_argument("--keep", type=int, default=MOST_ENTRIES, help="ids to remember")
    parser.add_argument("--refuse-every", type=int, default=0, help="503 to each nth id, once")
    parser.add_argument("--slow-every", type=int, default=0, help="answer each nth id slowly")
    parser.add_argument("--slow-s", type=float, default=0.5)
    parser.add_argument(
        "--refresh",
        nargs=argparse.REMAINDER,
        default=(),
        help="command that writes the secrets anew",
    )
    parser.add_argument("--quiet", action="store_true", help="print no line for each webhook")
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    receiver = Receiver(
        SecretFile(arguments.secrets, arguments.refresh),
        Manners(arguments.refuse_every, arguments.slow_every, arguments.slow_s),
        Ledger(most_entries=arguments.keep),
        is_quiet=arguments.quiet,
    )
    web.run_app(
        receiver.application(),
        host=arguments.host,
        port=arguments.port,
        print=None,
        access_log=None,
        shutdown_timeout=2.0,
    )


if __name__ == "__main__":
    main()
