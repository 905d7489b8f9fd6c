"""The formatters: what each makes of a value, and which options it refuses."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.mapping import FORMATTERS, Formatter, FormatterError, OptionKind, steps


def formatted(value, name, snapshot=None, **options):
    [step] = steps([Formatter(name, options)])
    return step(value, snapshot or {})


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class TestPhone:
    @pytest.mark.parametrize(
        ("value", "style", "expected"),
        [
            ("7776734736", "e164", "+17776734736"),
            ("+442079460958", "e164", "+442079460958"),
            ("(202) 555-0147", "e164", "+12025550147"),
            ("anonymous", "e164", "anonymous"),
            ("+", "e164", "+"),
            ("1x", "e164", None),
            ("2025550147", "national", "(202) 555-0147"),
            ("+442079460958", "national", "020 7946 0958"),
            ("7776734736", "digits", "17776734736"),
            ("anonymous", "digits", None),
            ("+17776734736", "last10", "7776734736"),
            ("anonymous", "last10", None),
            ("7776734736", "international", "+1 777-673-4736"),
            ("+442079460958", "international", "+44 20 7946 0958"),
            ("7776734736", "dashes", "777-673-4736"),
            ("7776734736", "dots", "777.673.4736"),
            ("7776734736", "spaces", "777 673 4736"),
            ("+442079460958", "dashes", "020-7946-0958"),
            ("anonymous", "dashes", "anonymous"),
            ("1x", "dots", None),
        ],
    )
    def test_writes_the_number_as_wanted(self, value, style, expected):
        assert formatted(value, "phone", style=style) == expected

    def test_reads_numbers_without_a_code_as_of_its_country(self):
        assert formatted("020 7946 0958", "phone", style="e164", country="GB") == "+442079460958"


class TestDate:
    AT = "2019-03-28T00:05:00.250Z"

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"style": "iso"}, "2019-03-28T00:05:00.250Z"),
            ({"style": "iso", "zone": "America/Los_Angeles"}, "2019-03-27T17:05:00.250-07:00"),
            ({"style": "iso", "zone": "location"}, "2019-03-28T01:05:00.250+01:00"),
            ({"style": "unix"}, "1553731500"),
            ({"style": "unix_ms"}, "1553731500250"),
            ({"style": "unix_us"}, "1553731500250000"),
            ({"style": "custom", "pattern": "yyyy-MM-dd HH:mm:ss"}, "2019-03-28 00:05:00"),
            ({"style": "custom", "pattern": "HH:mm:ss.SSSSSSXX"}, "00:05:00.250000+0000"),
            (
                {"style": "custom", "pattern": "HH:mm XX", "zone": "America/Los_Angeles"},
                "17:05 -0700",
            ),
            ({"style": "custom", "pattern": "d MMM yy, h:mm a"}, "28 Mar 19, 12:05 AM"),
            ({"style": "custom", "pattern": "EEEE, MMMM d"}, "Thursday, March 28"),
            ({"style": "custom", "pattern": "H'h'm SSS XXX"}, "0h5 250 +00:00"),
            ({"style": "custom", "pattern": "MM/dd/yyyy'"}, "03/28/2019'"),
        ],
    )
    def test_writes_the_time_as_wanted(self, options, expected):
        snapshot = {"location": {"time_zone": "Europe/Berlin"}}
        assert formatted(self.AT, "date", snapshot, **options) == expected

    @pytest.mark.parametrize(
        "value", ["13 Oct 2020 3:15:12 PM", "2020-10-13T15:15:12Z", "1602602112", 1602602112000]
    )
    def test_reads_every_way_in_which_a_time_is_written(self, value):
        assert formatted(value, "date", style="iso") == "2020-10-13T15:15:12.000Z"

    @pytest.mark.parametrize("location", [None, {}, {"time_zone": "Nowhere/Land"}])
    def test_takes_utc_where_the_location_has_no_zone(self, location):
        assert formatted(self.AT, "date", {"location": location}, style="iso", zone="location") == (
            self.AT
        )

    @pytest.mark.parametrize("value", ["yesterday", "", [1], "2019-99-99"])
    def test_gives_nothing_for_what_is_no_time(self, value):
        assert formatted(value, "date", style="unix") is None


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "options", "expected"),
        [
            ("2.5", {}, "3"),
            ("-2.5", {}, "-3"),
            ("34.153500", {"decimals": 2}, "34.15"),
            ("2.1", {"rounding": "up"}, "3"),
            ("2.9", {"rounding": "down"}, "2"),
            ("7", {"decimals": 2}, "7.00"),
            ("seven", {}, None),
        ],
    )
    def test_rounds(self, value, options, expected):
        assert formatted(value, "number", **options) == expected

    @pytest.mark.parametrize(
        ("value", "options", "expected"),
        [
            ("36", {"decimals": 1}, "0.6"),
            ("89", {}, "1"),
            ("61", {"rounding": "up"}, "2"),
            ("0", {}, "0"),
        ],
    )
    def test_turns_seconds_into_minutes(self, value, options, expected):
        assert formatted(value, "minutes", **options) == expected

    @pytest.mark.parametrize(("value", "expected"), [("36", "36000"), ("0.0015", "2"), ("x", None)])
    def test_turns_seconds_into_milliseconds(self, value, expected):
        assert formatted(value, "milliseconds") == expected

    @pytest.mark.parametrize("number", ["0", "7", "2079571437", "999999999999999"])
    def test_keeps_an_id_that_is_a_number(self, number):
        assert formatted(number, "id_number") == number

    @pytest.mark.parametrize("text", ["loc_01jd2x", "9" * 16, "007", "-7", "é", "\ud800"])
    def test_makes_one_number_of_an_id_that_is_none(self, text):
        number = formatted(text, "id_number")
        assert number == formatted(text, "id_number") != formatted(f"{text}x", "id_number")
        assert 0 <= int(number) < 2**53


class TestDuration:
    @pytest.mark.parametrize(
        ("value", "style", "expected"),
        [
            (36, "hh_mm_ss", "00:00:36"),
            ("3725", "hh_mm_ss", "01:02:05"),
            ("3725", "h_mm_ss", "1:02:05"),
            ("3725", "mm_ss", "62:05"),
            ("65", "m_ss", "1:05"),
            ("59.5", "m_ss", "1:00"),
            (0, "iso", "PT0S"),
            ("3600", "iso", "PT1H"),
            ("3725", "iso", "PT1H2M5S"),
            ("-1", "m_ss", None),
            ("soon", "m_ss", None),
        ],
    )
    def test_writes_seconds_as_wanted(self, value, style, expected):
        assert formatted(value, "duration", style=style) == expected


class TestBoolean:
    @pytest.mark.parametrize(
        ("value", "style", "expected"),
        [
            ("1", "true_false", "true"),
            ("0", "yes_no", "no"),
            (True, "1_0", "1"),
            ("1", "y_n", "Y"),
            ("off", "on_off", "off"),
            ("No", "1_0", "0"),
            ("maybe", "1_0", None),
        ],
    )
    def test_spells_yes_and_no_as_wanted(self, value, style, expected):
        assert formatted(value, "boolean", style=style) == expected


class TestWords:
    @pytest.mark.parametrize(
        ("style", "expected"),
        [
            ("upper", "MARY-ANN O'NEIL"),
            ("lower", "mary-ann o'neil"),
            ("title", "Mary-Ann O'neil"),
            ("sentence", "Mary-ann o'neil"),
        ],
    )
    def test_change_case(self, style, expected):
        assert formatted("maRY-ann o'NEIL", "case", style=style) == expected

    def test_are_cut_to_a_length(self):
        assert formatted("abcdef", "truncate", length=3) == "abc"
        assert formatted("ab", "truncate", length=3) == "ab"

    def test_are_escaped_for_chat(self):
        assert formatted('<!channel> & "a"', "escape") == '&lt;!channel&gt; &amp; "a"'

    def test_are_replaced_by_a_value_map(self):
        values = {"ANSWER": "Answered", "1": "Sales"}
        assert formatted("ANSWER", "map", values=values) == "Answered"
        assert formatted(1, "map", values=values) == "Sales"
        assert formatted("BUSY", "map", values=values) == "BUSY"
        assert formatted("BUSY", "map", values=values, otherwise="Missed") == "Missed"

    @pytest.mark.parametrize(
        ("value", "normalise", "hashed"),
        [
            (" Freddy ", "text", "freddy"),
            ("San Francisco-2", "letters", "sanfrancisco2"),
            ("7776734736", "phone", "17776734736"),
            (" A ", "none", " A "),
        ],
    )
    def test_are_hashed_when_normalised(self, value, normalise, hashed):
        assert formatted(value, "hash", normalise=normalise) == sha256(hashed)

    @pytest.mark.parametrize(("value", "normalise"), [("anonymous", "phone"), (" ", "text")])
    def test_are_not_hashed_when_nothing_is_left(self, value, normalise):
        assert formatted(value, "hash", normalise=normalise) is None

    def test_are_joined_from_lists(self):
        answers = [{"question": "one", "response": 1}, {"question": "two", "response": None}]
        assert formatted(answers, "join", separator="|", part="response") == "1|"
        assert formatted(["a", 2], "join") == "a, 2"
        assert formatted({"Region": "south", "n": 1}, "join") == "Region: south, n: 1"
        assert formatted("text", "join") == "text"


class TestOptions:
    @pytest.mark.parametrize(
        ("name", "options", "part"),
        [
            ("nonsense", {}, 'no formatter "nonsense"'),
            ("case", {}, '"style" must be one of upper'),
            ("case", {"style": "loud"}, '"style" must be one of upper'),
            ("case", {"style": ["upper"]}, '"style" must be one of upper'),
            ("case", {"style": "upper", "x": 1}, 'no option "x"'),
            ("truncate", {}, "a whole number from 1"),
            ("truncate", {"length": 0}, "a whole number from 1"),
            ("truncate", {"length": True}, "a whole number"),
            ("number", {"decimals": 11}, "from 0 to 10"),
            ("map", {"values": {"a": 1}}, "pairs of texts"),
            ("join", {"separator": 1}, "text of at most 100"),
            ("phone", {"style": "e164", "country": "XX"}, "country code"),
            ("date", {"style": "iso", "zone": "Mars/Base"}, 'no time zone "Mars/Base"'),
            ("date", {"style": "iso", "zone": "../etc/passwd"}, "no time zone"),
            ("date", {"style": "iso", "zone": "America"}, "no time zone"),
            ("date", {"style": "custom"}, '"pattern" is missing'),
            ("date", {"style": "custom", "pattern": "YYYY-MM-DD"}, '"YYYY" in the pattern'),
        ],
    )
    def test_are_refused_by_name(self, name, options, part):
        with pytest.raises(FormatterError) as error:
            steps([Formatter(name, options)])
        assert part in str(error.value)

    @pytest.mark.parametrize("spec", FORMATTERS.values(), ids=lambda spec: spec.name)
    def test_describe_themselves(self, spec):
        assert spec.label
        assert all(option.label for option in spec.options)
        assert all(option.choices for option in spec.options if option.kind is OptionKind.CHOICE)


class TestAnyValue:
    VALUES = st.recursive(
        st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.text("0123456789+-:T.")),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=4,
    )

    @given(VALUES)
    def test_never_fails(self, value):
        for name, options in (
            ("phone", {"style": "e164"}),
            ("phone", {"style": "national"}),
            ("phone", {"style": "digits"}),
            ("phone", {"style": "last10"}),
            ("date", {"style": "iso", "zone": "Asia/Tokyo"}),
            ("date", {"style": "unix_ms"}),
            ("date", {"style": "custom", "pattern": "yyyy EEE a XXX"}),
            ("number", {"decimals": 10}),
            ("minutes", {"rounding": "up"}),
            ("phone", {"style": "dashes"}),
            ("phone", {"style": "international"}),
            ("duration", {"style": "iso"}),
            ("duration", {"style": "hh_mm_ss"}),
            ("boolean", {"style": "1_0"}),
            ("case", {"style": "title"}),
            ("truncate", {"length": 1}),
            ("map", {"values": {"a": "b"}}),
            ("join", {"part": "response"}),
            ("hash", {}),
            ("hash", {"normalise": "phone"}),
        ):
            formatted(value, name, **options)
