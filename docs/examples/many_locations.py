"""Gives many locations a webhook each, by the API, and reads what was sent for a call.

    HOOKLINE_URL=https://hooks.example.com HOOKLINE_KEY=hk_… \
        python many_locations.py https://crm.example.com/leads --locations 200

It needs `requests` and a key with the scopes read, write and ingest. It may be run again: each step
has an Idempotency-Key, so that what was made in the last 24 hours is not made twice.
"""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor

import requests

SAMPLE = '{"first_name": "Jane", "last_name": "Doe", "phone": "5551234567", "source": "phone"}'


class Hookline:
    """Calls the API; waits where it is told to, and raises RuntimeError for a problem."""

    def __init__(self, url, key):
        self.url = f"{url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path, **parameters):
        return self._send("GET", path, params=parameters)

    def post(self, path, body, once=None):
        headers = {"Idempotency-Key": once} if once else {}
        return self._send("POST", path, json=body, headers=headers)

    def all(self, path, **parameters):
        """Yield the rows of a list, page by page."""
        cursor = ""
        while cursor is not None:
            page = self.get(path, limit=200, cursor=cursor, **parameters)
            yield from page["data"]
            cursor = page["next_cursor"]

    def _send(self, method, path, **options):
        for _ in range(5):
            answer = self.session.request(method, self.url + path, timeout=30, **options)
            if answer.status_code not in (429, 503) and answer.ok:
                return answer.json()
            problem = answer.json()
            if problem["code"] not in ("rate_limited", "request_in_progress"):
                break
            time.sleep(int(answer.headers.get("Retry-After", 1)))
        raise RuntimeError(f"{method} {path}: {problem['detail']} {problem.get('errors', '')}")


def make_template(hookline, run):
    """Make a template of the sample: what is suggested with certainty is filled in."""
    body = {"format": "json", "sample": SAMPLE}
    suggested = hookline.post("/templates/suggest", body)["data"]
    mapping = [
        {"path": field["path"], "kind": "token", "token": field["suggestions"][0]["token"]}
        for field in suggested
        if field["suggestions"][0]["is_sure"]
    ]
    body = {**body, "name": f"Lead {run}", "mapping": mapping}
    return hookline.post("/templates", body, once=f"{run}-template")


def set_up(hookline, run, number, template, receiver):
    """Make a location with a number, and a webhook that tells of the end of each of its calls."""
    location = hookline.post(
        "/locations",
        {"name": f"Shop {number}", "client_location_id": f"{run}-{number}"},
        once=f"{run}-location-{number}",
    )
    webhook = hookline.post(
        "/webhooks",
        {
            "name": f"CRM of shop {number}",
            "url": receiver,
            "location": location["id"],
            "template": template["id"],
            "headers": [{"name": "X-Shop", "value": str(number)}],
            "attachments": [{"timing": "end", "location": location["id"]}],
        },
        once=f"{run}-webhook-{number}",
    )
    return location, webhook


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("receiver", help="where the leads go")
    parser.add_argument("--locations", type=int, default=200)
    parser.add_argument("--run", default="first", help="another word makes another set")
    chosen = parser.parse_args()
    hookline = Hookline(os.environ["HOOKLINE_URL"], os.environ["HOOKLINE_KEY"])

    template = make_template(hookline, chosen.run)
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda number: set_up(hookline, chosen.run, number, template, chosen.receiver),
                range(1, chosen.locations + 1),
            )
        )
    print(f"{len(made)} locations have a webhook.")

    location, _ = made[0]
    receipt = hookline.post(
        "/events",
        {
            "id": f"{run_id(chosen.run)}-ended",
            "type": "call.ended",
            "call_id": run_id(chosen.run),
            "occurred_at": "2026-03-28T00:05:36Z",
            "location": location["id"],
            "from": "+17776734736",
            "status": "answered",
            "caller": {"first_name": "Freddy", "last_name": "Krueger"},
        },
    )
    call = receipt["accepted"][0]["call"]
    for delivery in hookline.all("/deliveries", call=call, expand="webhook"):
        print(f"{delivery['webhook']['name']}: {delivery['state']}")


def run_id(run):
    return f"example-{run}"


if __name__ == "__main__":
    main()
