"""Suggestions: the right token for the names that systems use, and none for the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.extraction import Field, FieldType, Sample, extract
from apps.webhooks.formats import Format
from apps.webhooks.suggestions import CUT_OFF, Learned, suggest
from apps.webhooks.suggestions.aliases import CLEAR, OF, SUBJECTS
from apps.webhooks.suggestions.matching import matches_of
from apps.webhooks.suggestions.names import steps_of, words_of
from apps.webhooks.tokens import TOKENS, TokenType, find_token
from tests.webhooks.strategies import json_samples, pair_samples, xml_samples
from tests.webhooks.suggestion_cases import CASES


def suggestions_for(path, value, type_=FieldType.STRING, learned=None):
    name = path.rpartition("/")[2] if path.startswith("/") else path.rpartition(".")[2]
    field = Field(path, name, value, type_)
    sample = Sample(Format.JSON, None, (field,), ())
    return suggest(sample, learned or Learned()).get(path, ())


def selected(path, value, type_=FieldType.STRING):
    """The token that is selected beforehand, or None."""
    found = suggestions_for(path, value, type_)
    return found[0].token if found and found[0].is_sure else None


def score(name):
    found = matches_of(steps_of(f"$['{name}']"))
    return found[0].score if found else 0


class TestEvaluation:
    """What is selected beforehand, held against what people would choose."""

    @staticmethod
    def judged():
        return [(path, token, selected(path, value)) for path, value, token in CASES]

    def test_is_right_where_it_selects(self):
        chosen = [case for case in self.judged() if case[2] is not None]
        wrong = [case for case in chosen if case[1] != case[2]]
        assert 1 - len(wrong) / len(chosen) >= 0.97, wrong

    def test_selects_most_of_what_is_known(self):
        known = [case for case in self.judged() if case[1] is not None]
        missed = [case for case in known if case[1] != case[2]]
        assert 1 - len(missed) / len(known) >= 0.85, missed

    def test_is_large_enough_to_tell(self):
        assert len(CASES) >= 120
        assert sum(token is None for _, _, token in CASES) >= 60
        assert len({path for path, _, _ in CASES}) > len(CASES) * 0.95


class TestScore:
    @pytest.mark.parametrize(
        ("name", "expected"), [("fname", 100), ("first", 90), ("Call.From", 90), ("gclid", 100)]
    )
    def test_says_how_sure_it_is(self, name, expected):
        assert score(name) == expected

    def test_of_comments_is_below_the_cut_off(self):
        assert score("comments") < CUT_OFF

    @pytest.mark.parametrize("name", [name for name in TOKENS if TOKENS[name].is_suggested])
    def test_finds_each_token_by_its_own_name(self, name):
        token = TOKENS[name]
        value = "" if token.type.is_nested else token.example
        assert selected(f"$.{name}", value) == name
        assert selected(f"/call/{name}", value) == name
        assert matches_of(steps_of(f"$.{name}"))[0].score == 100

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("$.phone", "jane@example.com"),
            ("$.phone", "2026-03-28"),
            ("$.mobile", "Mobile"),
            ("$.phone", "true"),
            ("$.name", "https://example.com"),
            ("$.street", "jane@example.com"),
            ("$.email", "5555551234"),
            ("$.recording", "true"),
            ("$.first_name", "yes"),
            ("$.start_time", "no"),
        ],
    )
    def test_is_low_where_the_value_speaks_against_the_name(self, path, value):
        assert selected(path, value) is None

    @pytest.mark.parametrize(
        ("path", "value", "token"),
        [
            ("$.whatever", "(777) 673-4736", "ani"),
            ("$.whatever", "jane@example.com", "ani_email"),
            ("$.whatever", "https://example.com/a/b.mp3?x=1", "rec_audiourl"),
            ("$.whatever", "47.156.108.175", "visitor_ip_address"),
            ("$.whatever", "1C6RRFFG9KN909808", "vehicle_vin"),
        ],
    )
    def test_is_never_sure_by_the_value_alone(self, path, value, token):
        [found] = suggestions_for(path, value)
        assert found.token == token
        assert not found.is_sure
        assert found.reason.startswith("the sample value looks like ")


class TestReason:
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("$.fname", "the field is called fname, a usual name for the caller's first name"),
            (
                "/adf/customer/name[@part='last']",
                "the field is called name[@part='last'], a usual name for the caller's last name",
            ),
            ("$.gclid", "the field is called gclid, as the token is"),
            (
                "$.phne",
                "the field is called phne, which is like phone, a usual name for the caller number",
            ),
        ],
    )
    def test_is_in_words(self, path, reason):
        assert suggestions_for(path, "")[0].reason == reason


class TestLearned:
    LEARNED = Learned.from_templates(
        [
            {("$.customer.phone", "tracking"), ("$.x1", "custom.a b")},
            {("/root/customer/phone", "ani")},
            {("$.Customer.Phone", "tracking")},
            {("$['customer']['phone']", "tracking"), ("$.agent.name", "option_name")},
        ]
    )

    def test_comes_before_every_other(self):
        first, *others = suggestions_for("$.customer.phone", "", learned=self.LEARNED)
        assert (first.token, first.score, first.is_sure) == ("tracking", 100, True)
        assert first.reason == "your account mapped customer.phone to %tracking% in 3 templates"
        assert "ani" in [other.token for other in others]

    def test_counts_for_the_same_name_of_the_same_subject(self):
        first = suggestions_for("$.client.phone", "", learned=self.LEARNED)[0]
        assert (first.token, first.score) == ("tracking", 95)
        assert "3 templates" in first.reason
        learned = Learned.from_templates([{("$.lead.fname", "ani_first_name")}])
        first = suggestions_for("$.client.fname", "", learned=learned)[0]
        assert first.reason.startswith("your account mapped fname")
        assert selected("$.agent.phone", "") is None

    def test_knows_tokens_beyond_the_catalogue(self):
        [found] = suggestions_for("$.x1", "", learned=self.LEARNED)
        assert found.token == "custom.a b"
        assert found.reason == "your account mapped x 1 to %custom.a b% in 1 template"

    def test_is_not_sure_where_the_account_did_not_agree_with_itself(self):
        learned = Learned.from_templates([{("$.z9", "ani")}, {("$.z9", "target")}])
        found = suggestions_for("$.z9", "", learned=learned)
        assert {each.token for each in found} == {"ani", "target"}
        assert not any(each.is_sure for each in found)

    def test_ignores_tokens_that_are_gone(self):
        learned = Learned.from_templates([{("$.z9", "gone")}])
        assert suggestions_for("$.z9", "", learned=learned) == ()


class TestSuggest:
    def test_finds_lists_that_can_repeat_and_objects(self):
        sample = extract(
            '{"responses": [{"question": "a", "answer": "b"}], "tags": {"x": "y"}, "items": [1]}',
            Format.JSON,
        )
        tokens = {path: found[0].token for path, found in suggest(sample).items()}
        assert tokens["$.responses"] == "prompt_responses"
        assert tokens["$.responses[0].question"] == "question"
        assert tokens["$.responses[0].answer"] == "response"
        assert tokens["$.tags"] == "tags"
        assert "$.items" not in tokens

    def test_gives_at_most_three_of_each_place_without_repeats(self):
        for path, value, _ in CASES:
            found = [each.token for each in suggestions_for(path, value)]
            assert len(found) == len(set(found)) <= 3

    @given(
        st.one_of(
            json_samples.map(lambda text: (text, Format.JSON)),
            xml_samples().map(lambda text: (text, Format.XML)),
            pair_samples.map(lambda text: (text, Format.FORM)),
        )
    )
    def test_takes_any_sample(self, sample):
        text, form = sample
        for found in suggest(extract(text, form)).values():
            for each in found:
                find_token(each.token)
                assert 0 < each.score <= 100


class TestAliases:
    def test_belong_to_tokens_of_the_catalogue(self):
        assert CLEAR.keys() <= TOKENS.keys()
        assert OF.keys() == SUBJECTS.keys()
        assert {name for aliases in OF.values() for name in aliases} <= TOKENS.keys()

    @pytest.mark.parametrize("aliases", [CLEAR, *OF.values()], ids=["clear", *OF])
    def test_mean_one_token_each(self, aliases):
        seen = {}
        for token, names in aliases.items():
            for name in names.split(","):
                key = "".join(words_of(name))
                assert key
                assert seen.setdefault(key, token) == token, name

    def test_leave_out_what_is_hooklines_own(self):
        for path in (
            "$.campaign.id",
            "$.study_id",
            "$.delivery_id",
            "$.account_name",
            "$.Organization.Id",
        ):
            assert selected(path, "") is None

    def test_can_be_reached_for_each_token(self):
        nested = {name for name, token in TOKENS.items() if token.type is TokenType.LIST}
        nested = {name for name in nested if TOKENS[name].is_suggested}
        assert nested == {"prompt_responses"}


class TestNames:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("$.customer.phoneNumbers[0]", (("customer",), ("phone", "numbers"))),
            ("$['Call.From']", (("call", "from"),)),
            ("$['it\\'s']", (("it", "s"),)),
            ("$", ()),
            ("$['-']", ()),
            ("/adf/name[@part='first']", (("adf",), ("first", "name"))),
            ("/a/street[@line='2']/@x", (("a",), ("street", "2"), ("x",))),
            ("/a/b[2]/text()[1]", (("a",), ("b",))),
            ("/soap:Body/m:IPAddress", (("body",), ("ip", "address"))),
            ("lead[first_name]", (("lead",), ("first", "name"))),
            ("a%23b#2", (("a", "b"),)),
            ("$.Straße", (("strasse",),)),
            ("$.Prénom", (("prenom",),)),
        ],
    )
    def test_are_cut_into_words(self, path, expected):
        assert steps_of(path) == expected
