"""Every endpoint of the API: who may use it, with what it is asked, and what it then answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.common.access import Role

SAMPLE = '{"phone": "%ani%"}'
VIEWER, MEMBER, ADMIN, OWNER = Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A line of the table.

    `scope` is what a key needs, `role` the least that a person needs; None lets no person in. A key
    counts as an admin if it writes, else as a viewer. Names in braces stand for ids of rows.
    """

    method: str
    url: str
    scope: str
    role: Role | None
    status: int = 200
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


def _rows(
    url: str, name: str, new: Any, *, delete: Role = ADMIN, deleted: int = 204, **roles: Role
) -> Iterator[Endpoint]:
    """Yield the five endpoints of rows that are managed like most are.

    `deleted` is 409 where other rows of the walk depend on this one.
    """
    view, add = roles.get("view", VIEWER), roles.get("add", MEMBER)
    change = roles.get("change", MEMBER)
    one = f"{url}/{{{name}}}"
    yield Endpoint("GET", url, "read", view)
    yield Endpoint("POST", url, "write", add, 201, new)
    yield Endpoint("GET", one, "read", view)
    yield Endpoint("PATCH", one, "write", change, 200, {})
    yield Endpoint("DELETE", one, "write", delete, deleted)


TABLE: list[Endpoint] = [
    Endpoint("POST", "/events", "ingest", None, 202, {}),
    # Accounts, places, people and keys
    Endpoint("GET", "/accounts", "read", VIEWER),
    Endpoint("POST", "/accounts", "write", ADMIN, 201, {"name": "N", "agency": "{agency}"}),
    Endpoint("GET", "/accounts/{account}", "read", VIEWER),
    Endpoint("PATCH", "/accounts/{account}", "write", ADMIN, 200, {"name": "N"}),
    *_rows("/groups", "group", {"name": "N", "account": "{account}"}),
    *_rows("/locations", "location", {"name": "N", "group": "{group}"}, deleted=409),
    *_rows(
        "/members",
        "membership",
        {"email": "new@example.com", "role": "viewer", "account": "{account}"},
        view=ADMIN,
        add=ADMIN,
        change=ADMIN,
    ),
    Endpoint("GET", "/api-keys", "read", ADMIN),
    Endpoint(
        "POST",
        "/api-keys",
        "write",
        ADMIN,
        201,
        {"name": "N", "scopes": ["write"], "account": "{account}"},
    ),
    Endpoint("GET", "/api-keys/{apikey}", "read", ADMIN),
    Endpoint("POST", "/api-keys/{apikey}/revoke", "write", ADMIN),
    # Tokens, templates and webhooks
    Endpoint("GET", "/tokens", "read", VIEWER),
    Endpoint("GET", "/tokens/ani", "read", VIEWER),
    *_rows(
        "/templates",
        "template",
        {"name": "N", "format": "json", "sample": SAMPLE, "group": "{group}"},
        deleted=409,
    ),
    Endpoint("GET", "/gallery", "read", VIEWER),
    Endpoint("GET", "/gallery/adf", "read", VIEWER),
    Endpoint(
        "POST",
        "/templates/from-gallery",
        "write",
        MEMBER,
        201,
        {"key": "adf", "account": "{account}"},
    ),
    Endpoint("POST", "/templates/extract", "read", VIEWER, 200, {"format": "json", "sample": "{}"}),
    Endpoint(
        "POST",
        "/templates/suggest",
        "read",
        VIEWER,
        200,
        {"format": "json", "sample": "{}", "account": "{account}"},
    ),
    Endpoint(
        "POST", "/templates/validate", "read", VIEWER, 200, {"format": "json", "sample": SAMPLE}
    ),
    Endpoint(
        "POST",
        "/templates/preview",
        "read",
        VIEWER,
        200,
        {"format": "json", "sample": SAMPLE, "call": "{call}"},
    ),
    Endpoint("POST", "/templates/{template}/render", "read", VIEWER, 200, {"call": "{call}"}),
    Endpoint(
        "POST", "/templates/{template}/duplicate", "write", MEMBER, 201, {"account": "{account}"}
    ),
    Endpoint("GET", "/templates/{template}/usage", "read", VIEWER),
    Endpoint("GET", "/templates/{template}/diff?old=1", "read", VIEWER),
    Endpoint("GET", "/templates/{template}/versions", "read", VIEWER),
    Endpoint("GET", "/templates/{template}/versions/1", "read", VIEWER),
    Endpoint("POST", "/templates/{template}/versions/1/restore", "write", MEMBER, 201),
    *_rows(
        "/webhooks",
        "webhook",
        {
            "name": "N",
            "url": "https://93.184.216.34/n",
            "location": "{location}",
            "template": "{template}",
            "attachments": [{"timing": "begin", "location": "{location}"}],
        },
        deleted=409,
    ),
    Endpoint(
        "POST", "/templates/{template}/apply", "write", MEMBER, 200, {"locations": ["{location}"]}
    ),
    Endpoint(
        "POST",
        "/webhooks/{webhook}/apply",
        "write",
        MEMBER,
        200,
        {"filter": {"account": "{account}", "group": "{group}"}},
    ),
    Endpoint("POST", "/webhooks/{webhook}/enable", "write", MEMBER),
    Endpoint("POST", "/webhooks/{webhook}/disable", "write", MEMBER),
    Endpoint("POST", "/webhooks/{webhook}/rotate-secret", "write", ADMIN),
    Endpoint("POST", "/webhooks/{webhook}/test", "write", MEMBER, 200, {"call": "{call}"}),
    Endpoint("GET", "/webhooks/{webhook}/backtest", "read", VIEWER),
    Endpoint("GET", "/webhooks/{webhook}/stats", "read", VIEWER),
    # Campaigns, numbers, treatments and attachments
    *_rows("/campaigns", "campaign", {"name": "N", "location": "{location}"}),
    *_rows(
        "/tracking-numbers",
        "trackingnumber",
        {
            "number": "+15559990000",
            "location": "{location}",
            "campaign": "{campaign}",
            "treatment": "{treatment}",
        },
    ),
    *_rows("/treatments", "treatment", {"name": "N", "location": "{location}"}),
    *_rows(
        "/treatments/{treatment}/options",
        "treatmentoption",
        {"key": "9", "label": "N"},
        delete=MEMBER,
    ),
    *_rows(
        "/attachments",
        "attachment",
        {"webhook": "{webhook}", "timing": "begin", "campaign": "{campaign}"},
        delete=MEMBER,
    ),
    # CSV files
    *(
        Endpoint("GET", f"{url}/export", "read", VIEWER)
        for url in ("/locations", "/campaigns", "/tracking-numbers")
    ),
    Endpoint("GET", "/imports", "read", MEMBER),
    Endpoint(
        "POST",
        "/imports",
        "write",
        MEMBER,
        201,
        {"kind": "locations", "csv": "name\nN\n", "account": "{account}"},
    ),
    Endpoint("GET", "/imports/{import}", "read", MEMBER),
    Endpoint("POST", "/imports/{import}/confirm", "write", MEMBER),
    Endpoint("POST", "/imports/{import}/cancel", "write", MEMBER),
    # IVRs
    *_rows("/ivrs", "ivr", {"number": 990, "name": "N", "location": "{location}"}),
    Endpoint("GET", "/ivrs/{ivr}/stats", "read", VIEWER),
    *_rows("/ivrs/{ivr}/questions", "ivrquestion", {"number": 99, "prompt": "N"}, delete=MEMBER),
    Endpoint("GET", "/ivrs/{ivr}/hook", "read", VIEWER),
    Endpoint("PATCH", "/ivrs/{ivr}/hook", "write", MEMBER, 200, {}),
    Endpoint("GET", "/ivrs/{ivr}/exchanges", "read", VIEWER),
    Endpoint("GET", "/ivrs/{ivr}/exchanges/{ivrexchange}", "read", VIEWER),
    # Calls and deliveries
    Endpoint("GET", "/calls", "read", VIEWER),
    Endpoint("GET", "/calls/{call}", "read", VIEWER),
    Endpoint("GET", "/calls/{call}/timeline", "read", VIEWER),
    Endpoint("POST", "/calls/{call}/erase", "write", ADMIN),
    Endpoint("GET", "/deliveries", "read", VIEWER),
    Endpoint("GET", "/deliveries/{delivery}", "read", VIEWER),
    Endpoint("POST", "/deliveries/{delivery}/resend", "write", MEMBER, 201),
    Endpoint("GET", "/deliveries/{delivery}/attempts", "read", VIEWER),
    Endpoint("GET", "/deliveries/{delivery}/attempts/{attempt}", "read", VIEWER),
    Endpoint("GET", "/replays", "read", VIEWER),
    Endpoint(
        "POST",
        "/replays",
        "write",
        MEMBER,
        201,
        {
            "account": "{account}",
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-01-02T00:00:00Z",
            "webhooks": ["{webhook}"],
        },
    ),
    Endpoint("GET", "/replays/{replay}", "read", VIEWER),
    Endpoint("POST", "/replays/{replay}/cancel", "write", MEMBER),
    Endpoint("POST", "/replays/{replay}/resume", "write", MEMBER, 422),
    Endpoint("GET", "/alerts", "read", VIEWER),
    Endpoint("GET", "/alerts/{alert}", "read", VIEWER),
    Endpoint("GET", "/audit", "read", ADMIN),
    Endpoint("GET", "/audit/{auditentry}", "read", ADMIN),
    Endpoint("GET", "/usage", "read", VIEWER),
]
