"""The templates of the demo: samples with %tokens%. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A template: of the account whose webhooks use it, or of the agency and shared with all."""

    name: str
    format: str
    sample: str
    is_of_agency: bool = False


CALL_LOG = Shape(
    "Call log",
    "json",
    """{
  "call": {
    "id": "%callid%",
    "tracking_number": "%tracking%",
    "started_at": "%call_start_time%",
    "ended_at": "%call_end_time%",
    "outcome": "%dialstatus%",
    "duration_s": "%dialed_time%",
    "talk_s": "%answered_time%",
    "rings": "%ring_count%"
  },
  "caller": {
    "number": "%ani%",
    "name": "%ani_first_name% %ani_last_name%",
    "city": "%ani_city%"
  },
  "campaign": {"name": "%campaign_name%", "tags": "%tags%"},
  "visit": {
    "source": "%utm_source%",
    "campaign": "%utm_campaign%",
    "gclid": "%gclid%",
    "page": "%page_converted_on%"
  },
  "location": {"name": "%location_name%", "id": "%location_id%", "account": "%account_id%"}
}
""",
)
SCREEN_POP = Shape(
    "Screen pop",
    "json",
    """{
  "call_id": "%callid%",
  "caller": "%ani%",
  "first_name": "%ani_first_name%",
  "last_name": "%ani_last_name%",
  "says": "%ani_first_name% calls %location_name%",
  "vehicle": {"year": "%vehicle_year%", "make": "%vehicle_make%", "model": "%vehicle_model%"}
}
""",
)
RECORDING = Shape(
    "Recording",
    "json",
    """{
  "call_id": "%callid%",
  "recording": "%rec_audiourl%",
  "disposition": "%custom.disposition%"
}
""",
)
ADF_LEAD = Shape(
    "ADF lead",
    "xml",
    """<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf>
  <prospect status="new">
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
        <name part="last">%ani_last_name%</name>
        <phone type="voice">%ani%</phone>
      </contact>
      <comments>Call to %location_name% through %campaign_name%, %dialed_time% s</comments>
    </customer>
    <vendor>
      <id source="Client">%location_id%</id>
      <vendorname>%location_name%</vendorname>
      <contact>
        <name part="full">Sales</name>
        <phone type="voice">%tracking%</phone>
      </contact>
    </vendor>
  </prospect>
</adf>
""",
)
AGENCY_REPORT = Shape(
    "Agency call report",
    "json",
    """{
  "id": "%callid%",
  "client": "%account_id%",
  "place": "%location_name%",
  "from": "%ani%",
  "outcome": "%dialstatus%",
  "talk_s": "%answered_time%",
  "source": "%utm_source%"
}
""",
    is_of_agency=True,
)
DISPATCH = Shape(
    "Dispatch",
    "xml",
    """<?xml version="1.0" encoding="UTF-8"?>
<job>
  <call id="%callid%" line="%tracking%"/>
  <customer phone="%ani%" first="%ani_first_name%">%ani_first_name% %ani_last_name%</customer>
  <depot>%location_name%</depot>
  <ended>%call_end_time%</ended>
  <recording>%rec_audiourl%</recording>
</job>
""",
)
