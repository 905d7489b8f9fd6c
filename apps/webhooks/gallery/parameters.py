"""The parameters of the systems that send a call as names and values, and where they come from.

Minutes are seconds divided by 60, with two decimals; the rounded ones are whole minutes, rounded
up. Times without a zone are in Eastern time, the one zone that the systems' documents name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from apps.webhooks.gallery.entry import Fill, step
from apps.webhooks.mapping import FieldMapping, Formatter, Kind

EASTERN: Final = "America/New_York"
EASTERN_TIME: Final = step("date", style="custom", pattern="yyyy-MM-dd HH:mm:ss", zone=EASTERN)
# What only calls to a dynamic number have; a one-to-one call has no web session.
ONLY_DYNAMIC: Final = "is_dynamic"

_AS_IT_IS: Final = Fill()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a system offers: `label` in its own words, and the token that it is."""

    key: str
    label: str
    token: str
    fill: Fill = _AS_IT_IS
    needs_lookup: bool = False

    def mapped_at(self, path: str) -> FieldMapping:
        """What fills a place with this parameter."""
        return self.fill.applied_to(FieldMapping(path, Kind.TOKEN, token=self.token))


def _minutes(key: str, label: str, token: str) -> Parameter:
    return Parameter(key, label, token, Fill((step("minutes", decimals=2),), default="0.00"))


def _rounded(key: str, label: str, token: str) -> Parameter:
    return Parameter(key, label, token, Fill((step("minutes", rounding="up"),), default="0"))


def _lookup(key: str, label: str, token: str) -> Parameter:
    return Parameter(key, f"Lookup - {label}", token, needs_lookup=True)


POST_CALL: Mapping[str, Parameter] = MappingProxyType(
    {
        parameter.key: parameter
        for parameter in (
            Parameter("all_actions", "All Actions", "all_actions"),
            Parameter("click_description", "Click Description", "click_description"),
            _minutes("call_duration", "Call Duration", "dialed_time"),
            Parameter("call_type", "Call Type", "call_type"),
            Parameter("called_number", "Called Number", "tracking"),
            Parameter("caller_id", "Caller ID", "ani"),
            Parameter("click_id", "Click ID", "click_id"),
            Parameter("date_time", "Date/Time", "call_start_time", Fill((EASTERN_TIME,))),
            _minutes("enhanced_minutes", "Enhanced Minutes", "recorded_talk_time"),
            Parameter("first_action", "First Action", "first_action"),
            _minutes("intelligent_minutes", "Intelligent Minutes", "menu_time"),
            Parameter("last_action", "Last Action", "last_action"),
            _lookup("lookup_city", "City", "ani_city"),
            _lookup("lookup_first_name", "First Name", "ani_first_name"),
            _lookup("lookup_last_name", "Last Name", "ani_last_name"),
            _lookup("lookup_state", "State", "ani_state"),
            _lookup("lookup_street_address", "Street Address", "ani_street_line_1"),
            _lookup("lookup_zip_code", "ZIP Code", "ani_zip"),
            Parameter("phone_label", "Phone Label", "phone_label"),
            Parameter("recording_duration", "Recording Duration (seconds)", "recording_duration"),
            _rounded("rounded_enhanced_minutes", "Rounded Enhanced Minutes", "recorded_talk_time"),
            _rounded("rounded_intelligent_minutes", "Rounded Intelligent Minutes", "menu_time"),
            _rounded("rounded_talk_minutes", "Rounded Talk Minutes", "answered_time"),
            Parameter("sid", "SID", "sid"),
            _minutes("talk_minutes", "Talk Minutes", "answered_time"),
            Parameter("transfer_type", "Transfer Type", "transfer_type"),
            Parameter("transferred_to_number", "Transferred to Number", "target"),
        )
    }
)
"""The 27 dynamic parameters of a post-call action by key, in the order of their document."""


def _st(name: str, token: str, *formatters: Formatter) -> Parameter:
    fill = Fill(formatters, only_if=ONLY_DYNAMIC)
    return Parameter(f"st_{name}", f"st_{name}", token, fill)


ATTRIBUTION: tuple[Parameter, ...] = (
    _st("activity_keyword", "activity_keyword"),
    _st("baseuri", "first_page_landed_on"),
    _st("browser", "visitor_browser_family"),
    _st("campaign", "ad_campaign"),
    _st("displayed_timestamp", "number_shown_at", EASTERN_TIME),
    _st("document_title", "page_title"),
    _st("domain_set_id", "domain_set_id"),
    _st("gclid", "gclid"),
    _st("google_ua_client_id", "visitor_ga_client_id"),
    _st("ibp_custom", "visitor_custom"),
    _st("ibp_unique_id", "visitor_unique_id"),
    _st("ip_address", "visitor_ip_address"),
    _st("location_name", "location_name"),
    _st("os", "visitor_operating_system"),
    _st("pid", "visitor_session_id"),
    _st("platform", "ad_platform"),
    _st("pool_name", "pool_name"),
    _st("rank", "source_rank"),
    _st("referrer", "referral_domain"),
    _st("search_term", "keyword"),
    _st("sourceguard", "is_sourceguard"),
    _st("url_tag", "url_tag"),
)
"""The 22 attribution parameters. All are sent, even if empty, for a call to a dynamic number, and
none for another: leaving out those without a value would hide which of the two it was."""

ST_REFERER: Final = "st_referer"
"""What the IVR web hook calls st_referrer."""
