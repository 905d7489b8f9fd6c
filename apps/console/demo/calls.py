"""The simulated calls: who called where, what happened, and what the switch posts of it. Pure.

A call is made from the seed and its number alone, so the same seed makes the same calls. Each
event has what is posted and, apart from that, what is then true of the call (`tells`): from the
latter `expected` works out what the webhooks must say.
"""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from apps.console.demo import world

Facts = dict[str, str]
"""What is true of a call, by flat names: `caller.first_name`."""

FIRST_NAMES = (
    *("Nancy", "Freddy", "Tina", "Glen", "Rod", "Marge", "Donald", "Kincaid", "Alice", "Dan"),
    *("Yvonne", "Kristen", "Philip", "Joey", "Neil"),
)
LAST_NAMES = ("Krueger", "Thompson", "Lantz", "Parker", "Gray", "Lane", "Walsh", "Jordan")
# Every one of these broke somebody's payload once. Half of the callers have such a name.
HARD_FIRST_NAMES = (
    'Zoë "Zed"',
    "O'Brien",
    "Anne & Mary",
    "<b>Bob</b>",
    "Ya\nsmin",
    "Chloé 🎉",
    "]]>",
    "%ani%",
    "back\\slash",
    "李",
    "Tab\tby",
    "José\r\n",
    '{"a": 1}',
)
HARD_LAST_NAMES = (
    "Müller & Söhne",
    "Smith <smith@example.com>",
    "D'Angelo",
    'the "Third"',
    "😀😀",
    "Nguyễn",
    "&amp;",
)
# Longer than any call lasts, with all that follows it.
LONGEST_CALL = dt.timedelta(minutes=10)
_CITIES = ("Springwood", "São Paulo", "Truth or Consequences", "Coeur d'Alene")
_DISPOSITIONS = ("sold", "appointment", "wrong number", 'said "maybe" & hung up')
_VEHICLES = (("2025", "Volvo", "EX30"), ("1958", "Plymouth", "Fury"), ("2024", "Kia", "EV9 <GT>"))
_OUTCOMES = ("answered",) * 6 + ("no_answer", "no_answer", "busy", "voicemail")


@dataclass(slots=True)
class Event:
    """One event: its kind, when it happened, what is posted of it, what it makes true."""

    kind: str
    at: dt.datetime
    body: dict[str, Any]
    tells: Facts


@dataclass(slots=True)
class Call:
    """One simulated call. `arrivals` are its events in the order in which they are posted.

    `posts` holds the same as requests: each one event or a small batch, repeats included.
    """

    id: str
    client: world.Client
    place: world.Place
    line: world.Line | None
    campaign: world.Campaign | None
    arrivals: list[Event] = field(default_factory=list)
    posts: list[list[dict[str, Any]]] = field(default_factory=list)
    summary: str = ""


def simulate(
    *, count: int, seed: int, begin: dt.datetime, spacing: dt.timedelta = dt.timedelta(seconds=1)
) -> list[Call]:
    """Make calls, the first at `begin` (aware), the others `spacing` apart."""
    begin = begin.astimezone(dt.UTC).replace(microsecond=0)
    return [
        _Script(random.Random(f"{seed}/{number}"), number, begin + number * spacing).call()  # noqa: S311
        for number in range(count)
    ]


def moment(at: dt.datetime) -> str:
    """Write a time as payloads have it: 2026-03-28T00:05:00.000Z."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class _Script:
    """Writes one call."""

    def __init__(self, dice: random.Random, number: int, begin: dt.datetime) -> None:
        self._dice = dice
        self._number = number
        self._now = begin
        self._begin = begin
        client, place, line = dice.choice(_LINES)
        campaign = next((each for each in place.campaigns if each.name == line.campaign), None)
        # Some switches know the location and the campaign, and not the number.
        names_number = not (campaign and dice.random() < 0.15)
        self._call = Call(
            id=f"sim-{begin:%y%m%d%H%M%S}-{number}",
            client=client,
            place=place,
            line=line if names_number else None,
            campaign=campaign,
        )
        self._names_number = names_number
        # A talkative switch says everything with every event, so its events may come in any order.
        self._is_talkative = dice.random() < 0.5
        self._caller, self._caller_tells = self._make_caller()
        self._visit, self._visit_tells = self._make_visit()
        self._events: list[Event] = []

    def call(self) -> Call:
        """Write the call from begin to end."""
        dice, call = self._dice, self._call
        outcome = dice.choice(_OUTCOMES)
        pressed = self._press() if call.place.has_menu else []
        if call.place.has_menu and not pressed:
            outcome = "ivr"
        self._add("call.started", {}, {"started_at": moment(self._now)})
        for key in pressed:
            self._add("call.option_reached", {"option": self._name_option(key)}, {"option": key})
        if outcome in ("answered", "no_answer"):
            self._add("call.ringing", {}, {})
        answered_at = None
        if outcome == "answered":
            event = self._add("call.answered", {}, {"status": "answered"})
            answered_at = event.at
        self._end(outcome, answered_at)
        if outcome in ("answered", "voicemail"):
            self._add_later_news()
        call.arrivals = self._order_of_arrival()
        call.posts = self._as_posts()
        call.summary = self._summary(outcome, pressed)
        return call

    def _make_caller(self) -> tuple[dict[str, Any], Facts]:
        dice = self._dice
        number = (
            "anonymous"
            if dice.random() < 0.08
            else f"+1{dice.choice((212, 415, 702, 907))}55501{dice.randrange(100):02}"
        )
        is_hard = dice.random() < 0.5
        first = dice.choice(HARD_FIRST_NAMES if is_hard else FIRST_NAMES)
        last = dice.choice(HARD_LAST_NAMES if is_hard else LAST_NAMES)
        city = dice.choice(_CITIES)
        posted: dict[str, Any] = {"from": number, "direction": "inbound"}
        tells = {"from": number}
        if dice.random() < 0.9:
            posted["caller"] = {"first_name": first, "last_name": last, "city": city}
            tells |= {
                "caller.first_name": first,
                "caller.last_name": last,
                "caller.city": city,
            }
        return posted, tells

    def _press(self) -> list[str]:
        return self._dice.choice((["1"], ["1"], ["2"], ["3"], ["2", "1"], ["1", "2", "1"], []))

    def _name_option(self, key: str) -> str:
        return self._dice.choice((key, world.OPTIONS[key], world.OPTIONS[key].upper()))

    def _where(self) -> dict[str, Any]:
        call = self._call
        if self._names_number:
            return {"tracking_number": call.line.number} if call.line else {}
        named: dict[str, Any] = {"location": call.place.client_location_id}
        if call.campaign:
            named["campaign"] = call.campaign.name
        if call.place.has_menu:
            named["treatment"] = world.MENU
        return named

    def _make_visit(self) -> tuple[dict[str, Any], Facts]:
        """Return the web session before a call to a digital campaign."""
        dice, campaign = self._dice, self._call.campaign
        if campaign is None or not campaign.domain:
            return {}, {}
        domain = campaign.domain
        visitor = {
            "landing_domain": domain,
            "page_converted_on": f"https://{domain}/offers?a=1&b={self._number}",
            "utm_source": dice.choice(("google", "bing", "news & mail")),
            "utm_medium": "cpc",
            "utm_campaign": dice.choice(("spring", 'the "big" sale', "été")),
            "gclid": f"Cj0KCQ-{self._number}",
            "ip_address": "192.0.2.7",
            "browser_family": "Firefox",
        }
        tells = {f"visitor.{name}": value for name, value in visitor.items()}
        posted: dict[str, Any] = {"visitor": visitor, "session_id": f"web-{self._number}"}
        if self._call.client.name == world.ELM_STREET:
            year, make, model = dice.choice(_VEHICLES)
            vin = f"1HGCM82633A{self._number:06}"
            posted["vehicle"] = {"year": int(year), "make": make, "model": model, "vin": vin}
            tells |= {
                "vehicle.year": year,
                "vehicle.make": make,
                "vehicle.model": model,
                "vehicle.vin": vin,
            }
        return posted, tells

    def _end(self, outcome: str, answered_at: dt.datetime | None) -> None:
        self._now += dt.timedelta(seconds=self._dice.randrange(5, 300))
        ended_at = self._now
        talk_s = int((ended_at - answered_at).total_seconds()) if answered_at else 0
        tells = {
            "status": outcome,
            "ended_at": moment(ended_at),
            "duration_s": str(int((ended_at - self._begin).total_seconds())),
            "talk_s": str(talk_s),
        }
        posted: dict[str, Any] = {}
        # A terse switch leaves to Hookline what can be worked out.
        is_evident = outcome == "answered" or (
            outcome == "no_answer" and not self._call.place.has_menu
        )
        if self._is_talkative or not is_evident:
            posted["status"] = outcome
        if self._is_talkative:
            posted |= {
                "started_at": self._local(self._begin),
                "ended_at": self._local(ended_at),
                "duration_s": int(tells["duration_s"]),
                "talk_s": talk_s,
            }
            tells["started_at"] = moment(self._begin)
        if self._dice.random() < 0.7:
            rings = self._dice.randrange(1, 9)
            posted["ring_count"] = rings
            tells["ring_count"] = str(rings)
        self._add("call.ended", posted, tells, at=ended_at)
        if self._dice.random() < 0.1:
            # The other leg of the call ends too: no second end.
            self._add("call.ended", posted, tells, at=ended_at + dt.timedelta(seconds=1))

    def _add_later_news(self) -> None:
        dice = self._dice
        url = f"https://recordings.example/{self._call.id}.mp3?sig=a&b={self._number}"
        if dice.random() < 0.8:
            recording = {"url": url, "duration_s": 20}
            self._add("recording.ready", {"recording": recording}, {"recording.url": url})
        if dice.random() < 0.4:
            self._add("transcript.ready", {"transcript": 'Hello & "welcome"\n<pause>'}, {})
        if dice.random() < 0.4:
            disposition = dice.choice(_DISPOSITIONS)
            self._add(
                "call.updated",
                {"custom": {"disposition": disposition}},
                {"custom.disposition": disposition},
            )

    def _add(
        self, kind: str, posted: dict[str, Any], tells: Facts, *, at: dt.datetime | None = None
    ) -> Event:
        is_first = not self._events
        if at is None and not is_first:
            self._now += dt.timedelta(seconds=self._dice.randrange(2, 20))
        at = at or self._now
        self._now = max(self._now, at)
        body: dict[str, Any] = {
            "id": f"{self._call.id}-{len(self._events)}",
            "type": kind,
            "call_id": self._call.id,
            "occurred_at": self._local(at),
            **posted,
        }
        if is_first or self._is_talkative:
            body |= {**self._where(), **self._caller, **self._visit}
            tells = {**self._caller_tells, **self._visit_tells, **tells}
        event = Event(kind, at, body, tells)
        self._events.append(event)
        return event

    def _local(self, at: dt.datetime) -> str:
        """Write a time as switches in several zones do."""
        offset = self._dice.choice((0, -5, -7, 2))
        text = at.astimezone(dt.timezone(dt.timedelta(hours=offset))).isoformat()
        return text.replace("+00:00", "Z")

    def _order_of_arrival(self) -> list[Event]:
        """Return the events as they arrive: those of a talkative switch sometimes in disorder.

        Which option was reached is always told before the end.
        """
        events = list(self._events)
        if not self._is_talkative or self._dice.random() < 0.5:
            return events
        end = next(n for n, event in enumerate(events) if event.kind == "call.ended")
        if self._dice.random() < 0.5 and not self._call.place.has_menu:
            self._dice.shuffle(events)
        else:
            before, after = events[:end], events[end:]
            self._dice.shuffle(before)
            self._dice.shuffle(after)
            events = before + after
        return events

    def _as_posts(self) -> list[list[dict[str, Any]]]:
        dice = self._dice
        posts: list[list[dict[str, Any]]] = []
        for event in self._call.arrivals:
            if posts and dice.random() < 0.3:
                posts[-1].append(event.body)
            else:
                posts.append([event.body])
        repeated = dice.choice(posts)
        if dice.random() < 0.15:
            posts.append(repeated)
        return posts

    def _summary(self, outcome: str, pressed: list[str]) -> str:
        choices = " then ".join(world.OPTIONS[key] for key in pressed)
        who = self._caller_tells.get("caller.first_name", "somebody")
        where = f"{self._call.place.name}, {choices}" if choices else self._call.place.name
        through = f" ({self._call.campaign.name})" if self._call.campaign else ""
        return f"{self._call.id} {who} called {where}{through}: {outcome}"


_LINES = [
    (client, place, line)
    for client in world.CLIENTS
    for place in client.places
    for line in place.lines
]
