"""Suggested formatters: what is sent looks like the value in the sample."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.webhooks.extraction import Field, FieldType, Sample
from apps.webhooks.formats import Format
from apps.webhooks.mapping import Formatter, steps
from apps.webhooks.suggestions import suggest
from apps.webhooks.suggestions.dates import pattern_of
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, TOKENS


def suggested(path, value, type_=FieldType.STRING):
    name = path.rpartition(".")[2]
    sample = Sample(Format.JSON, None, (Field(path, name, value, type_),), ())
    return suggest(sample)[path][0]


def written(path, value, type_=FieldType.STRING):
    """What the example call sends to a place with this sample value."""
    found = suggested(path, value, type_)
    assert found.is_sure
    sent = TOKENS[found.token].read(EXAMPLE_SNAPSHOT)
    for step in steps(found.formatters):
        sent = step(sent, EXAMPLE_SNAPSHOT)
    return sent


class TestFormatters:
    @pytest.mark.parametrize(
        ("path", "value", "formatter"),
        [
            ("$.phone", "+15555551234", Formatter("phone", {"style": "e164"})),
            ("$.phone", "(555) 555-1234", Formatter("phone", {"style": "national"})),
            ("$.phone", "030 1234567", Formatter("phone", {"style": "national"})),
            ("$.phone", "15555551234", Formatter("phone", {"style": "digits"})),
            ("$.start_time", "1553731500", Formatter("date", {"style": "unix"})),
            ("$.start_time", "1553731500000", Formatter("date", {"style": "unix_ms"})),
            ("$.repeat_caller", "true", Formatter("boolean", {"style": "true_false"})),
            ("$.repeat_caller", "no", Formatter("boolean", {"style": "yes_no"})),
            ("$.duration_ms", "36000", Formatter("milliseconds")),
            ("$.call_duration_minutes", "1", Formatter("minutes")),
            ("$.call_duration_minutes", "1.5", Formatter("minutes", {"decimals": 1})),
            ("$.phone", "5" * 64, Formatter("hash", {"normalise": "phone"})),
            ("$.first_name", "a" * 64, Formatter("hash", {"normalise": "letters"})),
        ],
    )
    def test_follow_the_shape_of_the_value(self, path, value, formatter):
        assert suggested(path, value).formatters == (formatter,)

    @pytest.mark.parametrize(
        ("path", "value", "type_"),
        [
            ("$.phone", "5555551234", FieldType.STRING),
            ("$.start_time", "2019-03-28T00:05:00.000Z", FieldType.STRING),
            ("$.start_time", "{{start}}", FieldType.STRING),
            ("$.lookup_date", "1 Mar 2020 4:15:12 AM", FieldType.STRING),
            ("$.repeat_caller", "1", FieldType.STRING),
            ("$.repeat_caller", "true", FieldType.BOOLEAN),
            ("$.duration", "90", FieldType.NUMBER),
            ("$.direction", "outbound", FieldType.STRING),
            ("$.direction", "IN", FieldType.STRING),
        ],
    )
    def test_are_none_where_the_token_is_written_so_anyway(self, path, value, type_):
        assert suggested(path, value, type_).formatters == ()

    @pytest.mark.parametrize(
        "value",
        [
            "2019-03-27",
            "2019-03-27 17:05",
            "2019-03-27 17:05:00",
            "2019-03-27 17:05:00.000",
            "2019-03-27T17:05",
            "2019-03-27T17:05:00",
            "2019-03-28T00:05:00Z",
            "2019-03-28T00:05:00.000000Z",
            "2019-03-27T17:05:00-07:00",
            "2019-03-27T17:05:00-0700",
            "2019-03-27 17:05:00-07:00",
            "2019-03-28T00:05:00+00:00",
            "2019-03-28T00:05:00.000+0000",
            "2019-03-28 00:05:00 UTC",
            "2019/03/27 17:05:00",
            "03/27/2019",
            "03/27/2019 17:05",
            "3/27/2019 5:05 PM",
            "3/27/2019 5:05:00PM",
            "03/27/19",
            "27/03/2019 17:05",
            "27.03.2019",
            "27.3.2019 17:05:00",
            "27-03-2019",
            "03-27-2019",
            "Mar 27, 2019",
            "March 27, 2019 5:05 PM",
            "March 27, 2019 at 5:05 PM",
            "27 Mar 2019",
            "27-Mar-2019",
            "Thu, 28 Mar 2019 00:05:00 +0000",
            "Thu, 28 Mar 2019 00:05:00 GMT",
            "20190327",
            "20190327170500",
            "20190328T000500Z",
            "17:05",
            "17:05:00",
            "5:05 PM",
        ],
    )
    def test_write_the_time_of_the_example_as_the_sample_does(self, value):
        assert written("$.start_time", value) == value

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("12/31/2020", "03/27/2019"),
            ("1/2/2020", "3/27/2019"),
            ("01.02.2020", "27.03.2019"),
            ("2020-01-02T03:04:05+00:00", "2019-03-28T00:05:00+00:00"),
            ("2020-01-02T03:04:05+02:00", "2019-03-27T17:05:00-07:00"),
        ],
    )
    def test_write_times_in_the_form_of_other_times(self, value, expected):
        assert written("$.start_time", value) == expected

    def test_write_a_time_as_wanted_that_its_token_writes_in_words(self):
        assert written("$.lookup_date", "2020-01-02T03:04:05.000Z") == "2020-10-13T15:15:12.000Z"

    @pytest.mark.parametrize(
        ("path", "value", "expected"),
        [
            ("$.phone", "555-555-1234", "777-673-4736"),
            ("$.phone", "555.555.1234", "777.673.4736"),
            ("$.phone", "555 555 1234", "777 673 4736"),
            ("$.phone", "+1 (555) 555-1234", "+1 777-673-4736"),
            ("$.phone", "+49 30 1234567", "+1 777-673-4736"),
            ("$.phone", "1-555-555-1234", "17776734736"),
            ("$.duration", "00:01:30", "00:00:36"),
            ("$.duration", "0:01:30", "0:00:36"),
            ("$.duration", "01:30", "00:36"),
            ("$.duration", "1:30", "0:36"),
            ("$.duration", "PT1M30S", "PT36S"),
            ("$.repeat_caller", "N", "Y"),
            ("$.repeat_caller", "y", "y"),
            ("$.repeat_caller", "No", "Yes"),
            ("$.repeat_caller", "FALSE", "TRUE"),
            ("$.repeat_caller", "off", "on"),
            ("$.direction", "OUTBOUND", "INBOUND"),
            ("$.direction", "Inbound", "Inbound"),
        ],
    )
    def test_write_the_example_in_the_form_of_the_sample(self, path, value, expected):
        assert written(path, value) == expected


class TestPatternOf:
    @pytest.mark.parametrize(
        "value",
        [
            "",
            "1.2.3",
            "2019",
            "19:5",
            "20191399",
            "32 Foo 2019",
            "1/2",
            "555-1234",
            "2019-03",
            "1" * 50,
        ],
    )
    def test_is_none_for_what_is_no_time(self, value):
        assert pattern_of(value) is None

    @given(st.one_of(st.text(), st.text("0123456789-/.:, TZAPMarch+", max_size=46)))
    @example("2019-01-02T03:04:05,123+0100")
    @example("January 2, 2019, 3:04AM")
    def test_is_one_that_the_date_formatter_takes(self, value):
        pattern = pattern_of(value)
        if pattern is not None:
            assert steps([Formatter("date", {"style": "custom", "pattern": pattern})])
