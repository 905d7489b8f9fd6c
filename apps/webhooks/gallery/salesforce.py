"""Salesforce Web-to-Lead: a form post that makes a lead, without a login."""

import re
from collections import Counter

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import form_pairs
from apps.webhooks.gallery.entry import NO_ANONYMOUS, Blank, Entry, Fill, at_most, omitted
from apps.webhooks.mapping import Problem

_ORGANISATION = re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_CUSTOM = re.compile(r"00N[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_LENGTHS = {
    "oid": 18,
    "first_name": 40,
    "last_name": 80,
    "company": 255,
    "email": 80,
    "phone": 40,
    "mobile": 40,
    "street": 255,
    "city": 40,
    "state": 80,
    "zip": 20,
    "country": 80,
    "title": 128,
    "URL": 255,
    "lead_source": 255,
    "description": 32_000,
}
_SETTINGS = frozenset({"retURL", "debug", "debugEmail", "encoding", "Campaign_ID"})
_MOST_CUSTOM = 255


def find_problems(payload: bytes) -> list[Problem]:
    """Judge a Web-to-Lead form: required parameters, known names, lengths."""
    try:
        pairs = form_pairs(payload)
    except ValueError as error:
        return [Problem("", f"This is not a form body: {error}.")]
    values = dict(pairs)
    problems = [
        Problem(name, "This parameter is there more than once.")
        for name, count in Counter(name for name, _ in pairs).items()
        if count > 1
    ]
    if not _ORGANISATION.fullmatch(values.get("oid", "")):
        problems.append(Problem("oid", "The organisation ID has 15 or 18 characters, as 00D..."))
    problems += [
        Problem(name, "Salesforce refuses a lead without it.")
        for name in ("last_name", "company")
        if not values.get(name, "").strip()
    ]
    for name, value in pairs:
        most = _MOST_CUSTOM if _CUSTOM.fullmatch(name) else _LENGTHS.get(name)
        if most is None and name not in _SETTINGS:
            problems.append(Problem(name, "Salesforce does not know this parameter."))
        elif most is not None and len(value) > most:
            problems.append(Problem(name, f"Salesforce takes at most {most:,} characters."))
    if values.get("email") and "@" not in values["email"]:
        problems.append(Problem("email", "This is no e-mail address."))
    return problems


SALESFORCE = Entry(
    key="salesforce_web_to_lead",
    name="Salesforce Web-to-Lead",
    purpose="A lead in Salesforce for each call, without a login.",
    format=Format.FORM,
    sample=(
        "oid=00D000000000000"
        "&first_name=%ani_first_name%"
        "&last_name=%ani_last_name%"
        "&company=%location_name%"
        "&email=%ani_email%"
        "&phone=%ani%"
        "&street=%ani_street_line_1%"
        "&city=%ani_city%"
        "&state=%ani_state%"
        "&zip=%ani_zip%"
        "&country=%ani_country_code%"
        "&lead_source=Phone+call"
        "&description=%call_summary%"
        "&00N000000000000=%callid%"
    ),
    fills={
        "first_name": omitted(at_most(40)),
        "last_name": Fill((at_most(80),), default="Unknown caller"),
        "company": Fill((at_most(255),), default="Unknown"),
        "email": omitted(at_most(80)),
        "phone": omitted(NO_ANONYMOUS, at_most(40)),
        "street": omitted(at_most(255)),
        "city": omitted(at_most(40)),
        "state": omitted(at_most(80)),
        "zip": omitted(at_most(20)),
        "country": omitted(at_most(80)),
        "description": omitted(at_most(10_000)),
        "00N000000000000": omitted(at_most(_MOST_CUSTOM)),
    },
    rules=find_problems,
    url="https://webto.salesforce.com/servlet/servlet.WebToLead?encoding=UTF-8",
    blanks=(
        Blank("00D000000000000", "Organisation ID", "Setup > Company Information"),
        Blank(
            "00N000000000000",
            "ID of a custom field for the call's id, or remove the parameter",
            "Setup > Object Manager > Lead > Fields; the ID is in the address of the field's page",
        ),
    ),
    notes=(
        "Salesforce answers 200 even to a lead that it refuses; add debug=1 and debugEmail=YOU to"
        " the sample to be told by e-mail.",
        "Web-to-Lead takes 500 leads a day.",
    ),
)
