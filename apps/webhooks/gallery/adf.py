"""ADF 1.0 lead: what the CRMs of car dealers take."""

from apps.webhooks.formats import Format
from apps.webhooks.gallery.adf_rules import find_problems
from apps.webhooks.gallery.entry import Entry, Fill, omitted, step

_SAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf>
  <prospect>
    <id sequence="1" source="Hookline">%callid%</id>
    <requestdate>%call_start_time%</requestdate>
    <vehicle interest="buy" status="new">
      <year>%vehicle_year%</year>
      <make>%vehicle_make%</make>
      <model>%vehicle_model%</model>
      <vin>%vehicle_vin%</vin>
    </vehicle>
    <customer>
      <contact>
        <name part="first">%ani_first_name%</name>
        <name part="middle">%ani_middle_name%</name>
        <name part="last">%ani_last_name%</name>
        <name part="full">%ani_full_name%</name>
        <email>%ani_email%</email>
        <phone type="voice">%ani%</phone>
        <address>
          <street line="1">%ani_street_line_1%</street>
          <street line="2">%ani_street_line_2%</street>
          <city>%ani_city%</city>
          <regioncode>%ani_state%</regioncode>
          <postalcode>%ani_zip%</postalcode>
          <country>%ani_country_code%</country>
        </address>
      </contact>
      <comments>%call_summary% %rec_audiourl%</comments>
    </customer>
    <vendor>
      <id sequence="1" source="Client location">%location_id%</id>
      <vendorname>%location_name%</vendorname>
      <contact>
        <name part="full">%location_name%</name>
        <phone type="voice">%tracking%</phone>
      </contact>
    </vendor>
    <provider>
      <name part="full">Hookline</name>
      <service>Call tracking</service>
    </provider>
  </prospect>
</adf>
"""
_PROSPECT = "/adf/prospect"
_CONTACT = f"{_PROSPECT}/customer/contact"
_VENDOR = f"{_PROSPECT}/vendor"

ADF = Entry(
    key="adf",
    name="ADF 1.0 lead",
    purpose="A lead for the CRM of a car dealer (Auto-lead Data Format).",
    format=Format.XML,
    sample=_SAMPLE,
    fills={
        f"{_PROSPECT}/requestdate": Fill(
            (step("date", style="custom", pattern="yyyy-MM-dd'T'HH:mm:ssXXX", zone="location"),)
        ),
        f"{_PROSPECT}/vehicle/make": Fill(default="Unknown"),
        f"{_PROSPECT}/vehicle/model": Fill(default="Unknown"),
        f"{_PROSPECT}/vehicle/vin": omitted(),
        f"{_CONTACT}/name[@part='first']": omitted(),
        f"{_CONTACT}/name[@part='middle']": omitted(),
        f"{_CONTACT}/name[@part='last']": omitted(),
        f"{_CONTACT}/name[@part='full']": Fill(default="Unknown caller"),
        f"{_CONTACT}/email": omitted(),
        f"{_CONTACT}/phone": Fill(default="unknown"),
        f"{_CONTACT}/address/street[@line='2']": omitted(),
        f"{_CONTACT}/address/city": omitted(),
        f"{_CONTACT}/address/regioncode": omitted(),
        f"{_CONTACT}/address/postalcode": omitted(),
        f"{_CONTACT}/address/country": omitted(),
        f"{_VENDOR}/id": omitted(),
        f"{_VENDOR}/contact/phone": Fill(default="unknown"),
    },
    rules=find_problems,
    notes=(
        "The URL is what the CRM gives for ADF leads over HTTP; many of them also call it ADF/XML.",
        "A phone lead seldom says whether the car is to be new or used: change interest and status"
        " of the vehicle to what fits the campaign.",
        "A withheld number is sent as the word anonymous, because ADF wants a phone or an e-mail.",
        "The dealer's id comes from the location's own location ID; it is left out without one.",
    ),
)
