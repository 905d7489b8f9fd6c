"""What exists in the demo: accounts, places, templates, webhooks. Pure data.

Numbers are of the range that is kept for fiction (555-0100 to 555-0199), names are made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.console.demo import shapes
from apps.console.demo.shapes import Shape

AGENCY = "Springwood Marketing"
MENU = "Main menu"
OPTIONS = {"1": "Sales", "2": "Service", "3": "Parts"}
RADIO = "Spring radio"
WEBSITE = "Website"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign; one with a domain is digital (DNI)."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A tracking number, and what it leads to by name."""

    number: str
    label: str
    campaign: str = ""
    has_menu: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A location with everything that callers of it can reach."""

    name: str
    address: str
    city: str
    state: str
    zip: str
    time_zone: str
    client_account_id: str
    client_location_id: str
    lines: tuple[Line, ...]
    address_2: str = ""
    site_id: str = ""
    domain_id: str = ""
    campaigns: tuple[Campaign, ...] = ()
    has_menu: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook to the local receiver at `path`.

    `attached` are (timing, kind, name): kind `account`, `location`, `campaign` or `option`,
    with the name of the location, the campaign or the option; the last two at every location.
    One with `is_off` is attached, yet gets nothing.
    """

    path: str
    name: str
    template: Shape
    attached: tuple[tuple[str, str, str], ...]
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Ivr:
    """An IVR of a place, which asks the local receiver at `path` what is read to its callers.

    `parameters` are names and tokens. `typed` is what each of the past callers answered to the
    questions, in their order.
    """

    number: int
    name: str
    place: str
    path: str
    questions: tuple[str, ...]
    parameters: Mapping[str, str]
    default_text: str
    typed: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A client account of the agency."""

    name: str
    time_zone: str
    places: tuple[Place, ...]
    hooks: tuple[Hook, ...]
    ivrs: tuple[Ivr, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in. Without an account: an operator."""

    email: str
    full_name: str
    role: str
    account: str = ""


ELM_STREET = "Elm Street Motors"
CLINIC = "Springwood Family Clinic"
HEATING = "Krueger & Sons Heating"
DOWNTOWN = "Elm Street Motors Downtown"
WESTSIDE = "Elm Street Motors Westside"

SCREEN_POP_PATH = "/elm-street/screen-pop"
SALES_REPORT_PATH = "/elm-street/sales-report"
CRM_LEAD_PATH = "/elm-street/crm-lead"
CALL_LOG_PATH = "/elm-street/call-log"
RECORDINGS_PATH = "/elm-street/recordings"
CLINIC_PATH = "/clinic/calls"
DISPATCH_PATH = "/heating/dispatch"
REPAIRS_PATH = "/elm-street/repairs"
# What the garage says of a car, by the number of its repair order.
REPAIRS = {
    "1042": "Your Volvo is ready. You can pick it up until six.",
    "1057": "Your Plymouth waits for a part, which comes on Thursday.",
    "1063": "Your Kia is being worked on. We will call you before noon.",
}
CALL_BACK = "Thank you. Our garage calls you back within the hour."

CLIENTS = (
    Client(
        ELM_STREET,
        "America/Los_Angeles",
        places=(
            Place(
                DOWNTOWN,
                address="157 Main Street",
                address_2="Lot 4",
                city="Los Angeles",
                state="CA",
                zip="90012",
                time_zone="America/Los_Angeles",
                client_account_id="26627332",
                client_location_id="3242243",
                site_id="4567",
                domain_id="1234",
                group="Showrooms",
                has_menu=True,
                campaigns=(
                    Campaign(RADIO, {"Region": "south", "Medium": "radio"}),
                    Campaign(WEBSITE, {"Region": "south"}, domain="elmstreetmotors.example"),
                ),
                lines=(
                    Line("+12135550101", "Radio spot", RADIO, has_menu=True),
                    Line("+12135550102", "Website", WEBSITE, has_menu=True),
                    Line("+12135550103", "Sign at the door", has_menu=True),
                ),
            ),
            Place(
                WESTSIDE,
                address="9 Ocean Avenue",
                city="Santa Monica",
                state="CA",
                zip="90401",
                time_zone="America/Los_Angeles",
                client_account_id="26627332",
                client_location_id="3242244",
                site_id="4568",
                domain_id="1234",
                group="Showrooms",
                has_menu=True,
                campaigns=(
                    Campaign(RADIO, {"Region": "west", "Medium": "radio"}),
                    Campaign(WEBSITE, {"Region": "west"}, domain="elmstreetmotors.example"),
                ),
                lines=(
                    Line("+13105550111", "Radio spot", RADIO, has_menu=True),
                    Line("+13105550112", "Website", WEBSITE, has_menu=True),
                ),
            ),
        ),
        hooks=(
            Hook(
                SCREEN_POP_PATH,
                "Sales floor: who is calling",
                shapes.SCREEN_POP,
                attached=(("begin", "option", "Sales"),),
            ),
            Hook(
                SALES_REPORT_PATH,
                "Sales calls of the day",
                shapes.CALL_LOG,
                attached=(("end", "option", "Sales"),),
            ),
            Hook(
                CRM_LEAD_PATH,
                "Dealer CRM",
                shapes.ADF_LEAD,
                attached=(("end", "campaign", RADIO), ("end", "campaign", WEBSITE)),
                headers={"Authorization": "Bearer demo-credential", "X-Lead-Source": "phone"},
            ),
            Hook(CALL_LOG_PATH, "Call log", shapes.CALL_LOG, attached=(("end", "account", ""),)),
            Hook(
                RECORDINGS_PATH,
                "Recordings of downtown",
                shapes.RECORDING,
                attached=(("updated", "location", DOWNTOWN),),
            ),
            Hook(
                "/elm-street/gone",
                "Old dealer CRM",
                shapes.CALL_LOG,
                attached=(("end", "account", ""),),
                is_off=True,
            ),
        ),
        ivrs=(
            Ivr(
                75,
                "Repair status",
                DOWNTOWN,
                REPAIRS_PATH,
                questions=(
                    "Welcome to Elm Street Motors. Please enter the number of your repair order.",
                    "To hear how far we are, press 1. To be called back, press 2.",
                ),
                parameters={"order_no": "answer.1", "wish": "answer.2"},
                default_text="We can not find your order right now. Our garage will call you.",
                typed=(("1042", "1"), ("1057", "1"), ("9999", "1"), ("1063", "1"), ("1057", "2")),
            ),
        ),
    ),
    Client(
        CLINIC,
        "America/New_York",
        places=(
            Place(
                CLINIC,
                address="1428 Elm Street",
                city="Springwood",
                state="OH",
                zip="43004",
                time_zone="America/New_York",
                client_account_id="8810",
                client_location_id="C-1",
                group="Practices",
                campaigns=(
                    Campaign("Bus stops", {"Season": "flu"}),
                    Campaign("Search ads", {"Season": "flu"}, domain="springwoodclinic.example"),
                ),
                lines=(
                    Line("+16145550121", "Bus stops", "Bus stops"),
                    Line("+16145550122", "Search ads", "Search ads"),
                ),
            ),
        ),
        hooks=(
            Hook(
                CLINIC_PATH,
                "Patient line report",
                shapes.AGENCY_REPORT,
                attached=(("end", "account", ""),),
                method="PUT",
            ),
            Hook(
                "/clinic/down",
                "Insurance portal",
                shapes.AGENCY_REPORT,
                attached=(("end", "account", ""),),
                is_off=True,
            ),
        ),
    ),
    Client(
        HEATING,
        "America/Chicago",
        places=(
            Place(
                "Krueger & Sons <Depot 1>",
                address="12 Boiler Lane",
                city="Springfield",
                state="IL",
                zip="62701",
                time_zone="America/Chicago",
                client_account_id="H-77",
                client_location_id="DEPOT-1",
                lines=(Line("+12175550131", "Van stickers"),),
            ),
        ),
        hooks=(
            Hook(
                DISPATCH_PATH,
                "Dispatch",
                shapes.DISPATCH,
                attached=tuple(
                    (timing, "location", "Krueger & Sons <Depot 1>")
                    for timing in ("begin", "end", "updated")
                ),
            ),
        ),
    ),
)

PEOPLE = (
    Person("agency@springwood.example", "Alice Johnson", "owner", AGENCY),
    Person("owner@springwood.example", "Nancy Thompson", "owner", ELM_STREET),
    Person("admin@springwood.example", "Rod Lane", "admin", ELM_STREET),
    Person("member@springwood.example", "Tina Gray", "member", ELM_STREET),
    Person("viewer@springwood.example", "Glen Lantz", "viewer", ELM_STREET),
    Person("operator@springwood.example", "Operator", "operator"),
)
