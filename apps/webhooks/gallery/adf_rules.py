"""The rules of ADF 1.0: which elements must be there, in which order, and what they may say."""

import re
from collections.abc import Callable, Sequence

from lxml import etree

from apps.webhooks.mapping import Problem

_VEHICLE_ATTRIBUTES = {
    "interest": ("buy", "lease", "sell", "trade-in", "test-drive"),
    "status": ("new", "used"),
}
_NAME_PARTS = ("first", "middle", "last", "suffix", "full")
_PHONE_TYPES = ("voice", "fax", "cellphone", "pager")
_YEAR = re.compile(r"[0-9]{4}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)

# Children in their order; ! is needed once, + at least once, ? at most once, * any number.
_ADF = ("prospect+",)
_PROSPECT = ("id*", "requestdate!", "vehicle+", "customer!", "vendor!", "provider?")
_VEHICLE = (
    "id*",
    "year!",
    "make!",
    "model!",
    "vin?",
    "stock?",
    "trim?",
    "doors?",
    "bodystyle?",
    "transmission?",
    "odometer?",
    "condition?",
    "colorcombination*",
    "imagetag?",
    "price*",
    "pricecomments?",
    "option*",
    "finance*",
    "comments?",
)
_CUSTOMER = ("contact!", "id*", "timeframe?", "comments?")
_CONTACT = ("name+", "email*", "phone*", "address*")
_ADDRESS = (
    "street+",
    "apartment?",
    "city?",
    "regioncode?",
    "postalcode?",
    "country?",
)
_VENDOR = ("id*", "vendorname!", "url?", "contact!")
_PROVIDER = ("id*", "name!", "service?", "url?", "email?", "phone?", "contact?")


def find_problems(payload: bytes) -> list[Problem]:
    """Judge an ADF document; every problem with the path of its element."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(payload, parser)
    except etree.XMLSyntaxError as error:
        return [Problem("/", f"This is not XML: {error.msg}.")]
    checker = _Checker()
    checker.document(root)
    return checker.problems


class _Checker:
    """Walks a document from its root; `problems` grow in the order of the document."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def document(self, root: etree._Element) -> None:
        if root.tag != "adf":
            self._note(root, "The root must be <adf>.")
            return
        if not any(_is_adf_instruction(node) for node in root.itersiblings(preceding=True)):
            self._note(root, 'The instruction <?adf version="1.0"?> must stand before the root.')
        for prospect in self._children(root, _ADF, "prospect"):
            self._prospect(prospect)

    def _prospect(self, prospect: etree._Element) -> None:
        self._order(prospect, _PROSPECT)
        self._ids(prospect)
        for date in prospect.findall("requestdate"):
            self._match(date, _MOMENT, "a time in ISO 8601, as 2026-03-28T09:30:00-07:00")
        for vehicle in prospect.findall("vehicle"):
            self._vehicle(vehicle)
        for customer in prospect.findall("customer"):
            self._each(self._children(customer, _CUSTOMER, "contact"), self._contact)
            self._ids(customer)
        for vendor in prospect.findall("vendor"):
            self._vendor(vendor)
        for provider in prospect.findall("provider"):
            self._order(provider, _PROVIDER)
            self._ids(provider)
            self._each(provider.findall("name"), self._name)
            self._each(provider.findall("contact"), self._contact)

    def _vehicle(self, vehicle: etree._Element) -> None:
        self._order(vehicle, _VEHICLE)
        for name, values in _VEHICLE_ATTRIBUTES.items():
            self._attribute(vehicle, name, values)
        for year in vehicle.findall("year"):
            if _text(year):
                self._match(year, _YEAR, "a year of four digits, or empty")

    def _vendor(self, vendor: etree._Element) -> None:
        self._order(vendor, _VENDOR)
        self._ids(vendor)
        for name in vendor.findall("vendorname"):
            self._need_text(name)
        self._each(vendor.findall("contact"), self._contact)

    def _contact(self, contact: etree._Element) -> None:
        self._order(contact, _CONTACT)
        self._each(contact.findall("name"), self._name)
        emails, phones = contact.findall("email"), contact.findall("phone")
        for email in emails:
            self._match(email, _EMAIL, "an e-mail address")
        for phone in phones:
            self._attribute(phone, "type", _PHONE_TYPES)
        if not any(_text(each) for each in (*emails, *phones)):
            self._note(contact, "A contact needs a phone or an e-mail.")
        self._each(contact.findall("address"), self._address)

    def _address(self, address: etree._Element) -> None:
        self._order(address, _ADDRESS)
        for street in address.findall("street"):
            line = street.get("line")
            if line is not None and not line.isdecimal():
                self._note(street, "The attribute line must be a number.")
        for country in address.findall("country"):
            self._match(country, _COUNTRY, "a country code of two capital letters")

    def _name(self, name: etree._Element) -> None:
        self._attribute(name, "part", _NAME_PARTS)
        self._need_text(name)

    def _ids(self, parent: etree._Element) -> None:
        for each in parent.findall("id"):
            self._need_text(each)
            if not each.get("source"):
                self._note(each, "An id needs the attribute source.")

    def _children(
        self, parent: etree._Element, model: Sequence[str], name: str
    ) -> list[etree._Element]:
        """Those children of this name, after the order of all is judged."""
        self._order(parent, model)
        return parent.findall(name)

    def _each(
        self, elements: Sequence[etree._Element], judge: Callable[[etree._Element], None]
    ) -> None:
        for element in elements:
            judge(element)

    def _order(self, parent: etree._Element, model: Sequence[str]) -> None:
        """Judge which children an element has, how often, and in which order."""
        places = {entry[:-1]: place for place, entry in enumerate(model)}
        furthest, before = 0, ""
        for child in parent.iterchildren("*"):
            place = places.get(str(child.tag))
            if place is None:
                self._note(child, f"<{parent.tag}> has no element <{child.tag}>.")
            elif place < furthest:
                self._note(child, f"<{child.tag}> must stand before <{before}>.")
            else:
                furthest, before = place, str(child.tag)
        for entry in model:
            name, how_often = entry[:-1], entry[-1]
            count = len(parent.findall(name))
            if how_often in "!+" and not count:
                self._note(parent, f"<{parent.tag}> needs <{name}>.")
            elif how_often in "!?" and count > 1:
                self._note(parent, f"<{parent.tag}> has only one <{name}>.")

    def _attribute(self, element: etree._Element, name: str, values: Sequence[str]) -> None:
        value = element.get(name)
        if value is not None and value not in values:
            known = ", ".join(values)
            self._note(element, f'The attribute {name} is "{value}"; it must be one of {known}.')

    def _match(self, element: etree._Element, pattern: re.Pattern[str], wanted: str) -> None:
        if not pattern.fullmatch(_text(element)):
            self._note(element, f"<{element.tag}> must be {wanted}.")

    def _need_text(self, element: etree._Element) -> None:
        if not _text(element):
            self._note(element, f"<{element.tag}> must not be empty.")

    def _note(self, element: etree._Element, message: str) -> None:
        path = element.getroottree().getpath(element)
        self.problems.append(Problem(path, message))


def _is_adf_instruction(node: etree._Element) -> bool:
    return isinstance(node, etree._ProcessingInstruction) and node.target == "adf"


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()
