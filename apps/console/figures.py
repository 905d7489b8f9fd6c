"""The page of figures: what each account or location had, and the lists behind each figure."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Location
from apps.common.access import Access
from apps.common.admin import access_of
from apps.console.totals import By, Totals, summed, totals_by
from apps.delivery.models import DeliveryState

_PERIODS = {1: "24 hours", 7: "7 days", 30: "30 days"}
_SHOWN = 100
_COLUMNS = {
    "name": "",
    "account": "Account",
    "calls": "Calls",
    "deliveries": "Deliveries",
    "failed": "Failed",
    "under_way": "Under way",
    "last_failure_at": "Last failure",
}
_TEXTS = ("name", "account")
_COUNTS = ("calls", "deliveries", "failed", "under_way")
_STATES: dict[str, Iterable[DeliveryState]] = {
    "deliveries": [state for state in DeliveryState if state != DeliveryState.SKIPPED],
    "succeeded": [DeliveryState.SUCCEEDED],
    "under_way": DeliveryState.unfinished(),
    "failed": DeliveryState.unsuccessful(),
}


@dataclass(frozen=True, slots=True)
class Row:
    """An account or a location with its totals, and where it and each of them lead."""

    name: str
    account: str
    link: str
    totals: Totals
    lists: dict[str, str]

    @property
    def counts(self) -> list[tuple[str, int, str]]:
        """Return each figure with its name and its list."""
        return [(name, getattr(self.totals, name), self.lists[name]) for name in _COUNTS]

    def rank(self, column: str) -> Any:
        """Return where it belongs in the order of a column; nothing comes before everything."""
        if column in _TEXTS:
            return getattr(self, column).lower()
        value = getattr(self.totals, column)
        return value is not None, value


def figures(request: HttpRequest) -> HttpResponse:
    """Show the totals of a period by account or by location, in the order that was chosen.

    `account` narrows it to the locations of one account; 404 for one out of reach. The other
    parameters are `by`, `days`, `o` for the order and `p` for the page; wrong ones count for none.
    """
    access, asked = access_of(request), request.GET
    narrowed = _account(access, asked.get("account", ""))
    account_ids = [narrowed] if narrowed else access.active_ids
    has_several = len(account_ids) > 1
    by = By.ACCOUNT if has_several and asked.get("by") != By.LOCATION else By.LOCATION
    days = next((days for days in _PERIODS if str(days) == asked.get("days")), 1)
    chosen = {"days": days, "by": by.value} | ({"account": narrowed} if narrowed else {})
    columns = [name for name in _COLUMNS if name != "account" or (has_several and by != By.ACCOUNT)]
    order = asked.get("o", "")
    if order.removeprefix("-") not in columns:
        order = "-failed"
    rows = sorted(_rows(access, by, account_ids, days), key=_busiest_first)
    rows.sort(key=lambda row: row.rank(order.removeprefix("-")), reverse=order.startswith("-"))
    context = {
        **admin.site.each_context(request),
        "title": "Figures",
        "account": access.accounts[narrowed] if narrowed else None,
        "choices": _choices(chosen, has_several=has_several),
        "columns": [
            (name, _COLUMNS[name] or by.value.capitalize(), *_sorting(name, order, chosen))
            for name in columns
        ],
        "shows_account": "account" in columns,
        "page": Paginator(rows, _SHOWN).get_page(asked.get("p")),
        "page_link": _to(chosen, o=order),
        "whole": Row("", "", "", summed(row.totals for row in rows), lists_since(days_ago(days))),
    }
    return TemplateResponse(request, "admin/figures.html", context)


def days_ago(days: int) -> dt.datetime:
    """Return a moment to the second, as it stands in addresses."""
    return timezone.now().replace(microsecond=0) - dt.timedelta(days=days)


def lists_since(
    since: dt.datetime, by: By | None = None, key: uuid.UUID | None = None
) -> dict[str, str]:
    """Return the lists behind totals by their names: those of an account or location, or of all."""
    begin = {"created_at__gte": since.isoformat()}
    of_calls = {f"{by.value}__id__exact": key, **begin} if by else begin
    of_deliveries = {f"{by.of_delivery}__id__exact": key, **begin} if by else begin
    deliveries = reverse("admin:delivery_delivery_changelist")
    return {
        "calls": f"{reverse('admin:calls_call_changelist')}?{urlencode(of_calls)}",
        **{
            name: f"{deliveries}?{urlencode({'state__in': ','.join(states), **of_deliveries})}"
            for name, states in _STATES.items()
        },
    }


def _account(access: Access, named: str) -> uuid.UUID | None:
    if not named:
        return None
    try:
        key = uuid.UUID(named)
    except ValueError:
        raise Http404("This is no account.") from None
    if key not in access.active_ids:
        raise Http404("There is no such account here.")
    return key


def _rows(access: Access, by: By, account_ids: list[uuid.UUID], days: int) -> Iterator[Row]:
    since = days_ago(days)
    totals = totals_by(by, account_ids=account_ids, since=since)
    if by is By.ACCOUNT:
        for key in account_ids:
            to_locations = _to({"days": days, "account": key})
            yield Row(
                name=access.accounts[key].name,
                account="",
                link=to_locations,
                totals=totals.get(key, Totals()),
                lists=lists_since(since, by, key),
            )
        return
    locations = Location.objects.filter(account_id__in=account_ids)
    for key, name, account_id in locations.values_list("pk", "name", "account_id"):
        yield Row(
            name=name,
            account=access.accounts[account_id].name,
            link=reverse("admin:accounts_location_webhooks", args=[key]),
            totals=totals.get(key, Totals()),
            lists=lists_since(since, by, key),
        )


def _busiest_first(row: Row) -> tuple[int, int, str]:
    """Return where a row belongs among those that are equal in the column that was chosen."""
    return -row.totals.deliveries, -row.totals.calls, row.name.lower()


def _choices(chosen: dict[str, Any], *, has_several: bool) -> list[tuple[str, list[Any]]]:
    """Return what can be chosen above the table: titles, addresses, and which is chosen."""
    periods = [
        (title, _to(chosen, days=days), days == chosen["days"]) for days, title in _PERIODS.items()
    ]
    groups = [(f"By {each.value}", _to(chosen, by=each.value), each == chosen["by"]) for each in By]
    return [*([("Rows", groups)] if has_several else []), ("Period", periods)]


def _sorting(column: str, order: str, chosen: dict[str, Any]) -> tuple[str, str]:
    """Return where the head of a column leads, and how the table is sorted by it now.

    Of figures the highest comes first, of names the first; chosen again, it turns around.
    """
    sign = "" if column in _TEXTS else "-"
    if order.removeprefix("-") != column:
        return _to(chosen, o=f"{sign}{column}"), ""
    is_falling = order.startswith("-")
    turned = column if is_falling else f"-{column}"
    return _to(chosen, o=turned), "descending" if is_falling else "ascending"


def _to(chosen: dict[str, Any], **changes: Any) -> str:
    return f"{reverse('figures')}?{urlencode(chosen | changes)}"
