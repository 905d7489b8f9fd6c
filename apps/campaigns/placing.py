"""Finding the place of an event: which location, campaign, treatment and option it is about."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Prefetch

from apps.accounts.models import Location
from apps.campaigns.models import Campaign, TrackingNumber, Treatment, TreatmentOption
from apps.common.ids import InvalidPublicId
from apps.common.queries import Among, PreparedQuery

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")

_NUMBERS = PreparedQuery(
    lambda: (
        TrackingNumber.objects.filter(Among("account_id", "accounts"), Among("number", "numbers"))
        .select_related("location__account", "campaign")
        .order_by()
    )
)


@dataclass(frozen=True, slots=True)
class PlaceReference:
    """How an event names its place; each part is as the platform wrote it.

    `location`, `campaign` and `treatment` are public ids; a location may also be named by the
    client's own location id, the others by name. `option` is a key, a label or a public id.
    """

    tracking_number: str | None = None
    location: str | None = None
    campaign: str | None = None
    treatment: str | None = None
    option: str | None = None


@dataclass(frozen=True)
class Place:
    """Where an event belongs; many may share one."""

    location: Location
    number: TrackingNumber | None = None
    campaign: Campaign | None = None
    treatment: Treatment | None = None
    option: TreatmentOption | None = None

    @cached_property
    def context(self) -> dict[str, Any]:
        """What a call keeps of its place, in the shape the tokens read."""
        context: dict[str, Any] = {
            "location": self.location.snapshot(),
            "account": self.location.account.snapshot(),
        }
        if self.number is not None:
            context["tracking_number"] = self.number.number
            context["number"] = self.number.snapshot()
        if self.campaign is not None:
            context["campaign"] = self.campaign.snapshot()
            context["tags"] = self.campaign.tags
        if self.treatment is not None:
            context["treatment"] = {"id": self.treatment.public_id, "name": self.treatment.name}
        return context


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """What is known of a call's place: its location, and the treatments it has reached."""

    location: Location
    treatment_keys: set[uuid.UUID]


class UnknownPlace(Exception):
    """An event names a place that does not exist within reach. `field` says which part."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Places:
    """The places that a batch of events can refer to, read at once.

    `known` are those of calls that are under way already, for events that do not name all.
    """

    def __init__(
        self,
        *,
        account_ids: Sequence[uuid.UUID],
        references: Iterable[PlaceReference],
        known: Iterable[KnownPlace] = (),
    ) -> None:
        references = list(references)
        numbers = {ref.tracking_number for ref in references if ref.tracking_number}
        self._numbers = _by_key(
            _NUMBERS.ask(accounts=account_ids, numbers=numbers) if numbers else (),
            lambda number: [number.number],
        )
        self._locations = self._named_locations(account_ids, references)
        location_ids = {number.location_id for group in self._numbers.values() for number in group}
        location_ids |= {place.pk for group in self._locations.values() for place in group}
        location_ids |= {place.location.pk for place in known}
        self._campaigns: dict[tuple[uuid.UUID, str], Campaign] = {}
        if any(ref.campaign for ref in references):
            for campaign in Campaign.objects.filter(location_id__in=location_ids):
                for name in (campaign.public_id, campaign.name.lower()):
                    self._campaigns[campaign.location_id, name] = campaign
        self._treatments: dict[uuid.UUID, list[Treatment]] = {}
        if any(ref.treatment or ref.option for ref in references) or any(
            number.treatment_id for group in self._numbers.values() for number in group
        ):
            self._treatments = _treatments_at(location_ids)

    def find(
        self, reference: PlaceReference, *, known: Mapping[uuid.UUID, KnownPlace] | None = None
    ) -> Place:
        """Return the place; `known` is what is known of the event's call, by account.

        Raises UnknownPlace. An option that is not set up is no error: the caller reached
        something, only nothing is attached to it.
        """
        known = known or {}
        number = self._find_number(reference)
        location = self._find_location(reference, number) or _known_location(known)
        here = known.get(location.account_id)
        reached = here.treatment_keys if here else set()
        campaign = self._find_campaign(reference, location) or (number and number.campaign)
        treatment = self._find_treatment(reference, location, number, reached)
        return Place(
            location=location,
            number=number,
            campaign=campaign or None,
            treatment=treatment,
            option=_find_option(reference, treatment),
        )

    def _find_number(self, reference: PlaceReference) -> TrackingNumber | None:
        if not reference.tracking_number:
            return None
        found = self._numbers.get(reference.tracking_number, [])
        if not found:
            raise UnknownPlace(
                "tracking_number", f"There is no tracking number {reference.tracking_number}."
            )
        if len(found) > 1 and not reference.location:
            raise UnknownPlace(
                "tracking_number",
                f"{reference.tracking_number} exists in several accounts; name the location too.",
            )
        if len(found) > 1:
            wanted = {place.pk for place in self._locations.get(reference.location or "", [])}
            return next((number for number in found if number.location_id in wanted), found[0])
        return found[0]

    def _find_location(
        self, reference: PlaceReference, number: TrackingNumber | None
    ) -> Location | None:
        if not reference.location:
            return number.location if number else None
        found = self._locations.get(reference.location, [])
        if number is not None:
            found = [place for place in found if place.pk == number.location_id]
        if not found:
            where = f" with the number {number.number}" if number else ""
            raise UnknownPlace("location", f"There is no location {reference.location}{where}.")
        if len(found) > 1:
            raise UnknownPlace(
                "location", f"{reference.location} names several locations; use its loc_… id."
            )
        return found[0]

    def _find_campaign(self, reference: PlaceReference, location: Location) -> Campaign | None:
        if not reference.campaign:
            return None
        for name in (reference.campaign, reference.campaign.lower()):
            if campaign := self._campaigns.get((location.pk, name)):
                return campaign
        raise UnknownPlace("campaign", f"{location} has no campaign {reference.campaign}.")

    def _find_treatment(
        self,
        reference: PlaceReference,
        location: Location,
        number: TrackingNumber | None,
        reached: set[uuid.UUID],
    ) -> Treatment | None:
        treatments = self._treatments.get(location.pk, [])
        if reference.treatment:
            for treatment in treatments:
                if reference.treatment.lower() in (treatment.public_id, treatment.name.lower()):
                    return treatment
            raise UnknownPlace("treatment", f"{location} has no treatment {reference.treatment}.")
        of_number = [each for each in treatments if number and each.pk == number.treatment_id]
        having = [each for each in treatments if _find_option(reference, each)]
        # Several menus have a 1: the number's counts, else the one that the call is in.
        for choice in (
            [each for each in having if each in of_number],
            [each for each in having if each.pk in reached],
            having,
            of_number,
        ):
            if len(choice) == 1:
                return choice[0]
        return None

    @staticmethod
    def _named_locations(
        account_ids: Sequence[uuid.UUID], references: Iterable[PlaceReference]
    ) -> dict[str, list[Location]]:
        names = {ref.location for ref in references if ref.location}
        if not names:
            return {}
        keys = []
        for name in names:
            try:
                keys.append(Location.key_of(name))
            except InvalidPublicId:
                continue
        reachable = Location.objects.filter(account_id__in=account_ids).select_related("account")
        found = reachable.filter(pk__in=keys) | reachable.filter(client_location_id__in=names)
        return _by_key(found, lambda place: [place.public_id, place.client_location_id])


def _treatments_at(location_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[Treatment]]:
    treatments = Treatment.objects.filter(location_id__in=location_ids).prefetch_related(
        Prefetch("options", queryset=TreatmentOption.objects.order_by("key"))
    )
    return _by_key(treatments, lambda treatment: [treatment.location_id])


def _known_location(known: Mapping[uuid.UUID, KnownPlace]) -> Location:
    if not known:
        raise UnknownPlace(
            "tracking_number",
            "Name the tracking_number or the location: this call is not known yet.",
        )
    if len(known) > 1:
        raise UnknownPlace(
            "location", "Several accounts have a call of this id; name the location."
        )
    return next(iter(known.values())).location


def _find_option(reference: PlaceReference, treatment: Treatment | None) -> TreatmentOption | None:
    if not reference.option or treatment is None:
        return None
    wanted = reference.option.strip().lower()
    for option in treatment.options.all():
        if wanted in (option.key.lower(), option.label.lower(), option.public_id):
            return option
    return None


def _by_key(
    rows: Iterable[_Row], keys_of: Callable[[_Row], Iterable[_Key]]
) -> dict[_Key, list[_Row]]:
    grouped: dict[_Key, list[_Row]] = {}
    for row in rows:
        for key in keys_of(row):
            grouped.setdefault(key, []).append(row)
    return grouped
