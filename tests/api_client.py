"""A client of the API for tests: JSON in, JSON out, and no exceptions for a 500."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.test import Client

from apps.accounts.models import Account, Scope
from apps.accounts.services import issue_key

BASE = "/api/v1"


@dataclass
class Api:
    """Calls addresses below /api/v1 with a key, or without one."""

    token: str | None = None
    browser: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; `body` is JSON unless it is bytes already."""
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return self.browser.generic(
            method, BASE + path, data, content_type="application/json", headers=headers
        )

    def get(self, path: str, **headers: str) -> Any:
        """Get."""
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Post."""
        return self.request("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        """Change."""
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """Delete."""
        return self.request("DELETE", path, **headers)


def api_for(account: Account, *scopes: str) -> Api:
    """Return a client with a new key of the account: to read and write, unless scopes are given."""
    wanted = scopes or (Scope.READ, Scope.WRITE)
    return Api(issue_key(account=account, name="Test", scopes=list(wanted), by=None)[1])


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem, and return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == response.headers["X-Request-Id"]
    return told


def faults(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where a problem points, and with which code."""
    return [(each.get("pointer", each.get("parameter")), each["code"]) for each in told["errors"]]


def good(response: Any, status: int = 200) -> Any:
    """Check that an answer is a success, and return its body."""
    assert response.status_code == status, response.content
    return response.json() if response.content else None
