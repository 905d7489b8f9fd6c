"""What can be imported and exported: the columns of locations, campaigns and tracking numbers.

A cell is read with what the account has: `Place` is loaded once an import, so that no row asks the
database anything.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from apps.accounts.countries import COUNTRIES
from apps.accounts.models import Group, Location
from apps.accounts.time_zones import time_zones
from apps.campaigns.models import (
    Campaign,
    CampaignKind,
    SheetKind,
    TrackingNumber,
    Treatment,
)
from apps.common.documents import as_json
from apps.common.ids import InvalidPublicId
from apps.common.models import AccountOwned

_YES, _NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}


class CellError(ValueError):
    """A cell says nothing that can be used; the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Place:
    """What cells may name: the account's own groups, locations, campaigns and treatments.

    Locations are found by public id, by the client's own id and by name, in this order.
    """

    groups: dict[str, Group]
    locations: dict[str, list[Location]] = field(default_factory=lambda: defaultdict(list))
    campaigns: dict[tuple[uuid.UUID, str], Campaign] = field(default_factory=dict)
    treatments: dict[tuple[uuid.UUID, str], Treatment] = field(default_factory=dict)

    @classmethod
    def of(cls, account_id: uuid.UUID) -> "Place":
        """Load what an account has."""
        place = cls(groups={one.name: one for one in Group.objects.filter(account_id=account_id)})
        locations = list(Location.objects.filter(account_id=account_id))
        for name in ("public_id", "client_location_id", "name"):
            found: dict[str, list[Location]] = defaultdict(list)
            for location in locations:
                found[getattr(location, name)].append(location)
            for key, these in found.items():
                if key:
                    place.locations.setdefault(key, these)
        for campaign in Campaign.objects.filter(account_id=account_id):
            place.campaigns[campaign.location_id, campaign.name] = campaign
        for treatment in Treatment.objects.filter(account_id=account_id):
            place.treatments[treatment.location_id, treatment.name] = treatment
        return place


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field it is about, and how its cells are read and written.

    `read` gets the cell, the row that it is to be put into, and the place.
    """

    name: str
    field: str
    read: Callable[[str, Any, Place], Any]
    write: Callable[[Any], str]
    is_required: bool = False
    # Read after the others, as it depends on them.
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one model as a sheet. `key` is what no two rows of an account share."""

    model: type[AccountOwned]
    columns: Sequence[Column]
    key: Callable[[Any], Any]
    key_message: str
    # What the model has against a row by itself; raises ValidationError.
    check: Callable[[Any], None] = lambda row: None
    related: Sequence[str] = ()
    # Fields that stay as they are once a row is there.
    fixed: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """Return the names of the columns, that of the id first."""
        return ["id", *(column.name for column in self.columns)]

    def as_cells(self, row: Any) -> list[str]:
        """Return the cells of a row."""
        return [row.public_id, *(column.write(row) for column in self.columns)]


def _text(name: str, field: str = "", is_required: bool = False) -> Column:
    field = field or name

    def read(cell: str, row: Any, place: Place) -> str:
        if is_required and not cell:
            raise CellError("required", "This cell must not be empty.")
        return cell

    return Column(name, field, read, lambda row: str(getattr(row, field)), is_required)


def _choice(name: str, choices: Mapping[str, str]) -> Column:
    def read(cell: str, row: Any, place: Place) -> str:
        if cell.lower() not in choices:
            raise CellError("invalid_choice", f"Write one of these: {', '.join(choices)}.")
        return cell.lower()

    return Column(name, name, read, lambda row: str(getattr(row, name)))


def _active() -> Column:
    def read(cell: str, row: Any, place: Place) -> bool:
        if cell.lower() in _YES:
            return True
        if cell.lower() in _NO:
            return False
        raise CellError("invalid_choice", "Write yes or no.")

    return Column("active", "is_active", read, lambda row: "yes" if row.is_active else "no")


def _location() -> Column:
    def read(cell: str, row: Any, place: Place) -> Location:
        if not cell:
            raise CellError("required", "This cell must not be empty.")
        found = place.locations.get(cell, [])
        if not found:
            raise CellError("not_found", "There is no such location here.")
        if len(found) > 1:
            raise CellError("ambiguous", "Several locations have this name: write the id of one.")
        return found[0]

    return Column("location", "location", read, _location_cell, is_required=True)


def _location_cell(row: Any) -> str:
    location: Location = row.location
    return location.client_location_id or location.public_id


def _at_location(name: str, found_in: Callable[[Place], Mapping[Any, Any]]) -> Column:
    def read(cell: str, row: Any, place: Place) -> Any:
        if not cell:
            return None
        found = found_in(place).get((row.location_id, cell))
        if found is None:
            raise CellError("not_found", f"There is no such {name} at this location.")
        return found

    def write(row: Any) -> str:
        target = getattr(row, name)
        return "" if target is None else str(target.name)

    return Column(name, name, read, write, is_late=True)


def _read_group(cell: str, row: Any, place: Place) -> Group | None:
    if not cell:
        return None
    if cell not in place.groups:
        raise CellError("not_found", "There is no such group here.")
    return place.groups[cell]


def _read_country(cell: str, row: Any, place: Place) -> str:
    code = cell.upper() or "US"
    if code not in COUNTRIES:
        raise CellError("unknown_country", "Write two letters of a country, as US or GB.")
    return code


def _read_zone(cell: str, row: Any, place: Place) -> str:
    if cell not in time_zones():
        raise CellError("unknown_time_zone", "Write a time zone, as America/Los_Angeles.")
    return cell


def _read_tags(cell: str, row: Any, place: Place) -> dict[str, Any]:
    if cell.startswith("{"):
        try:
            return dict(orjson.loads(cell))
        except orjson.JSONDecodeError:
            raise CellError("invalid", "This is not JSON; write tags as Region=south.") from None
    return _plain_tags(cell)


def _plain_tags(cell: str) -> dict[str, str]:
    tags = {}
    for part in filter(str.strip, cell.split(";")):
        name, separator, value = part.partition("=")
        if not separator or not name.strip():
            raise CellError("invalid", "Write tags as Region=south; Tier=gold.")
        tags[name.strip()] = value.strip()
    return tags


def _write_tags(row: Any) -> str:
    """Write tags as people do; as JSON, where that would be read as others."""
    text = "; ".join(f"{name}={value}" for name, value in row.tags.items())
    is_plain = not text.startswith("{") and _reads_as(text, row.tags)
    return text if is_plain else as_json(row.tags).decode()


def _reads_as(text: str, tags: dict[str, Any]) -> bool:
    try:
        return _plain_tags(text) == tags
    except CellError:
        return False


KINDS: Mapping[str, Kind] = {
    SheetKind.LOCATIONS: Kind(
        model=Location,
        columns=[
            _text("name", is_required=True),
            Column("group", "group", _read_group, lambda row: row.group.name if row.group else ""),
            _text("address", "address_line_1"),
            _text("address_2", "address_line_2"),
            _text("city"),
            _text("state"),
            _text("zip"),
            Column("country", "country", _read_country, lambda row: str(row.country)),
            Column("time_zone", "time_zone", _read_zone, lambda row: str(row.time_zone)),
            _text("client_account_id"),
            _text("client_location_id"),
            _text("site_id"),
            _text("domain_id"),
            _active(),
        ],
        key=lambda row: row.client_location_id or None,
        key_message="Another location has this client's location ID.",
        related=["group"],
    ),
    SheetKind.CAMPAIGNS: Kind(
        model=Campaign,
        columns=[
            _location(),
            _text("name", is_required=True),
            _choice("kind", dict(CampaignKind.choices)),
            _text("domain"),
            Column("tags", "tags", _read_tags, _write_tags),
            _active(),
        ],
        key=lambda row: (row.location_id, row.name),
        key_message="Another campaign of this location has this name.",
        check=lambda row: row.check_tags(),
        related=["location"],
        # Its numbers and attached webhooks are there.
        fixed=frozenset({"location"}),
    ),
    SheetKind.NUMBERS: Kind(
        model=TrackingNumber,
        columns=[
            _text("number", is_required=True),
            _location(),
            _text("label"),
            _at_location("campaign", lambda place: place.campaigns),
            _at_location("treatment", lambda place: place.treatments),
        ],
        key=lambda row: row.number,
        key_message="This number is there already.",
        check=lambda row: row.check_place(),
        related=["location", "campaign", "treatment"],
    ),
}


def key_in(kind: Kind, cell: str) -> uuid.UUID:
    """Return the key behind a cell of the column `id`; raise CellError for what is none."""
    try:
        return kind.model.key_of(cell)
    except InvalidPublicId as error:
        raise CellError("not_found", str(error)) from None
